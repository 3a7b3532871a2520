"""How a cutout gets onto the clipboard of Windows and macOS, whose formats for pictures with alpha are intricate."""

from desktop_agent.pictures import Cutout
from protocol.errors import DesktopUnavailable


def copy(cutout: Cutout) -> None:
    """Put a cutout there with its alpha: as PNG and as a bitmap on Windows, as TIFF on macOS.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.

    Raises:
        DesktopUnavailable: there is no clipboard.
    """
    import copykitten  # imported late: it looks for a desktop at once

    height, width = cutout.shape[:2]
    try:
        copykitten.copy_image(cutout.tobytes(), width, height)
    except copykitten.CopykittenError as error:
        raise DesktopUnavailable(f"({error})") from error
