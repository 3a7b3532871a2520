"""macOS, through PyObjC. Written from Apple's documentation; docs/platforms.md says what was run."""

import ctypes
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from ctypes import POINTER, byref, c_int32, c_uint8, c_uint16, c_uint32, c_ulong, c_void_p
from typing import Any

from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Platform, Window, clipboard
from desktop_agent.screenshot import Screenshot, TakeScreenshots, take_screenshots
from protocol.errors import DesktopUnavailable, NoEditorThere, PermissionMissing
from protocol.geometry import Box, ScreenPoint

SETTINGS = "System Settings, Privacy & Security"
NEEDS_ACCESSIBILITY = f"In {SETTINGS}, Accessibility, switch on the program that you start it from, such as Terminal."
NEEDS_RECORDING = f"In {SETTINGS}, Screen & System Audio Recording, switch on the same program and start it anew."

NORMAL, FLOATING, MODAL = 0, 3, 8  # window levels; the Dock, the menu bar and what hovers over all are higher
MOST_PX_OFF = 2  # between the two frames that macOS tells of one window
FRAMEWORKS = "/System/Library/Frameworks/{0}.framework/{0}"
KEY_CODES = 128
DISPLAY, COMMAND_HELD, NO_DEAD_KEYS = 3, 1, 1  # kUCKeyActionDisplay; cmdKey >> 8; kUCKeyTranslateNoDeadKeysMask
KEY_PAUSE_S = 0.01  # for programs that ask which modifiers are held rather than read it off the event
DRAG_STEPS, DRAG_STEP_S = 12, 0.02  # editors follow a pointer, they do not expect it to jump

NAMED_KEYS = {
    "command": 0x37,
    "shift": 0x38,
    "alt": 0x3A,
    "ctrl": 0x3B,
    "enter": 0x24,
    "tab": 0x30,
    "space": 0x31,
    "backspace": 0x33,
    "esc": 0x35,
    "delete": 0x75,
    "left": 0x7B,
    "right": 0x7C,
    "down": 0x7D,
    "up": 0x7E,
}
FLAGS = {
    "command": "kCGEventFlagMaskCommand",
    "shift": "kCGEventFlagMaskShift",
    "alt": "kCGEventFlagMaskAlternate",
    "ctrl": "kCGEventFlagMaskControl",
}


def connect() -> Platform:
    """The desktop of this session. Call it from the main thread, which alone may ask for the keyboard's layout.

    Raises:
        PermissionMissing: the user has not allowed this program to see the screen or to press keys.
    """
    import AppKit
    import ApplicationServices
    import Quartz
    from mss import darwin

    ask_for_permissions(ApplicationServices, Quartz)
    darwin.IMAGE_OPTIONS &= ~darwin.kCGWindowImageNominalResolution  # every pixel of a Retina display
    return Platform(
        name="macOS",
        windows=MacWindows(Quartz, ApplicationServices),
        take_screenshots=permitted(take_screenshots, Quartz),
        input=MacInput(Quartz, local_layout()),
        clipboard=MacClipboard(AppKit, clipboard.copy),
    )


def ask_for_permissions(accessibility: Any, quartz: Any) -> None:
    """Let macOS ask the user for what is missing.

    Args:
        accessibility: the module ApplicationServices.
        quartz: the module Quartz.

    Raises:
        PermissionMissing: something is; the user has only just been asked.
    """
    missing = []
    if not accessibility.AXIsProcessTrustedWithOptions({accessibility.kAXTrustedCheckOptionPrompt: True}):
        missing.append(NEEDS_ACCESSIBILITY)
    if not quartz.CGPreflightScreenCaptureAccess():
        quartz.CGRequestScreenCaptureAccess()
        missing.append(NEEDS_RECORDING)
    if missing:
        raise PermissionMissing(" ".join(missing))


def permitted(take: TakeScreenshots, quartz: Any) -> TakeScreenshots:
    """The same, but an error where macOS would show nothing but the wallpaper."""

    def take_if_permitted() -> Sequence[Screenshot]:
        if not quartz.CGPreflightScreenCaptureAccess():
            raise PermissionMissing(NEEDS_RECORDING)
        return take()

    return take_if_permitted


class MacWindows:
    """The windows: listed by the window server, brought forward through Accessibility."""

    def __init__(self, quartz: Any, accessibility: Any) -> None:
        """Args: quartz: the module Quartz. accessibility: the module ApplicationServices."""
        self._quartz = quartz
        self._accessibility = accessibility

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window there."""
        for description in self._in_sight(NORMAL, FLOATING, MODAL):
            window = self._describe(description)
            box = window.box
            if box and box.x <= point.x < box.x + box.width and box.y <= point.y < box.y + box.height:
                return window
        raise NoEditorThere

    def focused(self) -> Window | None:
        """The topmost window; palettes, which float above it, never have the keyboard."""
        return next((self._describe(description) for description in self._in_sight(NORMAL, MODAL)), None)

    def focus(self, window: Window) -> None:
        """Raise it among those of its program, and its program among the others."""
        ax, quartz = self._accessibility, self._quartz
        described = quartz.CGWindowListCopyWindowInfo(quartz.kCGWindowListOptionIncludingWindow, window.number)
        if not described:
            return
        program = ax.AXUIElementCreateApplication(described[0][quartz.kCGWindowOwnerPID])
        failed, candidates = ax.AXUIElementCopyAttributeValue(program, ax.kAXWindowsAttribute, None)
        for candidate in () if failed else candidates:
            if self._is_at(candidate, self._describe(described[0]).box):
                ax.AXUIElementPerformAction(candidate, ax.kAXRaiseAction)
                break
        ax.AXUIElementSetAttributeValue(program, ax.kAXFrontmostAttribute, True)

    def _in_sight(self, *levels: int) -> Iterator[Mapping[str, Any]]:
        """What the window server says of the windows on these levels, front to back."""
        quartz = self._quartz
        which = quartz.kCGWindowListOptionOnScreenOnly | quartz.kCGWindowListExcludeDesktopElements
        for description in quartz.CGWindowListCopyWindowInfo(which, quartz.kCGNullWindowID) or ():
            if description[quartz.kCGWindowLayer] in levels and description[quartz.kCGWindowAlpha] > 0:
                yield description

    def _describe(self, description: Mapping[str, Any]) -> Window:
        quartz = self._quartz
        bounds = description[quartz.kCGWindowBounds]
        program = str(description.get(quartz.kCGWindowOwnerName, "a program without a name"))
        return Window(
            number=int(description[quartz.kCGWindowNumber]),
            program=program,
            process=program,
            title=str(description.get(quartz.kCGWindowName, "")),
            box=Box(*(round(bounds[side]) for side in ("X", "Y", "Width", "Height"))),
            is_dialog=description[quartz.kCGWindowLayer] == MODAL,
        )

    def _is_at(self, candidate: Any, box: Box | None) -> bool:
        """Whether an element of Accessibility is the window with this frame; it does not tell its number."""
        ax = self._accessibility
        no_position, position = ax.AXUIElementCopyAttributeValue(candidate, ax.kAXPositionAttribute, None)
        no_size, size = ax.AXUIElementCopyAttributeValue(candidate, ax.kAXSizeAttribute, None)
        if box is None or no_position or no_size:
            return False
        _, corner = ax.AXValueGetValue(position, ax.kAXValueCGPointType, None)
        _, sides = ax.AXValueGetValue(size, ax.kAXValueCGSizeType, None)
        pairs = ((corner.x, box.x), (corner.y, box.y), (sides.width, box.width), (sides.height, box.height))
        return all(abs(one - other) <= MOST_PX_OFF for one, other in pairs)


class MacInput:
    """The keyboard and the pointer. Each event says which modifiers it has, so those that are held do not count."""

    command_key = "command"

    def __init__(self, quartz: Any, layout: Mapping[str, int]) -> None:
        """Args: quartz: the module Quartz. layout: characters -> key codes."""
        self._quartz = quartz
        self._codes = {**layout, **NAMED_KEYS}

    def press(self, *keys: str) -> None:
        """Press keys together."""
        missing = [key for key in keys if key not in self._codes]
        if missing:
            raise DesktopUnavailable(f"The keyboard layout has no key for {missing[0]}: take one with Latin letters.")
        flags = 0
        for key in keys:
            flags |= self._flag(key)
            self._post_key(key, flags, is_down=True)
        for key in reversed(keys):
            flags &= ~self._flag(key)
            self._post_key(key, flags, is_down=False)

    def pointer(self) -> ScreenPoint:
        """Where it is."""
        place = self._quartz.CGEventGetLocation(self._quartz.CGEventCreate(None))
        return ScreenPoint(place.x - 0.5, place.y - 0.5)  # here a point's corner counts, and with us its middle

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let it hover there."""
        self._post_pointer(self._quartz.kCGEventMouseMoved, point)

    def click(self, point: ScreenPoint) -> None:
        """Click once."""
        self.move_pointer(point)
        self._post_pointer(self._quartz.kCGEventLeftMouseDown, point)
        self._post_pointer(self._quartz.kCGEventLeftMouseUp, point)

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Drag in small steps."""
        self.move_pointer(start)
        self._post_pointer(self._quartz.kCGEventLeftMouseDown, start)
        for step in range(1, DRAG_STEPS + 1):
            time.sleep(DRAG_STEP_S)
            share = step / DRAG_STEPS
            on_the_way = ScreenPoint(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
            self._post_pointer(self._quartz.kCGEventLeftMouseDragged, on_the_way)
        self._post_pointer(self._quartz.kCGEventLeftMouseUp, end)

    def _flag(self, key: str) -> int:
        return int(getattr(self._quartz, FLAGS[key])) if key in FLAGS else 0

    def _post_key(self, key: str, flags: int, *, is_down: bool) -> None:
        event = self._quartz.CGEventCreateKeyboardEvent(None, self._codes[key], is_down)
        self._quartz.CGEventSetFlags(event, flags)
        self._quartz.CGEventPost(self._quartz.kCGHIDEventTap, event)
        time.sleep(KEY_PAUSE_S)

    def _post_pointer(self, kind: int, point: ScreenPoint) -> None:
        quartz = self._quartz
        place = (point.x + 0.5, point.y + 0.5)
        event = quartz.CGEventCreateMouseEvent(None, kind, place, quartz.kCGMouseButtonLeft)
        quartz.CGEventSetIntegerValueField(event, quartz.kCGMouseEventClickState, 1)  # ignored unless it is a click
        quartz.CGEventSetFlags(event, 0)
        quartz.CGEventPost(quartz.kCGHIDEventTap, event)


class MacClipboard:
    """The general pasteboard; what was there is kept item by item, in every type."""

    def __init__(self, appkit: Any, copy: Callable[[Cutout], None]) -> None:
        """Args: appkit: the module AppKit. copy: puts a cutout there."""
        self._appkit = appkit
        self.copy = copy

    def save(self) -> list[dict[str, Any]]:
        """For each item, its content by type."""
        items = self._appkit.NSPasteboard.generalPasteboard().pasteboardItems() or ()
        contents = ({str(kind): item.dataForType_(kind) for kind in item.types()} for item in items)
        return [{kind: content for kind, content in item.items() if content is not None} for item in contents]

    def restore(self, saved: list[dict[str, Any]]) -> None:
        """Put back every item."""
        pasteboard = self._appkit.NSPasteboard.generalPasteboard()
        pasteboard.clearContents()
        items = []
        for contents in saved:
            item = self._appkit.NSPasteboardItem.alloc().init()
            for kind, content in contents.items():
                item.setData_forType_(content, kind)
            items.append(item)
        if items:
            pasteboard.writeObjects_(items)


def local_layout() -> dict[str, int]:
    """What read_layout says of this computer's keyboard."""
    carbon, foundation = (ctypes.CDLL(FRAMEWORKS.format(name)) for name in ("Carbon", "CoreFoundation"))
    return read_layout(carbon, foundation, c_void_p.in_dll(carbon, "kTISPropertyUnicodeKeyLayoutData").value)


def read_layout(carbon: Any, foundation: Any, layout_property: int | None) -> dict[str, int]:
    """Which key makes which character while the command key is held, on the keyboard as it is laid out now.

    Args:
        carbon: the library.
        foundation: the library CoreFoundation.
        layout_property: the constant kTISPropertyUnicodeKeyLayoutData of carbon.

    Returns:
        Characters -> key codes. A Z is elsewhere on a French or German keyboard, and a wrong key closes windows.
    """
    for function, result, *arguments in (
        (carbon.TISCopyCurrentKeyboardLayoutInputSource, c_void_p),
        (carbon.TISCopyCurrentASCIICapableKeyboardLayoutInputSource, c_void_p),
        (carbon.TISGetInputSourceProperty, c_void_p, c_void_p, c_void_p),
        (carbon.LMGetKbdType, c_uint8),
        (
            *(carbon.UCKeyTranslate, c_int32, c_void_p, c_uint16, c_uint16, c_uint32, c_uint32, c_uint32),
            *(POINTER(c_uint32), c_ulong, POINTER(c_ulong), POINTER(c_uint16)),
        ),
        (foundation.CFDataGetBytePtr, c_void_p, c_void_p),
        (foundation.CFRelease, None, c_void_p),
    ):
        function.restype, function.argtypes = result, arguments
    codes: dict[str, int] = {}
    for copy in (
        carbon.TISCopyCurrentKeyboardLayoutInputSource,
        carbon.TISCopyCurrentASCIICapableKeyboardLayoutInputSource,  # what an input method or a layout may lack
    ):
        source = copy()
        try:
            kept = carbon.TISGetInputSourceProperty(source, layout_property)
            found = _characters(carbon, foundation.CFDataGetBytePtr(kept)) if kept else {}
        finally:
            foundation.CFRelease(source)
        codes = {**found, **codes}
    return codes


def _characters(carbon: Any, layout: int) -> dict[str, int]:
    codes: dict[str, int] = {}
    for code in range(KEY_CODES):
        dead_keys, length, text = c_uint32(), c_ulong(), (c_uint16 * 4)()
        carbon.UCKeyTranslate(
            *(layout, code, DISPLAY, COMMAND_HELD, carbon.LMGetKbdType(), NO_DEAD_KEYS),
            *(byref(dead_keys), len(text), byref(length), text),
        )
        character = bytes(text)[: 2 * length.value].decode("utf-16-le", "replace")
        codes.setdefault(character, code)  # the first: the letters, not the number pad
    return codes
