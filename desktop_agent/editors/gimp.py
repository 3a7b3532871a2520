"""GIMP: a dropped file becomes a layer in the middle of the view; a script moves the layer to the spot.

The script runs through GIMP's own message bus service, or through its Script-Fu server where the user has started that.
It freezes the undo history while it moves the layer, so that one undo takes back all of it.
"""

import re
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop_agent.editors.by_drop import ByDrop
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Drop, Input, Windows
from protocol.errors import NoEditorThere
from protocol.geometry import ScreenPoint

IMAGE_IN_TITLE = re.compile(r"-(\d+)\.\d+ \(")  # "[name] (imported)-1.0 (RGB color ...": image 1, view 0
SERVER_PORT = 10008  # of GIMP's Script-Fu server, by default
CALL_S = 2.0
# GIMP 3 has other names for two of the procedures; that branch is written from its documentation and was not run.
MOVE_LAYER = """
(let* ((image {image})
       (layer (if (defined? 'gimp-image-get-active-layer)
                  (car (gimp-image-get-active-layer image))
                  (vector-ref (car (gimp-image-get-selected-layers image)) 0)))
       (offsets (if (defined? 'gimp-drawable-offsets)
                    (gimp-drawable-offsets layer)
                    (gimp-drawable-get-offsets layer))))
  (if (string=? (car (gimp-item-get-name layer)) "{name}")
      (begin
        (gimp-image-undo-freeze image)
        (gimp-item-set-name layer "{new_name}")
        (gimp-layer-set-offsets layer (+ (car offsets) {right}) (+ (cadr offsets) {down}))
        (gimp-image-undo-thaw image)
        (gimp-displays-flush))))
"""

RunScript = Callable[[str], bool]  # whether it was taken; nothing tells whether it worked


class Gimp(ByDrop):
    """Drops a file, looks, and moves the layer that came of it."""

    def __init__(
        self, hands: Input, drop: Drop, folder: Path, windows: Windows, run_by: "Sequence[RunScript] | None" = None
    ) -> None:
        """Args: hands, drop, windows: the desktop's. folder: for files. run_by: how a script may be run, best first."""
        super().__init__("GIMP", hands, drop, folder)
        self.strategy = "drop, then move the layer by a script"
        self._windows = windows
        self._run_by = (run_by_bus, run_by_server) if run_by is None else run_by
        self._layer = ""  # what GIMP calls it: as the file
        self._is_moved = False
        self._middle: ScreenPoint | None = None  # of the view, where layers appear

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """The middle of the view, once a layer was seen there; at every zoom it is the same."""
        return self._middle or point

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """Move the layer by whole pixels of the document."""
        self._middle, self._is_moved = start, True
        image = self._image_at(end)
        right, down = round((end.x - start.x) / zoom), round((end.y - start.y) / zoom)
        if image is None or (right, down) == (0, 0):
            return False
        # A moved layer has another name, so that no script that was slow to start moves it again.
        new_name = self._layer.removesuffix(".png")
        script = MOVE_LAYER.format(image=image, name=self._layer, new_name=new_name, right=right, down=down)
        return any(run(" ".join(script.split())) for run in self._run_by)

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002
        """Remember where a layer appeared; it is moved from there, so nothing would bring it nearer."""
        self._middle = self._middle if self._is_moved else landed
        return False

    def _image_at(self, point: ScreenPoint) -> str | None:
        """The number of the image that is open there; None where the title does not tell."""
        try:
            found = IMAGE_IN_TITLE.search(self._windows.at(point).title)
        except NoEditorThere:
            return None
        return found.group(1) if found else None

    def _write(self, cutout: Cutout) -> Path:
        file = super()._write(cutout)
        self._layer, self._is_moved = file.name, False
        return file


def run_by_bus(script: str) -> bool:
    """Hand a script to GIMP's service on the session's message bus."""
    from jeepney import DBusAddress, MessageType, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    gimp = DBusAddress("/org/gimp/GIMP/UI", bus_name="org.gimp.GIMP.UI", interface="org.gimp.GIMP.UI")
    call = new_method_call(gimp, "BatchRun", "ss", ("plug-in-script-fu-eval", script))
    try:
        with open_dbus_connection() as bus:
            answer = bus.send_and_get_reply(call, timeout=CALL_S)
    except (OSError, KeyError, TimeoutError):  # KeyError: there is no bus
        return False
    return bool(answer.header.message_type is MessageType.method_return and answer.body[0])


def run_by_server(script: str, port: int = SERVER_PORT) -> bool:
    """Hand a script to the Script-Fu server: "G", its length, the script; its verdict comes byte by byte."""
    body = script.encode()
    try:
        with socket.create_connection(("127.0.0.1", port), CALL_S) as server, server.makefile("rb") as answer:
            server.sendall(b"G" + struct.pack(">H", len(body)) + body)
            verdict = answer.read(4)
            answer.read(int.from_bytes(verdict[2:]))  # a text that tells nothing more; hung up on, GIMP complains
            return verdict[:2] == b"G\0"
    except OSError:
        return False
