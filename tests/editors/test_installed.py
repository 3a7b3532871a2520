"""What becomes of the tests with real editors where programs are missing."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_where_a_program_is_missing_the_tests_that_need_it_fail_and_name_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "tests/editors/test_faults.py", "-k", "modifier"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 1
    assert "Not installed: Xvfb, openbox, dbus-daemon, xclip." in told.stdout
