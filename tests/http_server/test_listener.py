import io

import pytest

from http_server.listener import ChunkedBody


def test_chunks_are_read_in_small_pieces() -> None:
    body = ChunkedBody(io.BytesIO(b"5;name=x\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\nnext"))

    assert body.read(3) == b"hel"
    assert body.read() == b"lo world"
    assert body.read(1) == b""
    assert body.is_read


@pytest.mark.parametrize(
    "encoded", [b"", b"5\r\nhel", b"5\r\nhello world\r\n", b"-1\r\n", b"0x5\r\nhello\r\n", b"\r\n"]
)
def test_broken_chunks_are_errors(encoded: bytes) -> None:
    with pytest.raises(OSError, match="chunk"):
        ChunkedBody(io.BytesIO(encoded)).readall()
