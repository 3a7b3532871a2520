"""`python -m segmentation_server` starts the server."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from http_server.listener import Address, Listener
from protocol.errors import CopyPasteError
from segmentation_server.app import create_app
from segmentation_server.model.engines import load_engine
from segmentation_server.segmenter import Segment, Segmenter
from segmentation_server.settings import Settings, read_api_key

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl+C or SIGTERM; 2 if it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: os._exit(0))  # before it listens there is nothing to tidy up
    try:
        _serve(read_settings(arguments))
    except CopyPasteError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except Exception as error:
        log.debug("The server stopped.", exc_info=error)
        print(f"The segmentation server stopped: {error}", file=sys.stderr)
        return 2
    return 0


def read_settings(arguments: Sequence[str] | None) -> Settings:
    """Settings from the command line.

    Raises:
        SettingsInvalid: they do not fit together.
    """
    parser = argparse.ArgumentParser(prog="python -m segmentation_server", description="Cuts objects out of photos.")
    parser.add_argument("--host", default=Settings.host, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=Settings.port, help="0 takes any free one (%(default)s)")
    parser.add_argument("--api-key-file", type=Path, help="file with the key that callers must send")
    parser.add_argument("--certificate", type=Path, help="PEM file; turns TLS on")
    parser.add_argument("--private-key", type=Path, help="PEM file of the certificate's key")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="another model: .onnx; .safetensors or .pth with the extra `torch`; .param with `ncnn`",
    )
    parser.add_argument("--max-body-bytes", type=int, default=Settings.max_body_bytes, help="(%(default)s)")
    parser.add_argument("--max-pixels", type=int, default=Settings.max_pixels, help="of a photo (%(default)s)")
    parser.add_argument("--threads", type=int, default=Settings.threads, help="cores for the model (%(default)s)")
    options = vars(parser.parse_args(arguments))
    key_file = options.pop("api_key_file")
    return Settings(api_key=read_api_key(key_file) if key_file else None, **options)


def _serve(settings: Settings) -> None:
    segment = Segmenter(load_engine(settings.checkpoint, settings.threads))
    is_warm = threading.Event()
    address = Address(settings.host, settings.port, settings.certificate, settings.private_key)
    listener = Listener(create_app(segment, settings, is_warm.is_set), address)
    try:
        print(f"Segmentation server ready at {listener.url}", flush=True)
        # Native code dies badly in a daemon thread.
        threading.Thread(target=_warm_up, args=(segment, is_warm, listener)).start()
        listener.serve_until_stopped()
    finally:
        listener.stop()  # its threads would outlive an error


def _warm_up(segment: Segment, is_warm: threading.Event, listener: Listener) -> None:
    """The first run of a model is slow; it happens before the first photo."""
    try:
        segment(np.zeros((64, 64, 3), np.uint8))
        is_warm.set()
    except Exception as error:
        listener.interrupt = error  # serve() raises it


if __name__ == "__main__":
    sys.exit(main())
