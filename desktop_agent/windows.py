"""The windows of the desktop."""

from pathlib import Path

from desktop_agent.platforms import Window, Windows, local_platform

__all__ = ["Window", "Windows", "local_windows"]


def local_windows() -> Windows:
    """The windows of this machine's desktop."""
    return local_platform(Path()).windows
