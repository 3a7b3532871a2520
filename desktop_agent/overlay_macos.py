"""An overlay's windows on macOS: without borders, above all others and blind to the mouse."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from desktop_agent.overlay_message import Patch

MOMENT_S = 0.02


def open_windows() -> "MacWindows":
    """On this desktop."""
    import AppKit

    return MacWindows(AppKit)


class MacWindows:
    """The windows, one for each patch."""

    attends_every_s: float | None = 0.1  # what is not asked for its events is taken for hanging

    def __init__(self, appkit: Any) -> None:
        """Args: appkit: the module AppKit."""
        self._appkit = appkit
        self._application = appkit.NSApplication.sharedApplication()
        self._application.setActivationPolicy_(appkit.NSApplicationActivationPolicyAccessory)  # not in the Dock
        self._application.finishLaunching()
        self._windows: list[Any] = []

    def show(self, patches: Sequence[Patch]) -> None:
        """Show these instead of those before; returns once they were handed to the screen."""
        before, self._windows = self._windows, [self._open(patch) for patch in patches]
        for window in before:
            window.orderOut_(None)
        self.attend()

    def attend(self) -> None:
        """Let macOS draw, and have its answers."""
        until = self._appkit.NSDate.dateWithTimeIntervalSinceNow_(MOMENT_S)
        mode = self._appkit.NSDefaultRunLoopMode
        ask = self._application.nextEventMatchingMask_untilDate_inMode_dequeue_
        while (event := ask(self._appkit.NSEventMaskAny, until, mode, True)) is not None:
            self._application.sendEvent_(event)

    def _open(self, patch: Patch) -> Any:
        appkit = self._appkit
        width, height = patch.pixels.shape[1] / patch.scale, patch.pixels.shape[0] / patch.scale
        bottom = appkit.NSScreen.screens()[0].frame().size.height - patch.y - height  # y goes up from the first screen
        window = appkit.NSWindow.alloc().initWithContentRect_styleMask_backing_defer_(
            appkit.NSMakeRect(patch.x, bottom, width, height),
            appkit.NSWindowStyleMaskBorderless,
            appkit.NSBackingStoreBuffered,
            False,
        )
        window.setReleasedWhenClosed_(False)
        window.setOpaque_(False)
        window.setBackgroundColor_(appkit.NSColor.clearColor())
        window.setHasShadow_(False)
        window.setIgnoresMouseEvents_(True)
        window.setLevel_(appkit.NSScreenSaverWindowLevel)
        window.setSharingType_(appkit.NSWindowSharingNone)
        window.setCollectionBehavior_(
            appkit.NSWindowCollectionBehaviorCanJoinAllSpaces
            | appkit.NSWindowCollectionBehaviorStationary
            | appkit.NSWindowCollectionBehaviorFullScreenAuxiliary
        )
        view = appkit.NSImageView.imageViewWithImage_(self._picture(patch, width, height))
        view.setImageScaling_(appkit.NSImageScaleAxesIndependently)
        window.setContentView_(view)
        window.orderFrontRegardless()
        return window

    def _picture(self, patch: Patch, width: float, height: float) -> Any:
        file = io.BytesIO()
        Image.fromarray(patch.pixels).save(file, "PNG", compress_level=1)
        png = self._appkit.NSData.dataWithBytes_length_(file.getvalue(), len(file.getvalue()))
        picture = self._appkit.NSImage.alloc().initWithData_(png)
        picture.setSize_(self._appkit.NSMakeSize(width, height))
        return picture
