"""A desktop that is ready to be pasted into."""

from desktop_agent.editors.photoshop_scripting import local_scripting
from desktop_agent.editors.profiles import Editors
from desktop_agent.paste import Desktop
from desktop_agent.platforms import Platform


def local_desktop(platform: Platform, photoshop_password: str | None = None) -> Desktop:
    """This machine's desktop with all the editors that are known.

    Args:
        platform: what local_platform says.
        photoshop_password: of Photoshop's remote connection, if the user has set one.
    """
    return Desktop(platform, Editors(platform, local_scripting(photoshop_password)).of)
