"""`make demo` is the project's front door: it may be left at any moment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("inkscape") is None, reason="`make test` installs Inkscape"),
    pytest.mark.timeout(240),
]
GONE_S = 15


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout is not None
    assert any(words in line for line in process.stdout)


MOMENTS = ["Opening Inkscape", "Starting the segmentation server", "Starting the phone app", "Tap: copy", "Tap: paste"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_the_demo_and_everything_it_started(demo: "subprocess.Popen[str]", moment: str) -> None:
    wait_for(demo, moment)
    started = psutil.Process(demo.pid).children(recursive=True)
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == -signal.SIGINT  # ended by the signal itself, as a shell expects
    assert "Traceback" not in said
    _gone, alive = psutil.wait_procs(started, timeout=GONE_S)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_nothing_outlives_a_demo_that_is_killed(demo: "subprocess.Popen[str]") -> None:
    wait_for(demo, "Tap: copy")
    started = psutil.Process(demo.pid).children(recursive=True)
    demo.kill()
    _gone, alive = psutil.wait_procs(started, timeout=GONE_S)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
