"""`python -m desktop_agent`: pair phones, and paste what they send."""

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from desktop_agent.app import Introduction, create_app
from desktop_agent.certificate import Certificate, load_or_make_certificate
from desktop_agent.devices import PairedDevices
from desktop_agent.editors import Editor
from desktop_agent.editors.under_pointer import PastesUnderPointer
from desktop_agent.live import LiveDesktop
from desktop_agent.locate import FoundPoint, find_screen_point
from desktop_agent.pairing_offer import PairingOffer, reachable_host
from desktop_agent.paste import Desktop, Paster
from desktop_agent.pictures import Picture
from desktop_agent.platforms import local_platform
from desktop_agent.ready_screen import make_ready
from desktop_agent.server_process import ServerProcess
from desktop_agent.settings import SERVER_PORT, Settings, parse
from http_server.listener import Address, Listener, check_port_is_free
from protocol.errors import CopyPasteError
from protocol.geometry import ScreenPoint
from protocol.messages import ServerAddress
from protocol.pairing import TOKEN_LIFETIME_S, PairingLink

SERVER_CHECK_S = 2.0
log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl+C or SIGTERM; 2 if it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C does
    try:
        run(parse(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        return 0
    except CopyPasteError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except Exception as error:
        log.debug("The agent stopped.", exc_info=error)
        print(f"The agent stopped: {error}", file=sys.stderr)
        return 2
    return 0


def run(settings: Settings) -> None:
    """Build everything, then wait for phones."""
    spare_xlib_a_missing_file()
    check_port_is_free(settings.host, settings.port)
    platform = local_platform(settings.data_dir)
    platform.take_screenshots()  # says so now if there is no desktop, rather than when somebody pastes

    def editor_at(point: ScreenPoint) -> Editor:
        return PastesUnderPointer(platform.windows.at(point), platform.windows)

    def find_point(view: Picture) -> FoundPoint:
        return find_screen_point(view, [make_ready(screenshot) for screenshot in platform.take_screenshots()])

    paster = Paster(Desktop(platform.take_screenshots, editor_at), lambda view, _request: find_point(view))
    live = LiveDesktop(paster, find_point, editor_at, lambda line: print(line, flush=True))
    certificate = load_or_make_certificate(settings.data_dir, settings.computer_name)
    devices = PairedDevices(settings.data_dir / "devices.json")
    with contextlib.ExitStack() as stack:
        server = start_server(settings, certificate, stack)
        app = create_app(live, devices, Introduction(settings.computer_name, server))
        address = Address(settings.host, settings.port, certificate.file, certificate.private_key_file)
        listener = Listener(app, address)
        print(f"Desktop agent ready at https://{reachable_host(settings.host)}:{listener.bind_addr[1]}", flush=True)
        threading.Thread(target=offer_pairing, args=(settings, listener, certificate, devices), daemon=True).start()
        listener.serve_until_stopped()


def start_server(settings: Settings, certificate: Certificate, stack: contextlib.ExitStack) -> ServerAddress:
    """The segmentation server that phones are sent to: the given one, or one started here that ends with `stack`."""
    if settings.server_url:
        return ServerAddress(settings.server_url, settings.server_api_key, None)
    server = ServerProcess(settings.host, SERVER_PORT, certificate, settings.data_dir)
    stack.callback(server.stop)
    address = server.wait_until_listening()
    is_stopping = threading.Event()
    stack.callback(is_stopping.set)
    threading.Thread(target=watch_server, args=(server, is_stopping), daemon=True).start()
    return address


def watch_server(server: ServerProcess, is_stopping: threading.Event) -> None:
    """Say so if the segmentation server ends by itself; pasting still works without it."""
    while not server.has_ended():
        if is_stopping.wait(SERVER_CHECK_S):
            return
    print("The segmentation server has stopped, so nothing can be copied. Start the agent again.", file=sys.stderr)


def offer_pairing(settings: Settings, listener: Listener, certificate: Certificate, devices: PairedDevices) -> None:
    """Show a code until a phone has used it or it has expired; after that, Enter shows a fresh one."""
    offer = PairingOffer(sys.stdout, shows_window=settings.shows_window)
    enters: queue.Queue[None] = queue.Queue()
    threading.Thread(target=wait_for_enter, args=(enters,), daemon=True).start()
    while True:
        port = int(listener.bind_addr[1])
        offer.show(PairingLink(reachable_host(settings.host), port, certificate.sha256, devices.offer_token()))
        name = devices.wait_until_paired(TOKEN_LIFETIME_S)
        offer.withdraw()
        what = f"Paired with {name}." if name else "The code has expired."
        print(what, "Press Enter to show a fresh code for another phone.", flush=True)
        while not enters.empty():  # those typed before they were asked for
            enters.get()
        enters.get()


def wait_for_enter(enters: "queue.Queue[None]") -> None:
    """Note each line typed."""
    for _line in sys.stdin:
        enters.put(None)


def spare_xlib_a_missing_file() -> None:
    """Old releases of Xlib fail where there is no file of display secrets, though a display may need none."""
    if not Path(os.environ.get("XAUTHORITY", "~/.Xauthority")).expanduser().exists():
        os.environ["XAUTHORITY"] = os.devnull


if __name__ == "__main__":
    sys.exit(main())
