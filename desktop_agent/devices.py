"""The phones that are paired with this computer, and the one-time tokens that let a new one in."""

import hmac
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from protocol.errors import SettingsInvalid, TokenInvalid
from protocol.pairing import TOKEN_LIFETIME_S, key_hash, new_key, new_token


class PairedDevices:
    """Remembers paired devices in a file that only this user may read; of their keys it holds the hashes alone."""

    def __init__(self, file: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Read who is paired already.

        Args:
            file: where the devices are kept; it need not exist yet.
            clock_s: seconds that never run backwards.

        Raises:
            SettingsInvalid: the file is damaged or cannot be read.
        """
        self._file = file
        self._clock_s = clock_s
        self._turn = threading.Condition()
        self._last_paired: str | None = None
        self._token_hash = ""
        self._token_ends_s = 0.0
        self._names_by_hash = _read_names(file)

    def offer_token(self) -> str:
        """A fresh token for one device, good for TOKEN_LIFETIME_S; the one before is no longer good."""
        token = new_token()
        with self._turn:
            self._token_hash, self._token_ends_s = key_hash(token), self._clock_s() + TOKEN_LIFETIME_S
            self._last_paired = None
        return token

    def wait_until_paired(self, timeout_s: float) -> str | None:
        """Wait for a device to use the token on offer; its name, or None if none came in time."""
        with self._turn:
            self._turn.wait_for(lambda: self._last_paired is not None, timeout_s)
            return self._last_paired

    def pair(self, token: str, device_name: str) -> str:
        """Exchange a token for a device key; the token is used up.

        Raises:
            TokenInvalid: it is not the one on offer, was used, or has expired.
        """
        with self._turn:
            is_right = hmac.compare_digest(key_hash(token), self._token_hash)
            if not is_right or self._clock_s() > self._token_ends_s:
                raise TokenInvalid
            self._token_hash = ""
            key = new_key()
            self._names_by_hash[key_hash(key)] = device_name
            self._save()
            self._last_paired = device_name
            self._turn.notify_all()
        return key

    def is_paired(self, key: str) -> bool:
        """Whether this is a paired device's key. Looking up a hash tells nothing of the key by its timing."""
        return key_hash(key) in self._names_by_hash

    def names_by_device(self) -> dict[str, str]:
        """What each paired device is called, by its key's hash."""
        with self._turn:
            return dict(self._names_by_hash)

    def unpair(self, device: str) -> None:
        """Forget a device, known by its key's hash; its key is no good from now on."""
        with self._turn:
            self._names_by_hash.pop(device, None)
            self._save()

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(self._names_by_hash, stream, indent=1)
        fresh.replace(self._file)


def _read_names(file: Path) -> dict[str, str]:
    try:
        names_by_hash = json.loads(file.read_text()) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"The paired devices in {file} cannot be read: {error}. Delete it and pair again."
        ) from error
    if not isinstance(names_by_hash, dict):
        raise SettingsInvalid(f"The paired devices in {file} are damaged. Delete it and pair again.")
    return names_by_hash
