"""LibreOffice Draw and Impress: asked over UNO where the user has let them listen, otherwise pasted into as others.

UNO puts a picture at the spot and may move it, all in one step to undo. It is spoken by a program of its own, because
the module for it belongs to LibreOffice's Python, or to the system's.
"""

import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from desktop_agent.editors import Editor
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Windows
from protocol.errors import EditorRefused, NoEditorThere
from protocol.geometry import ScreenPoint

PORT = 2002  # the one in LibreOffice's documentation: --accept="socket,host=localhost,port=2002;urp;"
CONNECT_S = 0.3
GREETS_S = 0.5  # for what listens to speak first, as LibreOffice does
READY_S = 3.0  # for what listens to show that it is LibreOffice, with such a window
ANSWER_S = 10.0  # in all
BEGUN = b"asked"  # what the script says before it changes anything
SCRIPT = Path(__file__).with_name("libre_office_script.py")
PYTHONS = {
    "win32": r"C:\Program Files\LibreOffice\program\python.exe",
    "darwin": "/Applications/LibreOffice.app/Contents/Resources/python",
}
LINUX_PYTHON = "/usr/bin/python3"  # has UNO by a package of the system, such as python3-uno

log = logging.getLogger(__name__)
Ask = Callable[..., bool]  # the words of libre_office_script.py from the verb on -> whether it is done


def listens(port: int = PORT) -> bool:
    """Whether something on this computer listens where LibreOffice would, and speaks first as it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), CONNECT_S) as connection:
            connection.settimeout(GREETS_S)
            return bool(connection.recv(1))
    except OSError:
        return False


def ask_over_uno(*words: object, port: int = PORT, python: str | None = None) -> bool:
    """Ask the LibreOffice of this computer.

    Args:
        words: of libre_office_script.py, from the verb on.
        port: where it may listen.
        python: that has UNO; None for where such a one is installed.

    Returns:
        Whether it is done: False where nothing was changed, such as where what listens has no such window, or no
        Python has UNO.

    Raises:
        EditorRefused: something may have been changed, but not as asked.
    """
    command = [python or PYTHONS.get(sys.platform, LINUX_PYTHON), str(SCRIPT), *map(str, (READY_S, port, *words))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows it would come to the front
        )
    except OSError:
        return False
    except subprocess.TimeoutExpired as error:
        if BEGUN not in (error.stdout or b"").split():
            return False
        raise EditorRefused(
            "LibreOffice has not answered: the cutout may still appear. Does it show a dialog?"
        ) from error
    if done.returncode:
        log.warning("LibreOffice listens, but: %s", done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    told = done.stdout.split()
    if told == [BEGUN]:
        raise EditorRefused("LibreOffice did not finish. Look whether the cutout is there before you tap again.")
    return told == [BEGUN, b"done"]


class LibreOffice:
    """Inserts over UNO, and moves what does not lie where it should; or does all in another way."""

    can_insert_again = True
    puts_at_caret = False

    def __init__(
        self, otherwise: Editor, windows: Windows, listens: Callable[[], bool] = listens, ask: Ask = ask_over_uno
    ) -> None:
        """Set up.

        Args:
            otherwise: the way where nothing listens.
            windows: the desktop's.
            listens: whether something does.
            ask: how it is asked.
        """
        self.name, self.strategy = otherwise.name, otherwise.strategy
        self._otherwise = otherwise
        self._windows = windows
        self._listens = listens
        self._ask = ask
        self._is_by_uno = False
        self._size = (0, 0)  # of what was inserted

    def approach(self, point: ScreenPoint) -> None:
        """What the other way needs."""
        self._otherwise.approach(point)

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """At the point itself, over UNO."""
        return point if self._is_by_uno else self._otherwise.lands_at(point)

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Over UNO, or else in the other way."""
        self._size = cutout.shape[1], cutout.shape[0]
        self._is_by_uno = self._listens() and self._insert_over_uno(cutout, point)
        if not self._is_by_uno:
            self._otherwise.insert(cutout, point)
        self.strategy = "insert over UNO" if self._is_by_uno else self._otherwise.strategy

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:  # noqa: ARG002
        """There is no second way."""
        return False

    def check(self) -> None:
        """It opens nothing."""

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """Move what was inserted; a script's move is no step of its own."""
        if not self._is_by_uno:
            return self._otherwise.move(start, end, zoom)
        right, down = (end.x - start.x) / zoom, (end.y - start.y) / zoom
        try:
            return self._ask("move", self._title_at(end), *self._size, right, down)
        except EditorRefused:  # what was inserted, and seen, is still there
            return False

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        """Over UNO there is nothing to learn."""
        return not self._is_by_uno and self._otherwise.learn(landed, zoom)

    def forget(self) -> None:
        """Nothing of its own."""
        self._otherwise.forget()

    def undo(self) -> None:
        """As the other way does."""
        self._otherwise.undo()

    def _insert_over_uno(self, cutout: Cutout, point: ScreenPoint) -> bool:
        with tempfile.TemporaryDirectory(prefix="ar-copy-paste-", ignore_cleanup_errors=True) as folder:
            file = Path(folder, "Cutout.png")
            Image.fromarray(cutout).save(file, compress_level=1)
            return self._ask("insert", self._title_at(point), *self._size, point.x, point.y, file)

    def _title_at(self, point: ScreenPoint) -> str:
        try:
            return self._windows.at(point).title
        except NoEditorThere:
            return ""
