"""Fakes of what PyObjC offers of macOS, with the names, constants and answers of its own metadata."""

import ctypes
import struct
from collections import namedtuple
from ctypes import c_int32, c_uint8, c_uint16, c_uint32, c_uint64, c_ulong, c_void_p
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

Place = namedtuple("Place", "x y")  # as PyObjC's CGPoint is
Extent = namedtuple("Extent", "width height")
NO_SUCH_ATTRIBUTE = -25205


@dataclass
class Event:
    kind: str
    code: int = 0
    flags: int = -1  # not set: those that the user holds
    place: tuple[float, float] = (0, 0)
    clicks: int = 0


@dataclass
class FakeQuartz:
    """A window server and its events."""

    windows: list[dict[str, Any]] = field(default_factory=list)  # front to back
    may_record: bool = True
    asked: int = 0
    posted: list[Event] = field(default_factory=list)

    kCGWindowListOptionOnScreenOnly = 1
    kCGWindowListOptionIncludingWindow = 8
    kCGWindowListExcludeDesktopElements = 16
    kCGNullWindowID = 0
    kCGHIDEventTap = 0
    kCGEventLeftMouseDown, kCGEventLeftMouseUp, kCGEventMouseMoved, kCGEventLeftMouseDragged = 1, 2, 5, 6
    kCGMouseButtonLeft = 0
    kCGMouseEventClickState = 1
    kCGEventFlagMaskShift, kCGEventFlagMaskControl = 0x20000, 0x40000
    kCGEventFlagMaskAlternate, kCGEventFlagMaskCommand = 0x80000, 0x100000

    def __getattr__(self, name: str) -> str:
        """The keys of a window's description are constants whose value is their name."""
        if name.startswith("kCGWindow"):
            return name
        raise AttributeError(name)

    def CGWindowListCopyWindowInfo(self, which: int, number: int) -> list[dict[str, Any]] | None:
        if which == self.kCGWindowListOptionIncludingWindow:
            return [window for window in self.windows if window["kCGWindowNumber"] == number]
        assert (which, number) == (17, 0)
        return self.windows

    def CGPreflightScreenCaptureAccess(self) -> bool:
        return self.may_record

    def CGRequestScreenCaptureAccess(self) -> bool:
        self.asked += 1
        return False

    def CGEventCreate(self, source: None) -> Event:
        return Event("none", place=self.posted[-1].place if self.posted else (3.5, 4.5))

    def CGEventGetLocation(self, event: Event) -> Place:
        return Place(*event.place)

    def CGEventCreateKeyboardEvent(self, source: None, code: int, is_down: bool) -> Event:
        return Event("down" if is_down else "up", code)

    def CGEventCreateMouseEvent(self, source: None, kind: int, place: tuple[float, float], button: int) -> Event:
        assert button == self.kCGMouseButtonLeft
        return Event({1: "press", 2: "release", 5: "move", 6: "drag"}[kind], place=place)

    def CGEventSetFlags(self, event: Event, flags: int) -> None:
        event.flags = flags

    def CGEventSetIntegerValueField(self, event: Event, what: int, value: int) -> None:
        assert what == self.kCGMouseEventClickState
        event.clicks = value

    def CGEventPost(self, tap: int, event: Event) -> None:
        assert tap == self.kCGHIDEventTap
        self.posted.append(event)


def window(number: int, program: str, bounds: tuple[float, float, float, float], **more: Any) -> dict[str, Any]:
    """As the window server describes one; its title is left out where this program may not record the screen."""
    return {
        "kCGWindowNumber": number,
        "kCGWindowOwnerName": program,
        "kCGWindowOwnerPID": 100 + number,
        "kCGWindowBounds": dict(zip(("X", "Y", "Width", "Height"), bounds, strict=True)),
        "kCGWindowLayer": more.get("layer", 0),
        "kCGWindowAlpha": more.get("alpha", 1.0),
        **({"kCGWindowName": more["title"]} if "title" in more else {}),
    }


@dataclass
class FakeAccessibility:
    """The elements of each program: its windows by their frame. Errors come first, as PyObjC hands them."""

    frames: dict[int, list[tuple[float, float, float, float]]] = field(default_factory=dict)  # by process
    is_trusted: bool = True
    log: list[str] = field(default_factory=list)

    kAXTrustedCheckOptionPrompt = "AXTrustedCheckOptionPrompt"
    kAXWindowsAttribute, kAXPositionAttribute, kAXSizeAttribute = "AXWindows", "AXPosition", "AXSize"
    kAXFrontmostAttribute, kAXRaiseAction = "AXFrontmost", "AXRaise"
    kAXValueCGPointType, kAXValueCGSizeType = 1, 2

    def AXIsProcessTrustedWithOptions(self, options: dict[str, bool]) -> bool:
        self.log.append(f"asked {options}")
        return self.is_trusted

    def AXUIElementCreateApplication(self, process: int) -> int:
        return process

    def AXUIElementCopyAttributeValue(self, element: Any, name: str, nothing: None) -> tuple[int, Any]:
        if name == "AXWindows":
            return (0, self.frames[element]) if element in self.frames else (NO_SUCH_ATTRIBUTE, None)
        return 0, (name, element)

    def AXValueGetValue(self, value: Any, kind: int, nothing: None) -> tuple[bool, Any]:
        name, (x, y, width, height) = value
        assert (name, kind) in {("AXPosition", 1), ("AXSize", 2)}
        return True, Place(x, y) if kind == self.kAXValueCGPointType else Extent(width, height)

    def AXUIElementPerformAction(self, element: Any, action: str) -> int:
        self.log.append(f"{action} {element}")
        return 0

    def AXUIElementSetAttributeValue(self, element: Any, name: str, value: Any) -> int:
        self.log.append(f"{name} {element} {value}")
        return 0


@dataclass
class FakePasteboardItem:
    contents: dict[str, bytes] = field(default_factory=dict)

    def types(self) -> list[str]:
        return list(self.contents)

    def dataForType_(self, kind: str) -> bytes | None:
        return self.contents[kind] or None  # one that was promised and not kept is none

    def setData_forType_(self, content: bytes, kind: str) -> bool:
        self.contents[kind] = content
        return True

    @classmethod
    def alloc(cls) -> "FakePasteboardItem":
        return cls()

    def init(self) -> "FakePasteboardItem":
        return self


@dataclass
class FakePasteboard:
    items: list[FakePasteboardItem] | None = None

    def pasteboardItems(self) -> list[FakePasteboardItem] | None:
        return self.items

    def clearContents(self) -> int:
        self.items = None
        return 1

    def writeObjects_(self, items: list[FakePasteboardItem]) -> bool:
        self.items = items
        return True


def appkit(pasteboard: FakePasteboard) -> SimpleNamespace:
    general = SimpleNamespace(generalPasteboard=lambda: pasteboard)
    return SimpleNamespace(NSPasteboard=general, NSPasteboardItem=FakePasteboardItem)


@dataclass
class FakeKeyboard:
    """Carbon's input sources, as machine code with the documented sizes of arguments; pointers are wider than ints."""

    characters: dict[int, str]  # by key code, while the command key is held
    is_input_method: bool = False
    released: list[int] = field(default_factory=list)

    PROPERTY, CURRENT, ASCII, DATA, LAYOUT = 0x7FF0_0000_0001, 0x7FF0_0000_0002, 0x7FF0_0000_0003, 0x7FF4, 0x7FF8 << 32

    def carbon(self) -> SimpleNamespace:
        pointer = c_uint64
        return SimpleNamespace(
            TISCopyCurrentKeyboardLayoutInputSource=ctypes.CFUNCTYPE(pointer)(lambda: self.CURRENT),
            TISCopyCurrentASCIICapableKeyboardLayoutInputSource=ctypes.CFUNCTYPE(pointer)(lambda: self.ASCII),
            TISGetInputSourceProperty=ctypes.CFUNCTYPE(pointer, pointer, pointer)(self._property),
            LMGetKbdType=ctypes.CFUNCTYPE(c_uint8)(lambda: 91),
            UCKeyTranslate=ctypes.CFUNCTYPE(
                *(c_int32, pointer, c_uint16, c_uint16, c_uint32, c_uint32, c_uint32),
                *(c_void_p, c_ulong, c_void_p, c_void_p),
            )(self._translate),
        )

    def foundation(self) -> SimpleNamespace:
        return SimpleNamespace(
            CFDataGetBytePtr=ctypes.CFUNCTYPE(c_uint64, c_uint64)(lambda data: self.LAYOUT),
            CFRelease=ctypes.CFUNCTYPE(None, c_uint64)(self.released.append),
        )

    def _property(self, source: int, name: int) -> int:
        assert name == self.PROPERTY
        return 0 if self.is_input_method and source == self.CURRENT else self.DATA

    def _translate(self, *arguments: int) -> int:
        layout, code, action, modifiers, keyboard, options, _dead, room, length, text = arguments
        assert (layout, action, modifiers, keyboard, options) == (self.LAYOUT, 3, 1, 91, 1)
        encoded = self.characters.get(code, "").encode("utf-16-le")
        assert len(encoded) <= 2 * room
        ctypes.memmove(length, struct.pack("<Q", len(encoded) // 2), 8)
        ctypes.memmove(text, encoded, len(encoded))
        return 0
