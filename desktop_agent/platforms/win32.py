"""Windows, through its own libraries. Written from Microsoft's documentation; docs/platforms.md says what was run."""

import ctypes
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes import POINTER, c_int, c_int32, c_size_t, c_uint, c_uint16, c_uint32, c_void_p, c_wchar_p
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Platform, Window, clipboard
from desktop_agent.screenshot import take_screenshots
from protocol.errors import DesktopUnavailable, EditorOutOfReach, NoEditorThere
from protocol.geometry import Box, ScreenPoint

PER_MONITOR_AWARE_V2 = -4  # DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2: all points are real pixels
GA_ROOT, SW_RESTORE = 2, 9
PROCESS_QUERY_LIMITED_INFORMATION, TOKEN_QUERY, TOKEN_ELEVATION = 0x1000, 0x0008, 20
LONGEST_TEXT = 1024
NO_EDITORS = frozenset({"Progman", "WorkerW", "Shell_TrayWnd", "Shell_SecondaryTrayWnd"})  # the desktop, the taskbars
DIALOG = "#32770"

INPUT_MOUSE, INPUT_KEYBOARD = 0, 1
KEYUP, EXTENDED = 0x0002, 0x0001  # KEYEVENTF_
LEFT_DOWN, LEFT_UP, RIGHT_DOWN, RIGHT_UP = 0x0002, 0x0004, 0x0008, 0x0010  # MOUSEEVENTF_
SM_SWAPBUTTON = 23
DRAG_STEPS, DRAG_STEP_S = 12, 0.02  # editors follow a pointer, they do not expect it to jump

ALT = 0x12
# The left and the right one each, because that is what a user holds.
MODIFIERS = (0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0x5B, 0x5C)  # shift, ctrl, alt, win
EXTENDED_KEYS = frozenset({0xA3, 0xA5, 0x5B, 0x5C, 0x2E, 0x25, 0x26, 0x27, 0x28})  # told apart from the number pad's
NAMED_KEYS = {character: ord(character.upper()) for character in "abcdefghijklmnopqrstuvwxyz0123456789"}
NAMED_KEYS |= {f"f{number}": 0x6F + number for number in range(1, 13)}
NAMED_KEYS |= {"ctrl": 0x11, "shift": 0x10, "alt": ALT, "win": 0x5B, "enter": 0x0D, "esc": 0x1B, "tab": 0x09}
NAMED_KEYS |= {"left": 0x25, "up": 0x26, "right": 0x27, "down": 0x28, "delete": 0x2E, "backspace": 0x08, "space": 0x20}


GMEM_MOVEABLE = 0x0002
HWND_MESSAGE = -3
OPEN_TRIES, OPEN_WAIT_S = 20, 0.025  # another program may hold the clipboard for a moment
MOST_BYTES = 256 * 2**20  # of one format; more is not kept
# These are no memory that can be copied: bitmaps, metafiles, palettes, what the owner draws, private ones.
NO_MEMORY = frozenset({2, 3, 9, 14, 0x80, 0x82, 0x83, 0x8E, *range(0x200, 0x400)})


class Point(ctypes.Structure):
    """POINT."""

    _fields_ = (("x", c_int32), ("y", c_int32))


class Rect(ctypes.Structure):
    """RECT."""

    _fields_ = (("left", c_int32), ("top", c_int32), ("right", c_int32), ("bottom", c_int32))


class MouseInput(ctypes.Structure):
    """MOUSEINPUT."""

    _fields_ = (
        *(("dx", c_int32), ("dy", c_int32), ("mouse_data", c_uint32), ("flags", c_uint32)),
        *(("time", c_uint32), ("extra_info", c_size_t)),
    )


class KeyboardInput(ctypes.Structure):
    """KEYBDINPUT."""

    _fields_ = (
        *(("virtual_key", c_uint16), ("scan_code", c_uint16), ("flags", c_uint32)),
        *(("time", c_uint32), ("extra_info", c_size_t)),
    )


class _AnyInput(ctypes.Union):
    _fields_ = (("mouse", MouseInput), ("keyboard", KeyboardInput))


class Input(ctypes.Structure):
    """INPUT."""

    _anonymous_ = ("any",)
    _fields_ = (("type", c_uint32), ("any", _AnyInput))


# What each function returns and takes. Sizes are Windows' own, not those of ctypes.wintypes, which differ elsewhere.
PROTOTYPES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "user32": {
        "SetProcessDpiAwarenessContext": (c_int, c_void_p),
        "WindowFromPoint": (c_void_p, Point),
        "GetAncestor": (c_void_p, c_void_p, c_uint),
        "GetForegroundWindow": (c_void_p,),
        "SetForegroundWindow": (c_int, c_void_p),
        "IsIconic": (c_int, c_void_p),
        "ShowWindow": (c_int, c_void_p, c_int),
        "GetClassNameW": (c_int, c_void_p, c_wchar_p, c_int),
        "GetWindowTextW": (c_int, c_void_p, c_wchar_p, c_int),
        "GetWindowRect": (c_int, c_void_p, POINTER(Rect)),
        "GetWindowThreadProcessId": (c_uint32, c_void_p, POINTER(c_uint32)),
        "SendInput": (c_uint, c_uint, POINTER(Input), c_int),
        "GetAsyncKeyState": (ctypes.c_short, c_int),
        "GetCursorPos": (c_int, POINTER(Point)),
        "SetCursorPos": (c_int, c_int, c_int),
        "GetSystemMetrics": (c_int, c_int),
        "OpenClipboard": (c_int, c_void_p),
        "CloseClipboard": (c_int,),
        "EmptyClipboard": (c_int,),
        "EnumClipboardFormats": (c_uint, c_uint),
        "GetClipboardData": (c_void_p, c_uint),
        "SetClipboardData": (c_void_p, c_uint, c_void_p),
        "CreateWindowExW": (
            *(c_void_p, c_uint32, c_wchar_p, c_wchar_p, c_uint32),
            *(c_int, c_int, c_int, c_int, c_void_p, c_void_p, c_void_p, c_void_p),
        ),
        "DestroyWindow": (c_int, c_void_p),
    },
    "kernel32": {
        "OpenProcess": (c_void_p, c_uint32, c_int, c_uint32),
        "GetCurrentProcess": (c_void_p,),
        "CloseHandle": (c_int, c_void_p),
        "QueryFullProcessImageNameW": (c_int, c_void_p, c_uint32, c_wchar_p, POINTER(c_uint32)),
        "GlobalAlloc": (c_void_p, c_uint, c_size_t),
        "GlobalFree": (c_void_p, c_void_p),
        "GlobalLock": (c_void_p, c_void_p),
        "GlobalUnlock": (c_int, c_void_p),
        "GlobalSize": (c_size_t, c_void_p),
    },
    "advapi32": {
        "OpenProcessToken": (c_int, c_void_p, c_uint32, POINTER(c_void_p)),
        "GetTokenInformation": (c_int, c_void_p, c_int, c_void_p, c_uint32, POINTER(c_uint32)),
    },
}


@dataclass(frozen=True)
class Libraries:
    """Windows' own, each function with its prototype."""

    user32: Any
    kernel32: Any
    advapi32: Any


def connect() -> Platform:
    """The desktop of this session.

    Raises:
        DesktopUnavailable: this Windows is too old.
    """
    libraries = load(ctypes.__dict__["WinDLL"])  # looked up so, because only Windows has it
    see_real_pixels(libraries)
    windows, keys = Win32Windows(libraries), Win32Input(libraries)
    return Platform("Windows", windows, take_screenshots, keys, Win32Clipboard(libraries, clipboard.copy))


def load(library: Callable[[str], Any]) -> Libraries:
    """Give each function its prototype.

    Args:
        library: opens one by its name, as ctypes.WinDLL does.

    Raises:
        DesktopUnavailable: a function is missing.
    """
    libraries = Libraries(*(library(name) for name in PROTOTYPES))
    for name, functions in PROTOTYPES.items():
        for function_name, (result, *arguments) in functions.items():
            try:
                function = getattr(getattr(libraries, name), function_name)
            except AttributeError as error:
                raise DesktopUnavailable("Windows 10 of 2017 or newer is needed.") from error
            function.restype, function.argtypes = result, arguments
    return libraries


def see_real_pixels(libraries: Libraries) -> None:
    """Ask for real pixels on every monitor, before anything else is asked; harmless where that was done before."""
    libraries.user32.SetProcessDpiAwarenessContext(PER_MONITOR_AWARE_V2)


class Win32Windows:
    """The windows."""

    def __init__(self, libraries: Libraries) -> None:
        """Args: libraries: Windows' own."""
        self._user32 = libraries.user32
        self._kernel32 = libraries.kernel32
        self._advapi32 = libraries.advapi32

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window there, unless it takes no input from this program."""
        inner = self._user32.WindowFromPoint(Point(round(point.x), round(point.y)))
        number = self._user32.GetAncestor(inner, GA_ROOT) if inner else None
        if not number or self._text(self._user32.GetClassNameW, number) in NO_EDITORS:
            raise NoEditorThere
        window = self._describe(number)
        if self._is_out_of_reach(number):
            raise EditorOutOfReach(f"({window.program})")
        return window

    def focused(self) -> Window | None:
        """The foreground window; None while the screen is locked."""
        number = self._user32.GetForegroundWindow()
        return self._describe(number) if number else None

    def focus(self, window: Window) -> None:
        """Bring it to the foreground, which Windows allows a program in the background only while Alt is pressed."""
        if self._user32.IsIconic(window.number):
            self._user32.ShowWindow(window.number, SW_RESTORE)
        self._user32.SetForegroundWindow(window.number)
        if self._user32.GetForegroundWindow() != window.number:
            # Documented with LockSetForegroundWindow: the Alt key unlocks what keeps windows from coming forward.
            _send(self._user32, [_key(ALT)])
            self._user32.SetForegroundWindow(window.number)
            _send(self._user32, [_key(ALT, KEYUP)])

    def _describe(self, number: int) -> Window:
        process = self._process(number)
        rect = Rect()
        box = None
        if self._user32.GetWindowRect(number, ctypes.byref(rect)):
            box = Box(rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top)
        kind, title = self._text(self._user32.GetClassNameW, number), self._text(self._user32.GetWindowTextW, number)
        program = PureWindowsPath(process).stem or "a program without a name"
        return Window(number, program, process, title, box, is_dialog=kind == DIALOG)

    def _process(self, number: int) -> str:
        with self._opened_process(number) as process:
            name, length = ctypes.create_unicode_buffer(LONGEST_TEXT), c_uint32(LONGEST_TEXT)
            if process and self._kernel32.QueryFullProcessImageNameW(process, 0, name, ctypes.byref(length)):
                return PureWindowsPath(name.value).name
        return ""

    def _is_out_of_reach(self, number: int) -> bool:
        """Windows drops what is typed at programs that run as administrator, and tells nobody."""
        if self._is_elevated(self._kernel32.GetCurrentProcess()):
            return False
        with self._opened_process(number) as process:
            return self._is_elevated(process)

    def _is_elevated(self, process: int | None) -> bool:
        """Whether it runs as administrator; so does one whose rights may not even be read."""
        token, elevation, size = c_void_p(), c_uint32(), c_uint32()
        if not process or not self._advapi32.OpenProcessToken(process, TOKEN_QUERY, ctypes.byref(token)):
            return True
        try:
            is_read = self._advapi32.GetTokenInformation(
                token, TOKEN_ELEVATION, ctypes.byref(elevation), ctypes.sizeof(elevation), ctypes.byref(size)
            )
            return not is_read or bool(elevation.value)
        finally:
            self._kernel32.CloseHandle(token)

    @contextmanager
    def _opened_process(self, number: int) -> Iterator[int | None]:
        process_id = c_uint32()
        self._user32.GetWindowThreadProcessId(number, ctypes.byref(process_id))
        process = self._kernel32.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, False, process_id.value)
        try:
            yield process
        finally:
            if process:
                self._kernel32.CloseHandle(process)

    def _text(self, read: Callable[[int, Any, int], int], number: int) -> str:
        text = ctypes.create_unicode_buffer(LONGEST_TEXT)
        read(number, text, LONGEST_TEXT)
        return text.value


class Win32Input:
    """The keyboard and the pointer."""

    command_key = "ctrl"

    def __init__(self, libraries: Libraries) -> None:
        """Args: libraries: Windows' own."""
        self._user32 = libraries.user32

    def press(self, *keys: str) -> None:
        """Press keys together, in one go that nothing the user types can come between."""
        held = [code for code in MODIFIERS if self._user32.GetAsyncKeyState(code) & 0x8000]
        codes = [NAMED_KEYS[key] for key in keys]
        lifted = [_key(code, KEYUP) for code in held]
        pressed = [_key(code) for code in codes] + [_key(code, KEYUP) for code in reversed(codes)]
        _send(self._user32, [*lifted, *pressed, *(_key(code) for code in held)])

    def pointer(self) -> ScreenPoint | None:
        """Where it is; None while the screen is locked."""
        point = Point()
        return ScreenPoint(point.x, point.y) if self._user32.GetCursorPos(ctypes.byref(point)) else None

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let it hover there."""
        if not self._user32.SetCursorPos(round(point.x), round(point.y)):
            raise DesktopUnavailable("Is the screen locked?")

    def click(self, point: ScreenPoint) -> None:
        """Click once."""
        self.move_pointer(point)
        _send(self._user32, [_button(flag) for flag in self._selecting_button()])

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Drag in small steps."""
        down, up = self._selecting_button()
        self.move_pointer(start)
        _send(self._user32, [_button(down)])
        try:
            for step in range(1, DRAG_STEPS + 1):
                time.sleep(DRAG_STEP_S)
                share = step / DRAG_STEPS
                self.move_pointer(ScreenPoint(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)))
        finally:
            _send(self._user32, [_button(up)])

    def _selecting_button(self) -> tuple[int, int]:
        is_swapped = self._user32.GetSystemMetrics(SM_SWAPBUTTON)
        return (RIGHT_DOWN, RIGHT_UP) if is_swapped else (LEFT_DOWN, LEFT_UP)


def _key(code: int, flags: int = 0) -> Input:
    flags |= EXTENDED if code in EXTENDED_KEYS else 0
    return Input(type=INPUT_KEYBOARD, keyboard=KeyboardInput(virtual_key=code, flags=flags))


def _button(flags: int) -> Input:
    return Input(type=INPUT_MOUSE, mouse=MouseInput(flags=flags))


def _send(user32: Any, inputs: Sequence[Input]) -> None:
    array = (Input * len(inputs))(*inputs)
    if user32.SendInput(len(inputs), array, ctypes.sizeof(Input)) != len(inputs):
        raise DesktopUnavailable("Windows takes no input from this program just now. Is the screen locked?")


Formats = Sequence[tuple[int, bytes]]  # the number of a clipboard format, its bytes


class Win32Clipboard:
    """The clipboard; what was there is kept in every format that is memory, so Word gets back what is Word's."""

    def __init__(self, libraries: Libraries, copy: Callable[[Cutout], None]) -> None:
        """Args: libraries: Windows' own. copy: puts a cutout there, as PNG and as bitmap."""
        self._user32 = libraries.user32
        self._kernel32 = libraries.kernel32
        self.copy = copy

    def save(self) -> Formats:
        """Every format that is memory; Windows makes the others from these."""
        with self._opened(None):
            formats = []
            number = 0
            while number := self._user32.EnumClipboardFormats(number):
                content = None if number in NO_MEMORY else self._read(number)
                if content is not None:
                    formats.append((number, content))
            return formats

    def restore(self, saved: Formats) -> None:
        """Put back every format."""
        # A window, because what is set belongs to nobody otherwise, and Windows refuses it.
        owner = self._user32.CreateWindowExW(0, "STATIC", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None, None)
        try:
            with self._opened(owner):
                self._user32.EmptyClipboard()
                for number, content in saved:
                    self._write(number, content)
        finally:
            self._user32.DestroyWindow(owner)

    def _read(self, number: int) -> bytes | None:
        memory = self._user32.GetClipboardData(number)
        size = self._kernel32.GlobalSize(memory) if memory else 0
        if not 0 < size <= MOST_BYTES:
            return None
        start = self._kernel32.GlobalLock(memory)
        try:
            return ctypes.string_at(start, size) if start else None
        finally:
            self._kernel32.GlobalUnlock(memory)

    def _write(self, number: int, content: bytes) -> None:
        memory = self._kernel32.GlobalAlloc(GMEM_MOVEABLE, len(content))
        start = self._kernel32.GlobalLock(memory) if memory else None
        if not start:
            raise DesktopUnavailable("There is no memory left for the clipboard.")
        ctypes.memmove(start, content, len(content))
        self._kernel32.GlobalUnlock(memory)
        if not self._user32.SetClipboardData(number, memory):  # from then on it is Windows'
            self._kernel32.GlobalFree(memory)

    @contextmanager
    def _opened(self, owner: int | None) -> Iterator[None]:
        for _ in range(OPEN_TRIES):
            if self._user32.OpenClipboard(owner):
                break
            time.sleep(OPEN_WAIT_S)
        else:
            raise DesktopUnavailable("Another program keeps the clipboard to itself.")
        try:
            yield
        finally:
            self._user32.CloseClipboard()
