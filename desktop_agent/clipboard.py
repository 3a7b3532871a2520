"""The desktop's clipboard."""

import contextlib
from dataclasses import dataclass
from typing import Any

from desktop_agent.pictures import Cutout
from protocol.errors import DesktopUnavailable


def copy(cutout: Cutout) -> None:
    """Put a cutout on the clipboard, as image/png with its alpha; it stays there for as long as the agent runs.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.

    Raises:
        DesktopUnavailable: there is no clipboard.
    """
    copykitten = _copykitten()
    height, width = cutout.shape[:2]
    try:
        copykitten.copy_image(cutout.tobytes(), width, height)
    except copykitten.CopykittenError as error:
        raise DesktopUnavailable(f"({error})") from error


@dataclass(frozen=True)
class Saved:
    """What was on the clipboard, in the first of these forms that it had."""

    text: str | None = None
    picture: tuple[bytes, int, int] | None = None  # RGBA, width, height


class CopykittenClipboard:
    """The clipboard, by copykitten: text and pictures are saved and restored."""

    def copy(self, cutout: Cutout) -> None:
        """Put a cutout there."""
        copy(cutout)

    def save(self) -> Saved:
        """What is there now; anything but text and pictures is not noticed."""
        copykitten = _copykitten()
        with contextlib.suppress(copykitten.CopykittenError):  # raised where it has not that form
            return Saved(text=copykitten.paste())
        with contextlib.suppress(copykitten.CopykittenError):
            return Saved(picture=copykitten.paste_image())
        return Saved()

    def restore(self, saved: Saved) -> None:
        """Put it back."""
        copykitten = _copykitten()
        try:
            if saved.text is not None:
                copykitten.copy(saved.text)
            elif saved.picture:
                copykitten.copy_image(*saved.picture)
            else:
                copykitten.clear()
        except copykitten.CopykittenError as error:
            raise DesktopUnavailable(f"({error})") from error


def _copykitten() -> Any:  # it ships no types
    """Imported late: it looks for a desktop at once."""
    import copykitten

    return copykitten
