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
        """Start it; it is not listening yet.

        Args:
            host: address to listen at.
            port: 0 takes any that is free.
            certificate: what phones will know it by.
            data_dir: where its API key is kept.
        """
        self._host = host
        self._certificate = certificate
        key_file = data_dir / "server-api-key"
        self._api_key = _load_or_make_key(key_file)
        command = [sys.executable, "-m", "segmentation_server", "--host", host, "--port", str(port)]
        command += ["--api-key-file", str(key_file)]
        command += ["--certificate", str(certificate.file), "--private-key", str(certificate.private_key_file)]
        # In a session of its own, so that Ctrl+C reaches it through us, once nobody needs it any more.
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    def wait_until_listening(self) -> ServerAddress:
        """Where phones find it.

        Raises:
            SettingsInvalid: it ended at once; it has said why.
        """
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(READY):
                port = int(line.strip().rsplit(":", 1)[1])
                url = f"https://{reachable_host(self._host)}:{port}"
                return ServerAddress(url, self._api_key, self._certificate.sha256)
        self._process.wait()
        raise SettingsInvalid("The segmentation server did not start; its reason is above.")

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


def _load_or_make_key(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(new_key())
    return file.read_text().strip()
