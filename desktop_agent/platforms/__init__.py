"""What pasting asks of an operating system: its windows, screens, input and clipboard; one file for each system."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from desktop_agent.pictures import Cutout
from desktop_agent.screenshot import TakeScreenshots
from protocol.errors import DesktopUnavailable
from protocol.geometry import Box, ScreenPoint


@dataclass(frozen=True)
class Window:
    """A top-level window as it was when it was asked about. Two are equal if they are the same window."""

    number: int
    program: str = field(compare=False)  # its name, as the user knows it; on X11 its class
    process: str = field(default="", compare=False)  # the file name of what runs it; "" where nobody can say
    title: str = field(default="", compare=False)
    box: Box | None = field(default=None, compare=False)  # on the desktop, the frame left out where it can be
    is_dialog: bool = field(default=False, compare=False)


class Windows(Protocol):
    """What the agent asks of the desktop's window manager."""

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window under a point of the desktop, as it is now.

        Raises:
            NoEditorThere: there is the bare desktop, or a panel.
            WindowsUntold: this desktop's windows cannot be asked about.
            EditorOutOfReach: it takes nothing from this program.
            DesktopUnavailable: the desktop does not answer.
        """
        ...

    def focused(self) -> Window | None:
        """The window that keys go to; None if none has them, or nobody can say."""
        ...

    def focus(self, window: Window) -> None:
        """Raise a window and give it the keyboard, as far as the desktop lets a program; `focused` says whether."""
        ...


class Input(Protocol):
    """The keyboard and the pointer. Each method raises DesktopUnavailable where no program may use them."""

    command_key: str  # that goes with c, v and z: "ctrl" or "command"

    def press(self, *keys: str) -> None:
        """Press keys together, by names such as "ctrl", "v", "delete". Modifiers that the user holds do not count."""
        ...

    def pointer(self) -> ScreenPoint | None:
        """Where the pointer is; None where nobody may ask."""
        ...

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let the pointer hover over a point, without a click."""
        ...

    def click(self, point: ScreenPoint) -> None:
        """Click once, with the button for selecting."""
        ...

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Press the button at `start`, move, let go at `end`."""
        ...


class Clipboard(Protocol):
    """What is copied and pasted. Each method raises DesktopUnavailable where there is no clipboard."""

    def copy(self, cutout: Cutout) -> None:
        """Put a cutout there, as a picture with its alpha.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
        """
        ...

    def save(self) -> Any:
        """What is there now, for `restore` alone to read."""
        ...

    def restore(self, saved: Any) -> None:
        """Put back what `save` found."""
        ...


class Drop(Protocol):
    """Files dropped as if dragged there by hand."""

    def drop(self, file: Path, point: ScreenPoint) -> bool:
        """Drop a file at a point of the desktop.

        Args:
            file: must stay until the program there has read it.
            point: where.

        Returns:
            Whether the program said that it takes it.
        """
        ...

    def is_taken_by_page(self, file: Path, point: ScreenPoint) -> bool:
        """Drag a picture over a page in a browser, and away again.

        Args:
            file: as for `drop`.
            point: where.

        Returns:
            Whether the page itself said that it takes it; of others the browser says so, and would open the file.
        """
        ...

    def drop_into_text(self, file: Path, point: ScreenPoint) -> bool:
        """Drop a picture as a piece of formatted text, which has no file that a browser could open.

        Args:
            file: the picture, PNG.
            point: where.

        Returns:
            Whether the program said that it takes it.
        """
        ...


@dataclass(frozen=True)
class Platform:
    """One operating system's way of each."""

    name: str
    windows: Windows
    take_screenshots: TakeScreenshots
    input: Input
    clipboard: Clipboard
    drop: Drop | None = None  # where a program may drop files for the user
    is_over_text: Callable[[], bool] = lambda: False  # whether the pointer has the shape of a bar to write with


def local_platform(data_dir: Path) -> Platform:
    """This machine's desktop.

    Args:
        data_dir: where a desktop's consent to be seen and used is kept, if it gives any.

    Raises:
        DesktopUnavailable: there is none, or it does not answer.
        PermissionMissing: it does not let this program see or use it.
    """
    # Imported here, because each needs what only its own system has.
    if sys.platform == "win32":
        from desktop_agent.platforms import win32

        return win32.connect()
    if sys.platform == "darwin":
        from desktop_agent.platforms import macos

        return macos.connect()
    if os.environ.get("WAYLAND_DISPLAY"):  # its X11, for old programs, shows neither the screen nor the other windows
        from desktop_agent.platforms import wayland

        return wayland.connect(data_dir)
    if os.environ.get("DISPLAY"):
        from desktop_agent.platforms import x11

        return x11.connect()
    raise DesktopUnavailable("docs/platforms.md lists the desktops that work.")
