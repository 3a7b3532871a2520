"""A private session bus with a fake of xdg-desktop-portal and of KWin, which check every message they get.

What they take and answer is what the portals' interface files and KWin's scripting page say; another signature, option
or order is an error, as it is there.
"""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

import dukpy
from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

DESKTOP = "/org/freedesktop/portal/desktop"
PORTAL = "org.freedesktop.portal"
SIGNATURES = {
    f"{PORTAL}.RemoteDesktop.CreateSession": "a{sv}",
    f"{PORTAL}.RemoteDesktop.SelectDevices": "oa{sv}",
    f"{PORTAL}.RemoteDesktop.Start": "osa{sv}",
    f"{PORTAL}.RemoteDesktop.NotifyPointerMotionAbsolute": "oa{sv}udd",
    f"{PORTAL}.RemoteDesktop.NotifyPointerButton": "oa{sv}iu",
    f"{PORTAL}.RemoteDesktop.NotifyKeyboardKeysym": "oa{sv}iu",
    f"{PORTAL}.ScreenCast.SelectSources": "oa{sv}",
    f"{PORTAL}.ScreenCast.OpenPipeWireRemote": "oa{sv}",
    f"{PORTAL}.Clipboard.RequestClipboard": "oa{sv}",
    f"{PORTAL}.Clipboard.SetSelection": "oa{sv}",
    f"{PORTAL}.Clipboard.SelectionRead": "os",
    f"{PORTAL}.Clipboard.SelectionWrite": "ou",
    f"{PORTAL}.Clipboard.SelectionWriteDone": "oub",
    "org.kde.kwin.Scripting.loadScript": "ss",
    "org.kde.kwin.Scripting.unloadScript": "s",
    "org.kde.kwin.Script.run": "",
}
OPTIONS = {  # the type of each option that a method knows
    "CreateSession": {"handle_token": "s", "session_handle_token": "s"},
    "SelectDevices": {"handle_token": "s", "types": "u", "restore_token": "s", "persist_mode": "u"},
    "SelectSources": {"handle_token": "s", "types": "u", "multiple": "b", "cursor_mode": "u"},
    "Start": {"handle_token": "s"},
    "SetSelection": {"mime_types": "as"},
}
# No services are started by themselves here, and everybody may talk to everybody.
BUS = """<busconfig>
<type>session</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>"""


class Refused(Exception):
    """What the service answers with."""


@contextlib.contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """A bus of its own; its address."""
    config = folder / "bus.conf"
    config.write_text(BUS.format(folder=folder))
    command = ["dbus-daemon", f"--config-file={config}", "--print-address", "--nofork", "--nopidfile"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout
        try:
            yield daemon.stdout.readline().strip()
        finally:
            daemon.terminate()


class Service:
    """A name on a bus that answers calls of its methods, named as they are, until the bus ends."""

    def __init__(self, address: str, name: str) -> None:
        self.bus: DBusConnection = open_dbus_connection(address, enable_fds=True)
        self.bus.send_and_get_reply(message_bus.RequestName(name))
        self.log: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while True:
                message = self.bus.receive()
                if message.header.message_type == MessageType.method_call:
                    self._answer(message)

    def _answer(self, message: Message) -> None:
        fields = message.header.fields
        interface, method = fields[HeaderFields.interface], fields[HeaderFields.member]
        try:
            expected = SIGNATURES.get(f"{interface}.{method}")
            given = fields.get(HeaderFields.signature, "")
            if given != expected:
                raise Refused(f"{interface}.{method} takes {expected}, not {given}")
            self.check(method, message)
            signature, *values = getattr(self, method)(message, *message.body) or ("",)
            self.bus.send(new_method_return(message, signature or None, tuple(values)))
            if signature == "h":
                os.close(values[0])  # the message has a copy of it
        except (Refused, AssertionError) as refusal:
            self.bus.send(new_error(message, "org.freedesktop.DBus.Error.Failed", "s", (str(refusal),)))
        self.afterwards()

    def check(self, method: str, message: Message) -> None:
        """What holds for every method."""

    def afterwards(self) -> None:
        """What is sent once the call has returned."""


@dataclass
class Monitor:
    node: int
    position: tuple[int, int]
    size: tuple[int, int]


class FakePortal(Service):
    """The desktop's portal, and the person who is asked."""

    def __init__(self, address: str, monitors: list[Monitor]) -> None:
        self.monitors = monitors
        self.consents = True
        self.has_clipboard = True
        self.devices = 3
        self.clipboard: dict[str, bytes] = {}
        self.token = ""  # that restores a session
        self.asked = 0
        self.session = ""
        self.steps: list[str] = []
        self.chosen: dict[str, Any] = {}
        self.offered: list[str] | None = None  # by the session
        self.later: list[Message] = []
        self.given: Queue[bytes | None] = Queue()
        self.pipes: dict[int, Future[bytes]] = {}
        self.threads = ThreadPoolExecutor()
        super().__init__(address, f"{PORTAL}.Desktop")

    def check(self, method: str, message: Message) -> None:
        if method != "CreateSession" and message.body[0] != self.session:
            raise Refused("no such session")
        for options in (value for value in message.body if isinstance(value, dict)):
            for name, (signature, _value) in options.items():
                if OPTIONS.get(method, {}).get(name) != signature:
                    raise Refused(f"{method} has no option {name} of type {signature}")

    def afterwards(self) -> None:
        while self.later:
            self.bus.send(self.later.pop(0))

    # --- sessions ---

    def CreateSession(self, message: Message, options: dict[str, Any]) -> Any:
        sender = message.header.fields[HeaderFields.sender].removeprefix(":").replace(".", "_")
        self.session = f"{DESKTOP}/session/{sender}/{options['session_handle_token'][1]}"
        self.steps = ["created"]
        return self._request(message, options, 0, {"session_handle": ("s", self.session)})

    def SelectDevices(self, message: Message, session: str, options: dict[str, Any]) -> Any:
        self._step("devices", before="sources")
        self.chosen = options
        return self._request(message, options, 0, {})

    def SelectSources(self, message: Message, session: str, options: dict[str, Any]) -> Any:
        self._step("sources", before="started")
        assert options["types"] == ("u", 1)
        assert options["multiple"] == ("b", True)
        return self._request(message, options, 0, {})

    def RequestClipboard(self, message: Message, session: str, options: dict[str, Any]) -> None:
        if not self.has_clipboard:
            raise Refused("no such interface")
        self._step("clipboard", before="started")

    def Start(self, message: Message, session: str, parent: str, options: dict[str, Any]) -> Any:
        if not {"devices", "sources"} <= set(self.steps):
            raise Refused("nothing was selected")
        self._step("started", before="started")
        if self.chosen.get("restore_token", ("s", None))[1] != self.token or not self.token:
            self.asked += 1
        if not self.consents:
            return self._request(message, options, 1, {})
        self.token = f"token {self.asked} {os.urandom(4).hex()}"  # each is good once
        streams = [
            (monitor.node, {"position": ("(ii)", monitor.position), "size": ("(ii)", monitor.size)})
            for monitor in self.monitors
        ]
        answer = self._request(
            message,
            options,
            0,
            {
                "devices": ("u", self.devices),
                "streams": ("a(ua{sv})", streams),
                "restore_token": ("s", self.token),
                "clipboard_enabled": ("b", "clipboard" in self.steps),
            },
        )
        self._tell_owner(list(self.clipboard), is_session=False)
        return answer

    # --- input ---

    def NotifyPointerMotionAbsolute(
        self, m: Message, session: str, options: Any, node: int, x: float, y: float
    ) -> None:
        monitor = next((monitor for monitor in self.monitors if monitor.node == node), None)
        if monitor is None or not (0 <= x <= monitor.size[0] and 0 <= y <= monitor.size[1]):
            raise Refused("invalid position")
        self._input(f"pointer {node} {x} {y}")

    def NotifyPointerButton(self, m: Message, session: str, options: Any, button: int, state: int) -> None:
        self._input(f"button {button:#x} {state}")

    def NotifyKeyboardKeysym(self, m: Message, session: str, options: Any, keysym: int, state: int) -> None:
        self._input(f"key {keysym:#x} {state}")

    # --- screens ---

    def OpenPipeWireRemote(self, message: Message, session: str, options: Any) -> Any:
        reading, writing = os.pipe()
        os.write(writing, b"pipewire")
        os.close(writing)
        return "h", reading

    # --- clipboard ---

    def SetSelection(self, message: Message, session: str, options: dict[str, Any]) -> None:
        if "clipboard" not in self.steps:
            raise Refused("no clipboard was asked for")
        self.offered = options["mime_types"][1]
        self._tell_owner(self.offered, is_session=True)

    def SelectionRead(self, message: Message, session: str, mime_type: str) -> Any:
        content = self.clipboard[mime_type]
        reading, writing = os.pipe()
        self.threads.submit(_write, writing, content)
        return "h", reading

    def SelectionWrite(self, message: Message, session: str, serial: int) -> Any:
        reading, writing = os.pipe()
        self.pipes[serial] = self.threads.submit(_read, reading)
        return "h", writing

    def SelectionWriteDone(self, message: Message, session: str, serial: int, success: bool) -> None:
        self.given.put(self.pipes.pop(serial).result(timeout=10) if success else None)

    def paste(self, mime_type: str, serial: int = 7) -> bytes | None:
        """What another program gets that pastes."""
        self.bus.send(self._signal("Clipboard", "SelectionTransfer", "osu", self.session, mime_type, serial))
        return self.given.get(timeout=10)

    # --- the fake's own ---

    def _step(self, step: str, before: str) -> None:
        if step in self.steps or before in self.steps:
            raise Refused(f"{step} after {self.steps}")
        self.steps.append(step)

    def _input(self, line: str) -> None:
        if "started" not in self.steps:
            raise Refused("the session has not started")
        self.log.append(line)

    def _request(self, message: Message, options: dict[str, Any], response: int, results: dict[str, Any]) -> Any:
        sender = message.header.fields[HeaderFields.sender].removeprefix(":").replace(".", "_")
        path = f"{DESKTOP}/request/{sender}/{options['handle_token'][1]}"
        address = DBusAddress(path, interface=f"{PORTAL}.Request")
        self.later.append(new_signal(address, "Response", "ua{sv}", (response, results)))
        return "o", path

    def _tell_owner(self, mime_types: list[str], *, is_session: bool) -> None:
        options = {"mime_types": ("as", mime_types), "session_is_owner": ("b", is_session)}
        self.later.append(self._signal("Clipboard", "SelectionOwnerChanged", "oa{sv}", self.session, options))

    def _signal(self, portal: str, name: str, signature: str, *values: Any) -> Message:
        return new_signal(DBusAddress(DESKTOP, interface=f"{PORTAL}.{portal}"), name, signature, values)


def _read(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _write(fd: int, content: bytes) -> None:
    with os.fdopen(fd, "wb") as file:
        file.write(content)


# What KWin offers to scripts, and what becomes of it.
KWIN_GLOBALS = """
var home = {name: "home"}, other = {name: "other"}, calls = [];
var workspace = {currentDesktop: home, stackingOrder: dukpy.windows, activeWindow: null};
for (var i = 0; i < dukpy.windows.length; i++) {
    var w = dukpy.windows[i];
    w.desktops = (w.desktops || []).map(function (name) { return name === "home" ? home : other; });
    if (w.internalId === dukpy.active) { workspace.activeWindow = w; }
}
function callDBus() { calls.push(Array.prototype.slice.call(arguments)); }
"""
KWIN_RESULT = "; ({calls: calls, active: workspace.activeWindow ? workspace.activeWindow.internalId : null})"


@dataclass
class KWinDesktop:
    windows: list[dict[str, Any]] = field(default_factory=list)  # bottom to top
    active: str = ""


class FakeKWin(Service):
    """KWin, which runs the scripts that it is given in a real JavaScript engine."""

    def __init__(self, address: str, desktop: KWinDesktop) -> None:
        self.desktop = desktop
        self.scripts: dict[str, str] = {}
        self.answers = True
        self.later: list[Message] = []
        super().__init__(address, "org.kde.KWin")

    def loadScript(self, message: Message, file: str, plugin: str) -> Any:
        if plugin in self.scripts:
            return "i", -1
        self.scripts[plugin] = Path(file).read_text()
        return "i", len(self.scripts)

    def unloadScript(self, message: Message, plugin: str) -> Any:
        return "b", self.scripts.pop(plugin, None) is not None

    def run(self, message: Message) -> None:
        assert message.header.fields[HeaderFields.path] == f"/Scripting/Script{len(self.scripts)}"
        script = list(self.scripts.values())[-1]
        windows = json.loads(json.dumps(self.desktop.windows))
        result = dukpy.evaljs(KWIN_GLOBALS + script + KWIN_RESULT, windows=windows, active=self.desktop.active)
        self.desktop.active = result["active"]
        for bus, path, interface, method, *values in result["calls"] if self.answers else ():
            assert all(isinstance(value, str) for value in values)
            address = DBusAddress(path, bus_name=bus, interface=interface)
            self.later.append(new_method_call(address, method, "s" * len(values), tuple(values)))

    def afterwards(self) -> None:
        while self.later:
            self.bus.send(self.later.pop(0))
