"""The Android package cannot be built here, so its specification is checked against the sources of its tools."""

import ast
import configparser
import re
import shutil
import sys
import tomllib
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import buildozer
import pytest
import pythonforandroid

from protocol.pairing import SCHEME

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "mobile_client" / "buildozer.spec"
P4A = Path(pythonforandroid.__file__).parent
PURE_PYTHON = {"platformdirs", "requests", "certifi", "charset-normalizer", "idna", "urllib3"}  # each has such a wheel
MODULE_OF = {"pillow": "PIL", "pyjnius": "jnius"}
ON_COMPUTERS_ONLY = {"cv2"}  # imported where it is used, and done without on a phone


@pytest.fixture(scope="module")
def spec() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their case, as configparser's docs do
    parser.read(SPEC)
    return parser


def words(spec: configparser.ConfigParser, key: str) -> list[str]:
    return [word.strip() for word in spec["app"][key].split(",")]


def requirements(spec: configparser.ConfigParser) -> set[str]:
    return {requirement.split("==")[0] for requirement in words(spec, "requirements")}


def imported_modules() -> set[str]:
    """The top names that mobile_client and protocol import from outside the standard library."""
    names = set()
    for path in [*ROOT.glob("mobile_client/*.py"), *ROOT.glob("protocol/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).split(".")[0])
    return names - sys.stdlib_module_names - {"mobile_client", "protocol"}


def test_every_key_is_one_that_buildozer_knows(spec: configparser.ConfigParser) -> None:
    default = (Path(buildozer.__file__).parent / "default.spec").read_text()
    known = set(re.findall(r"^#? ?([a-z][\w.-]+) *=", default, flags=re.MULTILINE))
    assert {key for section in spec.sections() for key in spec[section]} <= known


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Buildozer as it is run in the folder of the specification, but building elsewhere."""
    monkeypatch.chdir(SPEC.parent)
    return buildozer.Buildozer(filename=shutil.copy(SPEC, tmp_path), target="android")


def test_buildozer_finds_no_fault(builder: Any) -> None:
    builder.check_configuration_tokens()


def test_only_the_app_and_the_wire_are_shipped(builder: Any) -> None:
    builder._copy_application_sources()
    app = Path(builder.app_dir)
    shipped = {str(path.relative_to(app)) for path in app.rglob("*") if path.is_file()}
    sources = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("mobile_client/*.py"), *ROOT.glob("protocol/*.py")]}
    assert shipped == sources | {"main.py", "mobile_client/app.kv", "protocol/py.typed"}


def test_everything_imported_is_required(spec: configparser.ConfigParser) -> None:
    provided = {MODULE_OF.get(name, name) for name in requirements(spec)}
    assert imported_modules() - ON_COMPUTERS_ONLY <= provided


def test_every_requirement_has_a_recipe_or_is_pure_python(spec: configparser.ConfigParser) -> None:
    recipes = {path.name.lower() for path in (P4A / "recipes").iterdir()}
    assert requirements(spec) <= recipes | PURE_PYTHON


def test_docstrings_are_kept_because_errors_are_read_from_them(spec: configparser.ConfigParser) -> None:
    option = "--no-optimize-python"
    assert option in spec["app"]["p4a.extra_args"].split()
    assert f"'{option}'" in (P4A / "bootstraps" / "common" / "build" / "build.py").read_text()


def test_the_app_asks_for_camera_network_and_vibration_only(spec: configparser.ConfigParser) -> None:
    names = {permission.removeprefix("android.permission.") for permission in words(spec, "android.permissions")}
    assert names == {"CAMERA", "INTERNET", "VIBRATE"}


def test_a_pairing_link_opens_the_app(spec: configparser.ConfigParser) -> None:
    text = (SPEC.parent / spec["app"]["android.manifest.intent_filters"]).read_text()
    filters = xml.etree.ElementTree.fromstring(f'<activity xmlns:android="android">{text}</activity>')
    assert [element.attrib["{android}scheme"] for element in filters.iter("data")] == [SCHEME]
    assert spec["app"]["android.manifest.launch_mode"] == "singleTask"


def test_the_architecture_is_that_of_todays_phones(spec: configparser.ConfigParser) -> None:
    assert words(spec, "android.archs") == ["arm64-v8a"]
    assert int(spec["app"]["android.minapi"]) >= 24
    assert int(spec["app"]["android.api"]) >= 33


def test_the_version_is_that_of_the_project(spec: configparser.ConfigParser) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert spec["app"]["version"] == project["version"]


def test_the_entry_point_lies_where_the_sources_begin(spec: configparser.ConfigParser) -> None:
    assert (SPEC.parent / spec["app"]["source.dir"] / "main.py").resolve() == ROOT / "main.py"
