import json
import stat
import threading
from pathlib import Path

import pytest

from desktop_agent.devices import PairedDevices
from protocol.errors import SettingsInvalid, TokenInvalid
from protocol.pairing import TOKEN_LIFETIME_S


class Clock:
    """Seconds that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent" / "devices.json"


def test_a_token_lets_one_device_in(file: Path) -> None:
    devices = PairedDevices(file)
    key = devices.pair(devices.offer_token(), "Ada's phone")
    assert devices.is_paired(key)


def test_a_token_is_good_only_once(file: Path) -> None:
    devices = PairedDevices(file)
    token = devices.offer_token()
    devices.pair(token, "Ada's phone")
    with pytest.raises(TokenInvalid):
        devices.pair(token, "Eve's phone")


def test_a_token_expires(file: Path) -> None:
    clock = Clock()
    devices = PairedDevices(file, clock)
    token = devices.offer_token()
    clock.now_s = TOKEN_LIFETIME_S + 1
    with pytest.raises(TokenInvalid):
        devices.pair(token, "late phone")


def test_a_fresh_token_replaces_the_one_before(file: Path) -> None:
    devices = PairedDevices(file)
    old, _fresh = devices.offer_token(), devices.offer_token()
    with pytest.raises(TokenInvalid):
        devices.pair(old, "phone")


@pytest.mark.parametrize("token", ["", "guess"])
def test_nothing_pairs_while_no_token_is_on_offer(file: Path, token: str) -> None:
    with pytest.raises(TokenInvalid):
        PairedDevices(file).pair(token, "phone")


def test_a_wrong_guess_does_not_use_the_token_up(file: Path) -> None:
    devices = PairedDevices(file)
    token = devices.offer_token()
    with pytest.raises(TokenInvalid):
        devices.pair("guess", "Eve's phone")
    assert devices.is_paired(devices.pair(token, "Ada's phone"))


def test_devices_stay_paired_when_the_agent_starts_again(file: Path) -> None:
    devices = PairedDevices(file)
    key = devices.pair(devices.offer_token(), "Ada's phone")
    assert PairedDevices(file).is_paired(key)


def test_the_file_holds_no_key_and_is_for_its_owner_alone(file: Path) -> None:
    devices = PairedDevices(file)
    key = devices.pair(devices.offer_token(), "Ada's phone")
    assert key not in file.read_text()
    assert list(json.loads(file.read_text()).values()) == ["Ada's phone"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "guess"])
def test_nobody_else_is_paired(file: Path, key: str) -> None:
    assert not PairedDevices(file).is_paired(key)


def test_whoever_shows_the_code_learns_who_used_it(file: Path) -> None:
    devices = PairedDevices(file)
    token = devices.offer_token()
    phone = threading.Timer(0.1, devices.pair, (token, "Ada's phone"))
    phone.start()
    assert devices.wait_until_paired(timeout_s=5) == "Ada's phone"
    phone.join()


def test_a_code_that_nobody_used_was_used_by_nobody(file: Path) -> None:
    devices = PairedDevices(file)
    devices.offer_token()
    assert devices.wait_until_paired(timeout_s=0.01) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    damaged = tmp_path / "devices.json"
    damaged.write_text(content)
    with pytest.raises(SettingsInvalid, match="pair again"):
        PairedDevices(damaged)


def test_an_unpaired_device_is_out_for_good_and_the_others_stay(file: Path) -> None:
    devices = PairedDevices(file)
    first, second = (devices.pair(devices.offer_token(), name) for name in ("Ada's phone", "Bea's phone"))
    [ada, bea] = devices.names_by_device()
    devices.unpair(ada)
    for known in (devices, PairedDevices(file)):
        assert not known.is_paired(first)
        assert known.is_paired(second)
        assert known.names_by_device() == {bea: "Bea's phone"}


def test_unpairing_a_device_that_is_gone_does_no_harm(file: Path) -> None:
    devices = PairedDevices(file)
    devices.unpair("whoever")
    assert devices.names_by_device() == {}
