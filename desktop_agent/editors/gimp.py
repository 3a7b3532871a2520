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
       (layer (if (symbol-bound? 'gimp-image-get-active-layer)
                  (car (gimp-image-get-active-layer image))
                  (vector-ref (car (gimp-image-get-selected-layers image)) 0)))
       (offsets (if (symbol-bound? 'gimp-drawable-offsets)
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
        self._layer = ""  # what GIMP calls it: first as the file, and otherwise once it was moved
        self._moved = (0, 0)  # the layer, in pixels of the document
        self._middle: tuple[ScreenPoint, float] | None = None  # where layers appear in this view, and its zoom

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Drop; and move at once, if an earlier paste has shown where the view's middle is."""
        super().insert(cutout, point)
        self._moved = (0, 0)
        if self._middle:
            middle, zoom = self._middle
            self._move_layer(middle, point, zoom)

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """Move the layer by whole pixels of the document."""
        middle = ScreenPoint(start.x - zoom * self._moved[0], start.y - zoom * self._moved[1])
        if self._middle and self._middle[0].distance_to(start) < self._middle[0].distance_to(middle):
            self._moved, middle = (0, 0), start  # it was seen before it was moved; the script may still come to it
        self._middle = middle, zoom
        return self._move_layer(start, end, zoom)

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        """Remember the middle of the view from a layer that was not moved; the next is moved there at once."""
        if self._moved == (0, 0):
            self._middle = landed, zoom
        return False

    def _move_layer(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """A layer that was not moved yet has another name, so that no script moves it twice."""
        image = self._image_at(end)
        right, down = round((end.x - start.x) / zoom), round((end.y - start.y) / zoom)
        if image is None or (right, down) == (0, 0):
            return False
        moved_name = self._layer.removesuffix(".png")
        name = self._layer if self._moved == (0, 0) else moved_name
        script = MOVE_LAYER.format(image=image, name=name, new_name=moved_name, right=right, down=down)
        is_taken = any(run(" ".join(script.split())) for run in self._run_by)
        if is_taken:
            self._moved = (self._moved[0] + right, self._moved[1] + down)
        return is_taken

    def _image_at(self, point: ScreenPoint) -> str | None:
        """The number of the image that is open there; None where the title does not tell."""
        try:
            found = IMAGE_IN_TITLE.search(self._windows.at(point).title)
        except NoEditorThere:
            return None
        return found.group(1) if found else None

    def _write(self, cutout: Cutout) -> Path:
        file = super()._write(cutout)
        self._layer = file.name
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
    """Hand a script to the Script-Fu server: "G", its length, the script; then its verdict comes."""
    body = script.encode()
    try:
        with socket.create_connection(("127.0.0.1", port), CALL_S) as server:
            server.sendall(b"G" + struct.pack(">H", len(body)) + body)
            return server.recv(4)[:2] == b"G\0"  # then the length of a text that tells nothing more
    except OSError:
        return False
