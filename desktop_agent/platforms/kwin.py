"""The windows of KDE Plasma 6 on Wayland, through small scripts that its window manager KWin runs.

After https://develop.kde.org/docs/plasma/kwin/api; docs/platforms.md says what was run.
"""

import json
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import Any

from jeepney import DBusAddress, MatchRule, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.threading import DBusRouter

from desktop_agent.platforms import Window
from desktop_agent.platforms.portal import call
from protocol.errors import DesktopUnavailable, NoEditorThere
from protocol.geometry import Box, ScreenPoint

KWIN = "org.kde.KWin"
LISTENER = ("/ar_copy_paste", "org.ar_copy_paste.Windows", "Tell")
ANSWER_S = 5.0

# Bottom to top. What is not meant to be typed into (a tooltip, a notification) does not count.
LIST = """
(function () {
    var windows = [];
    for (var i = 0; i < workspace.stackingOrder.length; i++) {
        var w = workspace.stackingOrder[i];
        var isHere = !w.desktops.length;
        for (var j = 0; j < w.desktops.length; j++) {
            isHere = isHere || w.desktops[j] === workspace.currentDesktop;
        }
        if (!isHere || w.minimized || !(w.normalWindow || w.dialog || w.utility || w.dock || w.desktopWindow)) {
            continue;
        }
        windows.push({
            id: String(w.internalId), program: String(w.resourceClass), title: String(w.caption), process: w.pid,
            box: [w.frameGeometry.x, w.frameGeometry.y, w.frameGeometry.width, w.frameGeometry.height],
            isFocused: w === workspace.activeWindow, isDialog: !!(w.dialog || w.modal),
            isNoEditor: !!(w.dock || w.desktopWindow)
        });
    }
    callDBus(%(bus)s, %(path)s, %(interface)s, %(method)s, %(token)s, JSON.stringify(windows));
})();
"""
FOCUS = """
(function () {
    for (var i = 0; i < workspace.stackingOrder.length; i++) {
        if (String(workspace.stackingOrder[i].internalId) === %(id)s) {
            workspace.activeWindow = workspace.stackingOrder[i];
        }
    }
    callDBus(%(bus)s, %(path)s, %(interface)s, %(method)s, %(token)s, "[]");
})();
"""


class KWinWindows:
    """The windows, as KWin lists them."""

    def __init__(self, router: DBusRouter) -> None:
        """Args: router: of a connection to the session bus."""
        self._router = router

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window there."""
        for described, window in self._listed():
            box = window.box
            if box and box.x <= point.x < box.x + box.width and box.y <= point.y < box.y + box.height:
                if described["isNoEditor"]:
                    break
                return window
        raise NoEditorThere

    def focused(self) -> Window | None:
        """The active window."""
        return next((window for described, window in self._listed() if described["isFocused"]), None)

    def focus(self, window: Window) -> None:
        """Make it the active one."""
        self._run(FOCUS, id="{" + str(uuid.UUID(int=window.number)) + "}")

    def _listed(self) -> Iterator[tuple[dict[str, Any], Window]]:
        """Those in sight, top to bottom."""
        for described in reversed(self._run(LIST)):
            window = Window(
                number=uuid.UUID(described["id"]).int,
                program=described["program"],
                process=_process(described["process"]),
                title=described["title"],
                box=Box(*(round(side) for side in described["box"])),
                is_dialog=described["isDialog"],
            )
            yield described, window

    def _run(self, script: str, **words: str) -> list[dict[str, Any]]:
        """Have KWin run a script and tell something back."""
        (owner,) = call(self._router, message_bus.GetNameOwner(KWIN))
        path, interface, method = LISTENER
        token = secrets.token_hex(16)
        words |= {"bus": self._router.unique_name, "path": path, "interface": interface, "method": method}
        # From KWin alone; another program of the session could send the same.
        rule = MatchRule(type="method_call", sender=owner, path=path, interface=interface, member=method)
        with self._router.filter(rule) as told, TemporaryDirectory() as folder:
            file = Path(folder, "script.js")
            file.write_text(script % {name: json.dumps(word) for name, word in {**words, "token": token}.items()})
            plugin = f"ar_copy_paste_{token}"
            (number,) = self._call("/Scripting", "org.kde.kwin.Scripting", "loadScript", "ss", str(file), plugin)
            try:
                self._call(f"/Scripting/Script{number}", "org.kde.kwin.Script", "run")
                answered, windows = told.get(timeout=ANSWER_S).body
            except Empty:
                raise DesktopUnavailable("KWin did not say which windows there are. Is this Plasma 6?") from None
            finally:
                self._call("/Scripting", "org.kde.kwin.Scripting", "unloadScript", "s", plugin)
        if answered != token:
            raise DesktopUnavailable("KWin answered another question than the one asked.")
        return list(json.loads(windows))

    def _call(self, path: str, interface: str, method: str, signature: str = "", *arguments: str) -> tuple[Any, ...]:
        address = DBusAddress(path, bus_name=KWIN, interface=interface)
        return call(self._router, new_method_call(address, method, signature, arguments))


def _process(number: int) -> str:
    try:
        return Path(f"/proc/{number}/comm").read_text().strip()
    except OSError:  # it has ended
        return ""
