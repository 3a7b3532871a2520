"""What can be known of the image without building it."""

import ast
import importlib.util
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from protocol.routes import READYZ

ROOT = Path(__file__).parent.parent


def instructions(keyword: str) -> list[str]:
    """The arguments of every instruction of one kind, each on one line."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{keyword} ")]


def copied() -> list[str]:
    """What COPY takes from the repository."""
    return [source for arguments in instructions("COPY") for source in shlex.split(arguments)[:-1]]


def imported_packages(package: str) -> set[str]:
    """The packages of this repository that a package's files import."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / package).rglob("*.py")]
    names = {name.partition(".")[0] for tree in trees for name in imported_names(tree)}
    return {name for name in names if (ROOT / name / "__init__.py").exists()}


def imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_whatever_is_copied_exists_and_reaches_the_builder() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()

    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore, source


def test_every_package_that_the_server_imports_is_copied() -> None:
    needed = imported_packages("segmentation_server")
    needed |= {further for package in needed for further in imported_packages(package)}

    assert "protocol" in needed
    assert needed <= set(copied())


def test_every_module_that_it_runs_exists() -> None:
    text = (ROOT / "Dockerfile").read_text()
    modules = set(re.findall(r"""python"?,? "?-m"?,? "?([\w.]+)""", text))

    assert modules == {"segmentation_server"}
    assert importlib.util.find_spec("segmentation_server.__main__")


def test_the_server_does_not_run_as_root() -> None:
    assert instructions("USER")[-1] not in {"0", "root"}


def test_its_extras_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    choices = [instructions("ARG")[0], *re.findall(r"--build-arg (\S+)", (ROOT / "Dockerfile").read_text())]

    assert choices == ["EXTRAS=server", "EXTRAS=server,torch"]
    assert {"server", "torch"} <= set(extras)


def test_python_is_new_enough() -> None:
    image = instructions("FROM")[-1]

    assert image == "python:3.11-slim"
    assert sys.version_info >= (3, 11)


def test_its_health_is_whether_the_server_is_ready() -> None:
    (health_check,) = instructions("HEALTHCHECK")
    program, option, code = json.loads(health_check.partition("CMD ")[2])
    compile(code, "HEALTHCHECK", "exec")

    assert (program, option) == ("python", "-c")
    assert f"http://127.0.0.1:{instructions('EXPOSE')[0]}{READYZ}'" in code


def test_it_listens_to_other_machines_only_with_the_key_that_compose_gives_it() -> None:
    arguments = json.loads(instructions("CMD")[0])
    compose = (ROOT / "compose.yaml").read_text()

    assert arguments == ["--host", "0.0.0.0", "--api-key-file", "/run/secrets/api_key"]
    assert "    secrets:\n      - api_key\n" in compose
