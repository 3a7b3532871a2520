"""The desktop portals of Wayland: what the user consents to share of screens, input and clipboard, over D-Bus.

After the interfaces RemoteDesktop 2, ScreenCast 4 and Clipboard 1 of xdg-desktop-portal. docs/platforms.md says what
was run.
"""

import contextlib
import io
import itertools
import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np
from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.threading import DBusRouter, RouterClosed
from PIL import Image

from desktop_agent.pictures import Cutout
from desktop_agent.screenshot import Screenshot
from protocol.errors import DesktopUnavailable, PermissionMissing
from protocol.geometry import ScreenPoint

DESKTOP = ("/org/freedesktop/portal/desktop", "org.freedesktop.portal.Desktop")
REMOTE_DESKTOP = "org.freedesktop.portal.RemoteDesktop"
SCREEN_CAST = "org.freedesktop.portal.ScreenCast"
CLIPBOARD = "org.freedesktop.portal.Clipboard"
KEYBOARD, POINTER, MONITOR, UNTIL_REVOKED = 1, 2, 1, 2
PNG = "image/png"

CALL_S, CONSENT_S = 10.0, 180.0  # for a program to answer, for a person
FRAME_S = 5.0
PACKAGES = "gstreamer1.0-tools, gstreamer1.0-pipewire and gstreamer1.0-plugins-good"
MOST_BYTES = 256 * 2**20  # of one format of the clipboard; more is not kept

LEFT_BUTTON = 0x110  # BTN_LEFT of linux/input-event-codes.h
DRAG_STEPS, DRAG_STEP_S = 12, 0.02  # editors follow a pointer, they do not expect it to jump
# X.Org's keysymdef.h; the keysym of a Latin-1 character is its code.
KEYSYMS = {"ctrl": 0xFFE3, "shift": 0xFFE1, "alt": 0xFFE9, "enter": 0xFF0D, "esc": 0xFF1B, "tab": 0xFF09}
KEYSYMS |= {"left": 0xFF51, "up": 0xFF52, "right": 0xFF53, "down": 0xFF54, "delete": 0xFFFF, "backspace": 0xFF08}
KEYSYMS |= {"space": 0x20, **{f"f{number}": 0xFFBD + number for number in range(1, 13)}}


class Portal:
    """The portals' side of a D-Bus connection."""

    def __init__(self, router: DBusRouter) -> None:
        """Args: router: of a connection to the session bus that takes file descriptors."""
        self._router = router
        self._count = itertools.count(1)

    def call(self, interface: str, method: str, signature: str, *arguments: Any) -> tuple[Any, ...]:
        """Call a method.

        Raises:
            DesktopUnavailable: there is no such portal, or it refuses.
        """
        address = DBusAddress(*DESKTOP, interface=interface)
        return call(self._router, new_method_call(address, method, signature, arguments))

    def request(self, interface: str, method: str, signature: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Call a method whose answer comes as a signal, perhaps only after the user was asked.

        Args:
            interface: of the portal.
            method: its name.
            signature: of the arguments and the options.
            arguments: what goes before the options.
            options: each a signature and a value, as D-Bus has variants.

        Raises:
            PermissionMissing: the user said no, or nothing.
            DesktopUnavailable: there is no such portal, or it refuses.
        """
        token = f"ar_copy_paste_{os.getpid()}_{next(self._count)}"
        sender = self._router.unique_name.removeprefix(":").replace(".", "_")
        path = f"{DESKTOP[0]}/request/{sender}/{token}"
        with self.signals("org.freedesktop.portal.Request", "Response", path=path) as answers:
            self.call(interface, method, signature, *arguments, {**options, "handle_token": ("s", token)})
            try:
                response, results = answers.get(timeout=CONSENT_S).body
            except Empty:
                raise PermissionMissing("Nobody answered the question whether this desktop may be shared.") from None
        if response != 0:
            raise PermissionMissing("The question whether this desktop may be shared was answered with no.")
        return {name: value for name, (_signature, value) in results.items()}

    @contextlib.contextmanager
    def signals(self, interface: str, name: str, path: str | None = None) -> "Iterator[Queue[Message]]":
        """Those that the portal sends from now on; they are subscribed to before anything is called."""
        rule = MatchRule(type="signal", interface=interface, member=name, path=path)
        call(self._router, message_bus.AddMatch(rule))
        received: Queue[Message] = Queue()
        try:
            with self._router.filter(rule, queue=received):
                yield received
        finally:
            with contextlib.suppress(DesktopUnavailable):  # the connection may have ended
                call(self._router, message_bus.RemoveMatch(rule))


def call(router: DBusRouter, message: Message) -> tuple[Any, ...]:
    """Send a method call and wait for what it returns.

    Raises:
        DesktopUnavailable: nobody answers, or with an error.
    """
    try:
        reply = router.send_and_get_reply(message, timeout=CALL_S)
    except (OSError, TimeoutError, RouterClosed, KeyError) as error:  # the last: jeepney's own, for RouterClosed
        raise DesktopUnavailable("The desktop's session bus does not answer.") from error
    if reply.header.message_type == MessageType.error:
        raise DesktopUnavailable(f"({DBusErrorResponse(reply)})")
    return tuple(reply.body)


@dataclass(frozen=True)
class Stream:
    """One monitor that the user shares."""

    node: int  # of PipeWire
    left: int  # on the desktop, in points
    top: int
    width: int
    height: int

    def contains(self, point: ScreenPoint) -> bool:
        """Whether this monitor shows that point."""
        return -0.5 <= point.x - self.left < self.width - 0.5 and -0.5 <= point.y - self.top < self.height - 0.5


@dataclass(frozen=True)
class Session:
    """What the user consented to."""

    path: str
    streams: Sequence[Stream]


def create_session(portal: Portal) -> str:
    """The path of a session in which nothing is shared yet.

    Raises:
        DesktopUnavailable: this desktop has no such portal.
    """
    token = f"ar_copy_paste_{os.getpid()}"
    created = portal.request(REMOTE_DESKTOP, "CreateSession", "a{sv}", session_handle_token=("s", token))
    return str(created["session_handle"])


def start_session(portal: Portal, path: str, token_file: Path) -> Session:
    """Ask the user to share the monitors, the keyboard and the pointer; only once, if the desktop remembers.

    Args:
        portal: the portals.
        path: of the session.
        token_file: what the desktop knows the consent by; good once, and replaced by the next.

    Raises:
        PermissionMissing: the user did not consent, or not to all of it.
        DesktopUnavailable: a portal refuses.
    """
    devices: dict[str, Any] = {"types": ("u", KEYBOARD | POINTER), "persist_mode": ("u", UNTIL_REVOKED)}
    with contextlib.suppress(FileNotFoundError):
        devices["restore_token"] = ("s", token_file.read_text())
    portal.request(REMOTE_DESKTOP, "SelectDevices", "oa{sv}", path, **devices)
    portal.request(SCREEN_CAST, "SelectSources", "oa{sv}", path, types=("u", MONITOR), multiple=("b", True))
    started = portal.request(REMOTE_DESKTOP, "Start", "osa{sv}", path, "")
    if token := started.get("restore_token"):
        token_file.parent.mkdir(parents=True, exist_ok=True)
        token_file.touch(mode=0o600)
        token_file.write_text(token)
    streams = [_stream(node, properties) for node, properties in started.get("streams", ())]
    if started.get("devices", 0) & (KEYBOARD | POINTER) != KEYBOARD | POINTER or not streams:
        raise PermissionMissing("Share the monitor and allow remote interaction when the desktop asks.")
    return Session(path, streams)


def _stream(node: int, properties: Mapping[str, tuple[str, Any]]) -> Stream:
    _, (left, top) = properties.get("position", ("(ii)", (0, 0)))
    if "size" not in properties:  # the interface leaves it optional
        raise DesktopUnavailable("The desktop does not say how large the shared monitor is.")
    _, (width, height) = properties["size"]
    return Stream(node, left, top, width, height)


class PortalScreens:
    """What the shared monitors show, one PipeWire frame each, fetched by GStreamer."""

    def __init__(self, portal: Portal, session: Session) -> None:
        """Args: portal: the portals. session: what the user consented to."""
        self._portal = portal
        self._session = session

    def take(self) -> list[Screenshot]:
        """Every shared monitor's screenshot, taken now."""
        with ThreadPoolExecutor() as threads:
            return list(threads.map(self._take_one, self._session.streams))

    def _take_one(self, stream: Stream) -> Screenshot:
        (remote,) = self._portal.call(SCREEN_CAST, "OpenPipeWireRemote", "oa{sv}", self._session.path, {})
        with remote:  # each fetch needs a connection of its own
            frame = self._fetch(remote.fileno(), stream.node)
        try:
            picture = Image.open(io.BytesIO(frame), formats=["PNG"]).convert("RGB")
        except OSError as error:
            raise DesktopUnavailable(f"PipeWire gave no picture of the screen. Are {PACKAGES} installed?") from error
        return Screenshot(np.asarray(picture), stream.left, stream.top, picture.width / stream.width)

    def _fetch(self, remote: int, node: int) -> bytes:
        source = ["pipewiresrc", f"fd={remote}", f"path={node}", "num-buffers=1"]
        png = ["pngenc", "snapshot=true", "compression-level=1"]
        command = ["gst-launch-1.0", "--quiet", *source, "!", "videoconvert", "!", *png, "!", "fdsink", "fd=1"]
        try:
            done = subprocess.run(command, pass_fds=[remote], capture_output=True, timeout=FRAME_S, check=False)
        except FileNotFoundError as error:
            raise DesktopUnavailable(f"Install {PACKAGES}, which fetch the screen's picture.") from error
        except subprocess.TimeoutExpired as error:
            raise DesktopUnavailable("PipeWire sent no picture of the screen in time.") from error
        return done.stdout


class PortalInput:
    """The keyboard and the pointer. Wayland tells nobody which modifiers the user holds, or where the pointer is."""

    command_key = "ctrl"

    def __init__(self, portal: Portal, session: Session) -> None:
        """Args: portal: the portals. session: what the user consented to."""
        self._portal = portal
        self._session = session

    def press(self, *keys: str) -> None:
        """Press keys together."""
        keysyms = [KEYSYMS[key] if key in KEYSYMS else ord(key) for key in keys]
        for keysym in keysyms:
            self._notify("Keyboard", "Keysym", "iu", keysym, 1)
        for keysym in reversed(keysyms):
            self._notify("Keyboard", "Keysym", "iu", keysym, 0)

    def pointer(self) -> None:
        """Nobody may ask."""

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let it hover there."""
        stream = next((stream for stream in self._session.streams if stream.contains(point)), None)
        if stream is None:
            raise PermissionMissing("The monitor aimed at is not shared.")
        # Half a point, because a pixel's centre lies half a pixel from its corner.
        self._notify("Pointer", "MotionAbsolute", "udd", stream.node, *_within(stream, point))

    def click(self, point: ScreenPoint) -> None:
        """Click once."""
        self.move_pointer(point)
        self._button(is_down=True)
        self._button(is_down=False)

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Drag in small steps."""
        self.move_pointer(start)
        self._button(is_down=True)
        try:
            for step in range(1, DRAG_STEPS + 1):
                time.sleep(DRAG_STEP_S)
                share = step / DRAG_STEPS
                self.move_pointer(ScreenPoint(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)))
        finally:
            self._button(is_down=False)

    def _button(self, *, is_down: bool) -> None:
        self._notify("Pointer", "Button", "iu", LEFT_BUTTON, int(is_down))

    def _notify(self, device: str, what: str, signature: str, *values: float) -> None:
        path = self._session.path
        self._portal.call(REMOTE_DESKTOP, f"Notify{device}{what}", f"oa{{sv}}{signature}", path, {}, *values)


def _within(stream: Stream, point: ScreenPoint) -> tuple[float, float]:
    return point.x - stream.left + 0.5, point.y - stream.top + 0.5


Contents = dict[str, bytes]  # by MIME type


class PortalClipboard:
    """The clipboard; what was there is kept in every format that it had."""

    def __init__(self, portal: Portal, session: str) -> None:
        """Ask for it; serve those who paste, and hear of what others copy, each in a thread of its own.

        Args:
            portal: the portals.
            session: the path of one that has not started, because the desktop tells what is there as it starts.
        """
        self._portal = portal
        self._session = session
        self._own: Contents = {}
        self._formats: Sequence[str] = ()  # that another program offers
        self._is_own = False
        self._is_shared = True
        try:
            portal.call(CLIPBOARD, "RequestClipboard", "oa{sv}", session, {})
        except DesktopUnavailable:  # an old portal; whoever copies will be told
            self._is_shared = False
        for name, answer in (("SelectionTransfer", self._give), ("SelectionOwnerChanged", self._note)):
            is_listening = threading.Event()
            threading.Thread(target=self._listen, args=(name, answer, is_listening), daemon=True).start()
            is_listening.wait(CALL_S)

    def copy(self, cutout: Cutout) -> None:
        """Offer a cutout."""
        png = io.BytesIO()
        Image.fromarray(cutout, "RGBA").save(png, "PNG", compress_level=1)
        self._offer({PNG: png.getvalue()})

    def save(self) -> Contents:
        """What is there, as far as the desktop has told of it since the agent started."""
        if self._is_own:
            return self._own
        contents = ((mime_type, self._read(mime_type)) for mime_type in self._formats)
        return {mime_type: content for mime_type, content in contents if content is not None}

    def restore(self, saved: Contents) -> None:
        """Offer it again."""
        self._offer(saved)

    def _offer(self, contents: Contents) -> None:
        if not self._is_shared:
            raise DesktopUnavailable("This desktop's portals share no clipboard; newer ones do.")
        self._own = contents
        self._is_own = True
        offered = {"mime_types": ("as", list(contents))}
        self._portal.call(CLIPBOARD, "SetSelection", "oa{sv}", self._session, offered)

    def _read(self, mime_type: str) -> bytes | None:
        (pipe,) = self._portal.call(CLIPBOARD, "SelectionRead", "os", self._session, mime_type)
        content = bytearray()
        with pipe.to_file("rb", buffering=0) as file:
            while select.select([file], [], [], CALL_S)[0]:
                piece = file.read(65536)
                content += piece
                if not piece:
                    return bytes(content)
                if len(content) > MOST_BYTES:
                    break
        return None  # its owner does not answer, or has more than can be kept

    def _listen(self, name: str, answer: Any, is_listening: threading.Event) -> None:
        with self._portal.signals(CLIPBOARD, name) as received:
            is_listening.set()
            while True:
                session, *details = received.get().body
                if session == self._session:
                    with contextlib.suppress(DesktopUnavailable, OSError):  # who pastes may have gone meanwhile
                        answer(*details)

    def _note(self, options: Mapping[str, tuple[str, Any]]) -> None:
        _, self._is_own = options.get("session_is_owner", ("b", False))
        _, self._formats = options.get("mime_types", ("as", ()))

    def _give(self, mime_type: str, serial: int) -> None:
        content = self._own.get(mime_type)
        if content is not None:
            (pipe,) = self._portal.call(CLIPBOARD, "SelectionWrite", "ou", self._session, serial)
            with pipe.to_file("wb") as file:
                file.write(content)
        is_given = content is not None
        self._portal.call(CLIPBOARD, "SelectionWriteDone", "oub", self._session, serial, is_given)
