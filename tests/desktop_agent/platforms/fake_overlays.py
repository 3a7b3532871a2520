"""Fakes of what an overlay is made with on Windows and macOS, after Microsoft's and Apple's documentation."""

import ctypes
import struct
from collections import namedtuple
from ctypes import c_int, c_int32, c_uint32, c_uint64, c_void_p
from types import SimpleNamespace
from typing import Any

import numpy as np


class OverlayLibraries:
    """Windows' libraries: machine code with the documented sizes of arguments, structures read byte by byte."""

    def __init__(self) -> None:
        self.windows: dict[int, dict[str, Any]] = {}
        self.bitmaps: dict[int, tuple[int, int, Any]] = {}
        self.contexts: dict[int, int] = {}
        self.waiting = 3  # messages
        self.flushed = 0
        self.opens = True
        self.paints = True

    def library(self, name: str) -> SimpleNamespace:
        prototypes = LIBRARIES[name]
        return SimpleNamespace(
            **{each: ctypes.CFUNCTYPE(*types)(getattr(self, each)) for each, types in prototypes.items()}
        )

    def SetProcessDpiAwarenessContext(self, context: int) -> int:
        assert ctypes.c_int64(context).value == -4
        return 1

    def CreateWindowExW(self, style: int, kind: str, title: int | None, own: int, *rest: int) -> int:
        if not self.opens:
            return 0
        assert title is None
        assert (kind, own, rest[4:]) == ("Static", 0x80000000, (0, 0, 0, 0))
        number = 0x7FFF_0000_0000 + len(self.windows)  # wider than an int
        self.windows[number] = {"style": style, "box": rest[:4]}
        return number

    def SetWindowDisplayAffinity(self, window: int, affinity: int) -> int:
        self.windows[window]["affinity"] = affinity
        return 0  # as an older Windows does

    def UpdateLayeredWindow(self, window: int, *rest: Any) -> int:
        screen, place, size, context, corner, key, blend, flags = rest
        assert (screen, key, flags) == (None, 0, 2)
        width, height, memory = self.bitmaps[self.contexts[context]]
        assert struct.unpack("<2i", ctypes.string_at(size, 8)) == (width, height)
        assert struct.unpack("<2i", ctypes.string_at(corner, 8)) == (0, 0)
        assert ctypes.string_at(blend, 4) == bytes([0, 0, 255, 1])
        self.windows[window]["place"] = struct.unpack("<2i", ctypes.string_at(place, 8))
        self.windows[window]["picture"] = np.frombuffer(bytes(memory), np.uint8).reshape(height, width, 4)
        return int(self.paints)

    def ShowWindow(self, window: int, how: int) -> int:
        assert "picture" in self.windows[window], "it is painted before it is seen"
        self.windows[window]["shown"] = how
        return 0

    def DestroyWindow(self, window: int) -> int:
        self.windows[window]["shown"] = None
        return 1

    def PeekMessageW(self, message: int, window: int | None, first: int, last: int, how: int) -> int:
        assert window is None
        assert (first, last, how) == (0, 0, 1)
        ctypes.memmove(message, bytes(48), 48)
        self.waiting -= 1
        return int(self.waiting >= 0)

    def DispatchMessageW(self, message: int) -> int:
        return 0

    def CreateCompatibleDC(self, like: int) -> int:
        assert like is None
        self.contexts[0x7FFF_1111_0000] = 5
        return 0x7FFF_1111_0000

    def CreateDIBSection(self, context: int, header: int, *rest: Any) -> int:
        size, width, height, planes, bits, compression = struct.unpack("<IiiHHI", ctypes.string_at(header, 20))
        assert (context in self.contexts, size, planes, bits, compression) == (True, 40, 1, 32, 0)
        assert height < 0, "the first row is the topmost"
        usage, memory, section, offset = rest
        assert (usage, section, offset) == (0, None, 0)
        pixels = (ctypes.c_ubyte * (width * -height * 4))()
        ctypes.memmove(memory, struct.pack("<Q", ctypes.addressof(pixels)), 8)
        self.bitmaps[0x7FFF_2222_0000] = (width, -height, pixels)
        return 0x7FFF_2222_0000

    def SelectObject(self, context: int, what: int) -> int:
        before, self.contexts[context] = self.contexts[context], what
        return before

    def DeleteObject(self, what: int) -> int:
        assert what not in self.contexts.values(), "it is still in use"
        del self.bitmaps[what]
        return 1

    def DeleteDC(self, context: int) -> int:
        del self.contexts[context]
        return 1

    def DwmFlush(self) -> int:
        self.flushed += 1
        return 0


LIBRARIES: dict[str, dict[str, tuple[Any, ...]]] = {
    "user32": {
        "SetProcessDpiAwarenessContext": (c_int, c_uint64),
        "CreateWindowExW": (
            *(c_uint64, c_uint32, ctypes.c_wchar_p, c_void_p, c_uint32),
            *([c_int] * 4 + [c_uint64] * 4),
        ),
        "SetWindowDisplayAffinity": (c_int, c_uint64, c_uint32),
        "UpdateLayeredWindow": (
            *(c_int, c_uint64, c_void_p, c_void_p, c_void_p, c_uint64, c_void_p),
            *(c_uint32, c_void_p, c_uint32),
        ),
        "ShowWindow": (c_int, c_uint64, c_int),
        "DestroyWindow": (c_int, c_uint64),
        "PeekMessageW": (c_int, c_void_p, c_void_p, c_uint32, c_uint32, c_uint32),
        "DispatchMessageW": (c_uint64, c_void_p),
    },
    "gdi32": {
        "CreateCompatibleDC": (c_uint64, c_void_p),
        "CreateDIBSection": (c_uint64, c_uint64, c_void_p, c_uint32, c_void_p, c_void_p, c_uint32),
        "SelectObject": (c_uint64, c_uint64, c_uint64),
        "DeleteObject": (c_int, c_uint64),
        "DeleteDC": (c_int, c_uint64),
    },
    "dwmapi": {"DwmFlush": (c_int32,)},
}


Rect = namedtuple("Rect", "x y width height")


class FakeView:
    """A window, a picture or what holds one: notes what it is told."""

    def __init__(self, **told: Any) -> None:
        self.told: dict[str, Any] = told

    def __getattr__(self, name: str) -> Any:
        if callable(answer := self.told.get(name)):
            return answer
        return lambda *values: self.told.update({name: values[0] if values else True})


class OverlayAppKit:
    """PyObjC's AppKit: no more than what is used, with the values of Apple's headers."""

    NSApplicationActivationPolicyAccessory = 1
    NSWindowStyleMaskBorderless, NSBackingStoreBuffered = 0, 2
    NSScreenSaverWindowLevel, NSWindowSharingNone = 1000, 0
    NSWindowCollectionBehaviorCanJoinAllSpaces, NSWindowCollectionBehaviorStationary = 1, 16
    NSWindowCollectionBehaviorFullScreenAuxiliary = 256
    NSImageScaleAxesIndependently = 1
    NSEventMaskAny, NSDefaultRunLoopMode = 2**64 - 1, "kCFRunLoopDefaultMode"
    NSMakeRect, NSMakeSize = Rect, namedtuple("Size", "width height")

    def __init__(self) -> None:
        self.windows: list[FakeView] = []
        self.events = ["an event"]
        self.application = FakeView(nextEventMatchingMask_untilDate_inMode_dequeue_=self._next_event)
        self.NSApplication = SimpleNamespace(sharedApplication=lambda: self.application)
        frame = SimpleNamespace(size=SimpleNamespace(width=1440, height=900))
        self.NSScreen = SimpleNamespace(screens=lambda: [SimpleNamespace(frame=lambda: frame)])
        self.NSDate = SimpleNamespace(dateWithTimeIntervalSinceNow_=lambda seconds: seconds)
        self.NSColor = SimpleNamespace(clearColor=lambda: "clear")
        self.NSData = SimpleNamespace(dataWithBytes_length_=lambda data, length: data[:length])
        self.NSImage = SimpleNamespace(alloc=lambda: SimpleNamespace(initWithData_=lambda data: FakeView(data=data)))
        self.NSImageView = SimpleNamespace(imageViewWithImage_=lambda picture: FakeView(picture=picture))
        opened = SimpleNamespace(initWithContentRect_styleMask_backing_defer_=self._open)
        self.NSWindow = SimpleNamespace(alloc=lambda: opened)

    def _open(self, rect: Rect, style: int, backing: int, defer: bool) -> FakeView:
        self.windows.append(FakeView(rect=rect, style=(style, backing, defer)))
        return self.windows[-1]

    def _next_event(self, mask: int, until: float, mode: str, dequeues: bool) -> str | None:
        assert (mask, mode, dequeues) == (2**64 - 1, "kCFRunLoopDefaultMode", True)
        return self.events.pop() if self.events else None
