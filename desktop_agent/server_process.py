"""A segmentation server of this computer's own, as a process beside the agent."""

import os
import subprocess
import sys
from pathlib import Path

from desktop_agent.certificate import Certificate
from desktop_agent.pairing_offer import reachable_host
from protocol.errors import SettingsInvalid
from protocol.messages import ServerAddress
from protocol.pairing import new_key

READY = "Segmentation server ready at "


class ServerProcess:
    """Runs for as long as the agent does, with the agent's certificate and a key that the agent makes."""

    def __init__(self, host: str, port: int, certificate: Certificate, data_dir: Path) -> None:
        """Start it and wait until it listens.

        Args:
            host: address to listen at.
            port: 0 takes any that is free.
            certificate: what phones will know it by.
            data_dir: where its API key is kept.

        Raises:
            SettingsInvalid: it ended at once; it has said why.
        """
        key_file = data_dir / "server-api-key"
        api_key = _load_or_make_key(key_file)
        command = [sys.executable, "-m", "segmentation_server", "--host", host, "--port", str(port)]
        command += ["--api-key-file", str(key_file)]
        command += ["--certificate", str(certificate.file), "--private-key", str(certificate.private_key_file)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        listening_port = self._wait_for_port()
        url = f"https://{reachable_host(host)}:{listening_port}"
        self.address = ServerAddress(url, api_key, certificate.sha256)

    def has_ended(self) -> bool:
        """Whether it has stopped by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_for_port(self) -> int:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(READY):
                return int(line.strip().rsplit(":", 1)[1])
        self._process.wait()
        raise SettingsInvalid("The segmentation server did not start; its reason is above.")


def _load_or_make_key(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(new_key())
    return file.read_text().strip()
