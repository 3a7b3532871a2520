import pytest

from protocol.errors import PairingLinkInvalid
from protocol.pairing import PairingLink, bearer, bearer_key, certificate_sha256, key_hash, new_key, new_token

LINK = PairingLink("192.168.1.20", 8765, "ab" * 32, "kD3v9Qh0Zb2Yx7Lw5Nf1Tg")


def test_a_link_survives_as_text() -> None:
    assert PairingLink.from_uri(LINK.to_uri()) == LINK


def test_a_link_is_short_enough_for_a_small_code() -> None:
    assert len(PairingLink("192.168.100.200", 65535, "ff" * 32, new_token()).to_uri()) <= 122  # QR version 7, level M


def test_a_computer_with_an_ipv6_address_can_be_reached() -> None:
    link = PairingLink("fe80::1", 8765, "ab" * 32, "t")
    assert link.agent_url == "https://[fe80::1]:8765"
    assert PairingLink.from_uri(link.to_uri()) == link


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://example.org",
        LINK.to_uri().replace("arpaste", "http"),
        LINK.to_uri().replace("v=1", "v=2"),
        LINK.to_uri().replace("&t=", "&x="),
        LINK.to_uri().replace("&f=q6", "&f="),
        LINK.to_uri().replace(":8765", ":99999"),
        LINK.to_uri().replace(":8765", ""),
        LINK.to_uri().replace("/p?", "/q?"),
        "arpaste://[::1",
    ],
)
def test_what_is_no_link_of_ours_is_refused(uri: str) -> None:
    with pytest.raises(PairingLinkInvalid):
        PairingLink.from_uri(uri)


def test_tokens_and_keys_are_long_and_never_the_same() -> None:
    assert len(new_token()) == 22
    assert len(new_key()) == 43
    assert len({new_key() for _ in range(50)}) == 50


def test_a_hash_tells_keys_apart() -> None:
    assert key_hash("a") != key_hash("b")
    assert len(key_hash("a")) == 64


def test_a_fingerprint_is_the_sha256_of_the_certificate() -> None:
    assert certificate_sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "abc"])
def test_a_header_without_a_key_has_none(header: str | None) -> None:
    assert bearer_key(header) == ""


def test_a_key_survives_its_header() -> None:
    assert bearer_key(bearer("abc")) == "abc"
