"""`python -m desktop_agent`: pair phones, and paste what they send."""

import contextlib
import logging
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from platformdirs import user_pictures_path

from desktop_agent.aim import Aims
from desktop_agent.app import Introduction, create_app
from desktop_agent.certificate import Certificate, load_or_make_certificate
from desktop_agent.control import Control
from desktop_agent.desktop import local_desktop
from desktop_agent.devices import PairedDevices
from desktop_agent.find import PointFinder
from desktop_agent.journal import Journal
from desktop_agent.live import LiveDesktop
from desktop_agent.locate import see
from desktop_agent.notification import notify
from desktop_agent.one_thread import keep_to_one_thread
from desktop_agent.overlay import PROGRAM, Overlay
from desktop_agent.oversight import Oversight
from desktop_agent.pairing_offer import PairingOffer, reachable_host
from desktop_agent.paste import Paster
from desktop_agent.platforms import local_platform
from desktop_agent.recent_screens import RecentScreens
from desktop_agent.server_process import ServerProcess
from desktop_agent.settings import SERVER_PORT, Settings, parse
from http_server.listener import Address, Listener, check_port_is_free
from protocol.errors import CopyPasteError
from protocol.messages import ServerAddress
from protocol.pairing import TOKEN_LIFETIME_S, PairingLink

SERVER_CHECK_S = 2.0
FOLDER = "AR Copy & Paste"  # of the user's pictures, for cutouts that no editor took
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
    keep_to_one_thread()
    check_port_is_free(settings.host, settings.port)
    platform = local_platform(settings.data_dir)
    platform.take_screenshots()  # says so now if there is no desktop, rather than when somebody pastes
    can_mark = platform.name in ("X11", "Windows", "macOS")
    overlay = Overlay(platform.take_screenshots, PROGRAM if can_mark and settings.shows_marks else None)
    platform = replace(platform, take_screenshots=overlay.take_clean_screenshots)
    desktop = local_desktop(platform, settings.photoshop_password)
    journal = Journal(settings.data_dir / "pasting.json")
    if told := journal.tell_unknown():
        print(told, flush=True)

    finder = PointFinder(RecentScreens(platform.take_screenshots), Aims(see), overlay)
    pictures_dir = user_pictures_path() / FOLDER
    paster = Paster(desktop, finder.find, journal=journal, pictures_dir=pictures_dir, notify=notify)
    live = LiveDesktop(paster, finder, overlay, desktop.editor_at, lambda line: print(line, flush=True))
    certificate = load_or_make_certificate(settings.data_dir, settings.computer_name)
    devices = PairedDevices(settings.data_dir / "devices.json")
    with contextlib.ExitStack() as stack:
        stack.callback(overlay.close)
        server = start_server(settings, certificate, stack)
        enters: queue.Queue[None] = queue.Queue()  # each asks for a fresh code
        oversight = Oversight(live, devices, settings.computer_name, want_code=lambda: enters.put(None))
        app = create_app(oversight, devices, Introduction(settings.computer_name, server))
        address = Address(settings.host, settings.port, certificate.file, certificate.private_key_file)
        listener = Listener(app, address)
        print(f"Desktop agent ready at https://{reachable_host(settings.host)}:{listener.bind_addr[1]}", flush=True)

        def new_link() -> PairingLink:
            host, port = reachable_host(settings.host), int(listener.bind_addr[1])
            return PairingLink(host, port, certificate.sha256, devices.offer_token())

        offer = PairingOffer(sys.stdout, show_in_control(oversight, settings, stack))
        threading.Thread(target=offer_pairing, args=(offer, new_link, devices, enters), daemon=True).start()
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


def show_in_control(
    oversight: Oversight, settings: Settings, stack: contextlib.ExitStack
) -> Callable[[str | None], None]:
    """What shows a link in the control window, which is opened now and for each, and ends with `stack`."""
    control = Control(oversight.look, oversight.act)
    oversight.watch(control.refresh)
    stack.callback(control.close)
    if settings.shows_window:
        control.open()

    def show(link: str | None) -> None:
        oversight.show_link(link)
        if link and settings.shows_window:
            control.open()

    return show


def offer_pairing(
    offer: PairingOffer, new_link: Callable[[], PairingLink], devices: PairedDevices, enters: "queue.Queue[None]"
) -> None:
    """Show a code if no phone is paired yet, and a fresh one at each Enter."""
    threading.Thread(target=wait_for_enter, args=(enters,), daemon=True).start()
    paired = ", ".join(devices.names_by_device().values())
    told = f"Paired with {paired}." if paired else offer_once(offer, new_link(), devices)
    while True:
        print(told, "Press Enter to show a fresh code for another phone.", flush=True)
        while not enters.empty():  # those typed before they were asked for
            enters.get()
        enters.get()
        told = offer_once(offer, new_link(), devices)


def offer_once(offer: PairingOffer, link: PairingLink, devices: PairedDevices) -> str:
    """Show a code until a phone has used it or it has expired; what to tell of it."""
    offer.show(link)
    name = devices.wait_until_paired(TOKEN_LIFETIME_S)
    offer.withdraw()
    return f"Paired with {name}." if name else "The code has expired."


def wait_for_enter(enters: "queue.Queue[None]") -> None:
    """Note each line typed."""
    for _line in sys.stdin:
        enters.put(None)


if __name__ == "__main__":
    sys.exit(main())
