"""A fake of Windows' own libraries, after Microsoft's documentation.

Each function is real machine code with the documented sizes of its arguments, so that what is passed in another size,
or by value instead of by reference, arrives as it would on Windows. Structures are read byte by byte at the documented
places, with no help of the code under test.
"""

import ctypes
import struct
from ctypes import c_int, c_short, c_size_t, c_uint32, c_uint64, c_void_p, c_wchar_p
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

MOUSE, KEYBOARD, KEY_UP = 0, 1, 2
ALT = 0x12
MINE = 4242  # this process
GA_ROOT = 2


class PassedPoint(ctypes.Structure):
    _fields_ = (("x", ctypes.c_int32), ("y", ctypes.c_int32))


@dataclass
class FakeWindow:
    number: int
    box: tuple[int, int, int, int]  # left, top, right, bottom
    kind: str = "Editor"
    title: str = "Untitled"
    path: str = r"C:\Program Files\Paint\Paint.exe"
    is_elevated: bool = False
    is_minimised: bool = False


@dataclass
class FakeWindows:
    """A desktop with windows, topmost first."""

    windows: list[FakeWindow] = field(default_factory=list)
    foreground: int = 0
    is_locked: bool = False
    is_elevated: bool = False  # this process
    left_handed: bool = False
    held: set[int] = field(default_factory=set)
    pointer: tuple[int, int] = (5, 6)
    log: list[str] = field(default_factory=list)
    clipboard: dict[int, bytes] = field(default_factory=dict)  # empty: a format that is no memory
    busy: int = 0  # how often the clipboard is another program's
    handles: dict[int, Any] = field(default_factory=dict)
    memory: dict[int, Any] = field(default_factory=dict)
    clipboard_owner: int | None = None
    is_clipboard_open: bool = False
    own_windows: set[int] = field(default_factory=set)

    def library(self, name: str) -> SimpleNamespace:
        """As ctypes.WinDLL does; by ctypes' own rules an argument that is not declared is passed as an int."""
        prototypes = {"user32": USER32, "kernel32": KERNEL32, "advapi32": ADVAPI32}[name]
        functions = {}
        for function, (result, *arguments) in prototypes.items():
            functions[function] = ctypes.CFUNCTYPE(result, *arguments)(getattr(self, function))
        return SimpleNamespace(**functions)

    # --- user32: windows ---

    def SetProcessDpiAwarenessContext(self, context: int) -> int:
        self.log.append(f"awareness {ctypes.c_int64(context).value}")
        return 1

    def WindowFromPoint(self, point: PassedPoint) -> int:
        for window in self.windows:
            left, top, right, bottom = window.box
            if not window.is_minimised and left <= point.x < right and top <= point.y < bottom:
                return window.number + 1000  # a child of it, as most points of a window are
        return 0

    def GetAncestor(self, window: int, what: int) -> int:
        assert what == GA_ROOT
        return window % 1000

    def GetForegroundWindow(self) -> int:
        return 0 if self.is_locked else self.foreground

    def SetForegroundWindow(self, window: int) -> int:
        if ALT in self.held:
            self.foreground = window
        return int(self.foreground == window)

    def IsIconic(self, window: int) -> int:
        return int(self._window(window).is_minimised)

    def ShowWindow(self, window: int, how: int) -> int:
        self.log.append(f"show {window} {how}")
        return 0

    def GetClassNameW(self, window: int, text: int, length: int) -> int:
        return self._write(text, length, self._window(window).kind)

    def GetWindowTextW(self, window: int, text: int, length: int) -> int:
        return self._write(text, length, self._window(window).title)

    def GetWindowRect(self, window: int, rect: int) -> int:
        ctypes.memmove(rect, struct.pack("<4i", *self._window(window).box), 16)
        return 1

    def GetWindowThreadProcessId(self, window: int, process: int) -> int:
        ctypes.memmove(process, struct.pack("<I", 100 + self._window(window).number), 4)
        return 1

    # --- user32: input ---

    def SendInput(self, count: int, inputs: int, size: int) -> int:
        if size != 40 or self.is_locked:  # sizeof(INPUT) on 64 bits
            return 0
        for index in range(count):
            (kind,) = struct.unpack("<I", ctypes.string_at(inputs + 40 * index, 4))
            body = ctypes.string_at(inputs + 40 * index + 8, 32)
            if kind == KEYBOARD:
                code, scan, flags, time, extra = struct.unpack("<HHII4xQ", body[:24])
                assert (scan, time, extra) == (0, 0, 0)
                (self.held.discard if flags & KEY_UP else self.held.add)(code)
                self.log.append(f"{'up' if flags & KEY_UP else 'down'} {code:#x}{' extended' if flags & 1 else ''}")
            else:
                x, y, wheel, flags, time, extra = struct.unpack("<iiIII4xQ", body)
                assert (kind, x, y, wheel, time, extra) == (MOUSE, 0, 0, 0, 0, 0)
                self.log.append(f"button {flags:#x} at {self.pointer}")
        return count

    def GetAsyncKeyState(self, code: int) -> int:
        return -0x8000 if code in self.held else 0

    def GetCursorPos(self, point: int) -> int:
        ctypes.memmove(point, struct.pack("<2i", *self.pointer), 8)
        return int(not self.is_locked)

    def SetCursorPos(self, x: int, y: int) -> int:
        self.pointer = (x, y)
        return int(not self.is_locked)

    def GetSystemMetrics(self, what: int) -> int:
        assert what == 23  # SM_SWAPBUTTON
        return int(self.left_handed)

    # --- user32: clipboard ---

    def OpenClipboard(self, owner: int | None) -> int:
        if self.busy:
            self.busy -= 1
            return 0
        assert not self.is_clipboard_open
        assert owner is None or owner in self.own_windows
        self.is_clipboard_open, self.clipboard_owner = True, owner
        return 1

    def CloseClipboard(self) -> int:
        self.is_clipboard_open = False
        return 1

    def EmptyClipboard(self) -> int:
        assert self.is_clipboard_open
        self.clipboard.clear()
        return 1

    def EnumClipboardFormats(self, last: int) -> int:
        formats = [0, *self.clipboard, 0]
        return formats[formats.index(last) + 1]

    def GetClipboardData(self, number: int) -> int | None:
        assert self.is_clipboard_open
        assert self.clipboard[number], "no memory: it must not be read as such"
        memory = self.GlobalAlloc(2, len(self.clipboard[number]))
        ctypes.memmove(memory, self.clipboard[number], len(self.clipboard[number]))
        return memory

    def SetClipboardData(self, number: int, memory: int) -> int | None:
        if not self.is_clipboard_open or self.clipboard_owner is None:
            return None
        self.clipboard[number] = bytes(self.memory[memory])
        return memory

    def CreateWindowExW(self, *arguments: Any) -> int:
        assert ctypes.c_int64(arguments[8]).value == -3  # HWND_MESSAGE: never in sight
        self.own_windows.add(77)
        return 77

    def DestroyWindow(self, window: int) -> int:
        self.own_windows.remove(window)
        return 1

    # --- kernel32 ---

    def OpenProcess(self, access: int, inherit: int, process: int) -> int | None:
        assert (access, inherit) == (0x1000, 0)
        return self._handle(self._window(process - 100))

    def GetCurrentProcess(self) -> int:
        return ctypes.c_uint64(-1).value  # needs no closing

    def CloseHandle(self, handle: int) -> int:
        del self.handles[handle]
        return 1

    def QueryFullProcessImageNameW(self, process: int, flags: int, text: int, length: int) -> int:
        (room,) = struct.unpack("<I", ctypes.string_at(length, 4))
        return self._write(text, room, self.handles[process].path)

    def GlobalAlloc(self, flags: int, size: int) -> int:
        assert flags == 2  # GMEM_MOVEABLE, as SetClipboardData wants it
        memory = (ctypes.c_ubyte * size)()
        self.memory[ctypes.addressof(memory)] = memory
        return ctypes.addressof(memory)

    def GlobalFree(self, memory: int) -> int | None:
        del self.memory[memory]
        return None

    def GlobalLock(self, memory: int) -> int:
        return memory

    def GlobalUnlock(self, memory: int) -> int:
        return 0

    def GlobalSize(self, memory: int) -> int:
        return len(self.memory[memory])

    # --- advapi32 ---

    def OpenProcessToken(self, process: int, access: int, token: int) -> int:
        assert access == 8  # TOKEN_QUERY
        is_mine = process == ctypes.c_uint64(-1).value
        handle = self._handle(self.is_elevated if is_mine else self.handles[process].is_elevated)
        ctypes.memmove(token, struct.pack("<Q", handle), 8)
        return 1

    def GetTokenInformation(self, token: int, what: int, to: int, size: int, needed: int) -> int:
        assert (what, size) == (20, 4)  # TokenElevation
        ctypes.memmove(to, struct.pack("<I", int(self.handles[token])), 4)
        return 1

    # --- the fake's own ---

    def _window(self, number: int) -> FakeWindow:
        return next(window for window in self.windows if window.number == number)

    def _handle(self, what: Any) -> int:
        handle = 0x7FFF_0000_0000 + 4 * len(self.handles) + 4  # wider than an int
        while handle in self.handles:
            handle += 4
        self.handles[handle] = what
        return handle

    def _write(self, text: int, length: int, content: str) -> int:
        assert len(content) < length
        encoded = (content + "\0").encode("utf-32-le")  # wchar_t is that wide where this runs, not where it is meant
        ctypes.memmove(text, encoded, len(encoded))
        return len(content)


PTR = c_void_p
USER32: dict[str, tuple[Any, ...]] = {
    "SetProcessDpiAwarenessContext": (c_int, c_uint64),
    "WindowFromPoint": (c_uint64, PassedPoint),
    "GetAncestor": (c_uint64, c_uint64, c_uint32),
    "GetForegroundWindow": (c_uint64,),
    "SetForegroundWindow": (c_int, c_uint64),
    "IsIconic": (c_int, c_uint64),
    "ShowWindow": (c_int, c_uint64, c_int),
    "GetClassNameW": (c_int, c_uint64, PTR, c_int),
    "GetWindowTextW": (c_int, c_uint64, PTR, c_int),
    "GetWindowRect": (c_int, c_uint64, PTR),
    "GetWindowThreadProcessId": (c_uint32, c_uint64, PTR),
    "SendInput": (c_uint32, c_uint32, PTR, c_int),
    "GetAsyncKeyState": (c_short, c_int),
    "GetCursorPos": (c_int, PTR),
    "SetCursorPos": (c_int, c_int, c_int),
    "GetSystemMetrics": (c_int, c_int),
    "OpenClipboard": (c_int, PTR),
    "CloseClipboard": (c_int,),
    "EmptyClipboard": (c_int,),
    "EnumClipboardFormats": (c_uint32, c_uint32),
    "GetClipboardData": (PTR, c_uint32),
    "SetClipboardData": (PTR, c_uint32, c_uint64),
    "CreateWindowExW": (c_uint64, c_uint32, c_wchar_p, c_wchar_p, c_uint32, *[c_int] * 4, *[c_uint64] * 4),
    "DestroyWindow": (c_int, c_uint64),
}
KERNEL32: dict[str, tuple[Any, ...]] = {
    "OpenProcess": (PTR, c_uint32, c_int, c_uint32),
    "GetCurrentProcess": (c_uint64,),
    "CloseHandle": (c_int, c_uint64),
    "QueryFullProcessImageNameW": (c_int, c_uint64, c_uint32, PTR, PTR),
    "GlobalAlloc": (c_uint64, c_uint32, c_size_t),
    "GlobalFree": (PTR, c_uint64),
    "GlobalLock": (c_uint64, c_uint64),
    "GlobalUnlock": (c_int, c_uint64),
    "GlobalSize": (c_size_t, c_uint64),
}
ADVAPI32: dict[str, tuple[Any, ...]] = {
    "OpenProcessToken": (c_int, c_uint64, c_uint32, PTR),
    "GetTokenInformation": (c_int, c_uint64, c_int, PTR, c_uint32, PTR),
}
