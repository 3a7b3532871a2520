import io
import ipaddress

import cv2
import numpy as np
import pytest

from desktop_agent.pairing_offer import PairingOffer, reachable_host
from protocol.pairing import PairingLink

TOKEN = "rBBwb3jaF5UqrQxyApbyUg"  # as `new_token` makes; now and then OpenCV's reader does not see the code of another
LINK = PairingLink("192.168.1.20", 8765, "ab" * 32, TOKEN)
BLOCKS = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}  # upper and lower half of a character


def read_terminal(text: str) -> str:
    """What a phone's camera reads from the block characters of a dark terminal."""
    lines = [line for line in text.splitlines() if line and set(line) <= set(BLOCKS)]
    modules = np.array([[BLOCKS[character] for character in line] for line in lines], np.uint8)
    upper_lower = modules.transpose(0, 2, 1).reshape(2 * len(lines), -1)
    picture = np.asarray(cv2.resize(upper_lower, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST), np.uint8)
    return cv2.QRCodeDetector().detectAndDecode(picture)[0]


def test_the_code_in_the_terminal_is_the_link() -> None:
    terminal = io.StringIO()
    PairingOffer(terminal, lambda _link: None).show(LINK)
    assert read_terminal(terminal.getvalue()) == LINK.to_uri()


def test_the_link_can_be_read_below_the_code() -> None:
    terminal = io.StringIO()
    PairingOffer(terminal, lambda _link: None).show(LINK)
    assert LINK.to_uri() in terminal.getvalue().splitlines()


def test_the_link_is_in_the_window_until_it_is_withdrawn() -> None:
    shown: list[str | None] = []
    offer = PairingOffer(io.StringIO(), shown.append)
    offer.show(LINK)
    offer.withdraw()
    assert shown == [LINK.to_uri(), None]


def test_phones_are_told_the_address_the_agent_listens_at() -> None:
    assert reachable_host("192.168.1.20") == "192.168.1.20"


@pytest.mark.parametrize("anywhere", ["0.0.0.0", "::"])
def test_phones_are_told_an_address_of_this_computer_if_it_listens_everywhere(anywhere: str) -> None:
    assert not ipaddress.ip_address(reachable_host(anywhere)).is_unspecified
