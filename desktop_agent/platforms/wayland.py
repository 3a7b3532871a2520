"""Linux with Wayland: screens, input and clipboard through the desktop portals, windows where the desktop tells."""

import contextlib
from concurrent.futures import InvalidStateError
from pathlib import Path

from jeepney.bus_messages import message_bus
from jeepney.io.threading import DBusRouter, open_dbus_connection

from desktop_agent.platforms import Platform, Window, Windows
from desktop_agent.platforms.kwin import KWIN, KWinWindows
from desktop_agent.platforms.portal import (
    Portal,
    PortalClipboard,
    PortalInput,
    PortalScreens,
    call,
    create_session,
    start_session,
)
from protocol.errors import DesktopUnavailable, WindowsUntold
from protocol.geometry import ScreenPoint


def connect(data_dir: Path) -> Platform:
    """The desktop of this session, once the user has consented.

    Args:
        data_dir: where the desktop's token of that consent is kept.

    Raises:
        PermissionMissing: the user has not consented.
        DesktopUnavailable: there is no session bus, or no portal.
    """
    try:
        router = QuietRouter(open_dbus_connection("SESSION", enable_fds=True))
    except (OSError, KeyError) as error:  # KeyError: no address is known
        raise DesktopUnavailable("The desktop's session bus does not answer.") from error
    portal = Portal(router)
    path = create_session(portal)
    clipboard = PortalClipboard(portal, path)
    session = start_session(portal, path, data_dir / "wayland-consent")
    screens = PortalScreens(portal, session)
    return Platform("Wayland", known_windows(router), screens.take, PortalInput(portal, session), clipboard)


class QuietRouter(DBusRouter):  # type: ignore[misc]  # jeepney ships no types
    """One whose thread ends without a word when the session does; whoever calls it then is told."""

    def _receiver(self) -> None:
        with contextlib.suppress(OSError, InvalidStateError):  # the latter if it ends right after an answer
            super()._receiver()


def known_windows(router: DBusRouter) -> Windows:
    """The windows, as far as this desktop tells of them."""
    (is_kde,) = call(router, message_bus.NameHasOwner(KWIN))
    return KWinWindows(router) if is_kde else UntoldWindows()


class UntoldWindows:
    """A desktop that tells nobody of its windows. Nothing is pasted there: keys might go anywhere."""

    def at(self, point: ScreenPoint) -> Window:  # noqa: ARG002  # no point has a window that is known
        """Raises WindowsUntold, always."""
        raise WindowsUntold

    def focused(self) -> None:
        """Nothing is known to have the keyboard."""

    def focus(self, window: Window) -> None:
        """There is no window to focus."""
