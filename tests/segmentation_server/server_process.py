"""A real server in a process of its own, and what a client does with it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import requests

from protocol import routes

READY_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class ServerProcess:
    """A server that listens."""

    url: str
    process: subprocess.Popen[str]

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=30, verify=False)

    def send(self, path: str, photo: bytes, **options: object) -> requests.Response:
        files = {routes.PHOTO_PART: ("photo", photo)}
        return requests.post(self.url + path, files=files, timeout=60, verify=False, **options)  # type: ignore[arg-type]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while self.get(routes.READYZ).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def memory_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it wrote to stderr."""
        self.process.send_signal(by)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@contextmanager
def started_server(*options: str) -> Iterator[ServerProcess]:
    """A server on a free port."""
    command = [sys.executable, "-m", "segmentation_server", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("Segmentation server ready at ")
        yield ServerProcess(url, process)
    finally:
        process.kill()
        process.wait()


def run_server(*options: str) -> subprocess.CompletedProcess[str]:
    """A server that should not start."""
    command = [sys.executable, "-m", "segmentation_server", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
