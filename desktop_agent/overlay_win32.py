"""An overlay's windows on Windows: layered, so that they have holes and pass clicks on."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import POINTER, c_int, c_int32, c_uint, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p, c_wchar_p
from typing import Any

import numpy as np

from desktop_agent.overlay_message import Patch

PER_MONITOR_AWARE_V2 = -4  # patches lie on real pixels
TOPMOST, TRANSPARENT, TOOL_WINDOW, LAYERED, NO_ACTIVATE = 0x8, 0x20, 0x80, 0x80000, 0x8000000  # WS_EX_
POPUP = 0x80000000  # WS_
SHOW_NO_ACTIVATE = 4  # SW_
EXCLUDE_FROM_CAPTURE = 0x11  # WDA_; before Windows 10 of 2020 it fails, and screenshots are cleaned of the patches
ALPHA, SOURCE_ALPHA = 2, 1  # ULW_, AC_
REMOVE = 1  # PM_


class Pair(ctypes.Structure):
    """POINT and SIZE."""

    _fields_ = (("x", c_int32), ("y", c_int32))


class BitmapInfoHeader(ctypes.Structure):
    """BITMAPINFOHEADER."""

    _fields_ = (
        *(("size", c_uint32), ("width", c_int32), ("height", c_int32), ("planes", c_uint16), ("bit_count", c_uint16)),
        *(("compression", c_uint32), ("size_image", c_uint32), ("x_per_metre", c_int32), ("y_per_metre", c_int32)),
        *(("colours_used", c_uint32), ("colours_important", c_uint32)),
    )


class BlendFunction(ctypes.Structure):
    """BLENDFUNCTION."""

    _fields_ = (("operation", c_uint8), ("flags", c_uint8), ("constant_alpha", c_uint8), ("alpha_format", c_uint8))


Message = c_uint64 * 6  # MSG: 48 bytes on 64 bits

PROTOTYPES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "user32": {
        "SetProcessDpiAwarenessContext": (c_int, c_void_p),
        "CreateWindowExW": (
            *(c_void_p, c_uint32, c_wchar_p, c_wchar_p, c_uint32),
            *(c_int, c_int, c_int, c_int, c_void_p, c_void_p, c_void_p, c_void_p),
        ),
        "SetWindowDisplayAffinity": (c_int, c_void_p, c_uint32),
        "UpdateLayeredWindow": (
            *(c_int, c_void_p, c_void_p, POINTER(Pair), POINTER(Pair), c_void_p, POINTER(Pair)),
            *(c_uint32, POINTER(BlendFunction), c_uint32),
        ),
        "ShowWindow": (c_int, c_void_p, c_int),
        "DestroyWindow": (c_int, c_void_p),
        "PeekMessageW": (c_int, POINTER(Message), c_void_p, c_uint, c_uint, c_uint),
        "DispatchMessageW": (c_void_p, POINTER(Message)),
    },
    "gdi32": {
        "CreateCompatibleDC": (c_void_p, c_void_p),
        "CreateDIBSection": (
            *(c_void_p, c_void_p, POINTER(BitmapInfoHeader), c_uint, POINTER(c_void_p), c_void_p, c_uint32),
        ),
        "SelectObject": (c_void_p, c_void_p, c_void_p),
        "DeleteObject": (c_int, c_void_p),
        "DeleteDC": (c_int, c_void_p),
    },
    "dwmapi": {"DwmFlush": (c_int32,)},
}


def open_windows() -> "LayeredWindows":
    """On this desktop. Raises OSError if this Windows is too old."""
    return LayeredWindows(ctypes.__dict__["WinDLL"])  # looked up so, because only Windows has it


class LayeredWindows:
    """The windows, one for each patch."""

    attends_every_s: float | None = 0.1  # who speaks to all windows at once waits for each

    def __init__(self, library: Callable[[str], Any]) -> None:
        """Args: library: opens one by its name, as ctypes.WinDLL does."""
        self._user32, self._gdi32, self._dwmapi = (_load(library(name), PROTOTYPES[name]) for name in PROTOTYPES)
        self._user32.SetProcessDpiAwarenessContext(PER_MONITOR_AWARE_V2)
        self._windows: list[int] = []

    def show(self, patches: Sequence[Patch]) -> None:
        """Show these instead of those before; returns once they are on the screen."""
        before, self._windows = self._windows, [self._open(patch) for patch in patches]
        for window in before:
            self._user32.DestroyWindow(window)
        self.attend()
        self._dwmapi.DwmFlush()

    def attend(self) -> None:
        """Let Windows have its answers."""
        message = Message()
        while self._user32.PeekMessageW(ctypes.byref(message), None, 0, 0, REMOVE):
            self._user32.DispatchMessageW(ctypes.byref(message))

    def _open(self, patch: Patch) -> int:
        height, width = patch.pixels.shape[:2]
        style = TOPMOST | TRANSPARENT | TOOL_WINDOW | LAYERED | NO_ACTIVATE
        box = (round(patch.x), round(patch.y), width, height)
        window = self._user32.CreateWindowExW(style, "Static", None, POPUP, *box, None, None, None, None)
        if not window:
            raise OSError("Windows opens no window")
        self._user32.SetWindowDisplayAffinity(window, EXCLUDE_FROM_CAPTURE)
        self._paint(window, patch)
        self._user32.ShowWindow(window, SHOW_NO_ACTIVATE)
        return int(window)

    def _paint(self, window: int, patch: Patch) -> None:
        height, width = patch.pixels.shape[:2]
        bgra = patch.pixels[:, :, [2, 1, 0, 3]] * (patch.pixels[:, :, 3:] > 0)  # colours multiplied with their alpha
        header = BitmapInfoHeader(size=ctypes.sizeof(BitmapInfoHeader), planes=1, bit_count=32)
        header.width, header.height = width, -height  # from the top
        context, memory = self._gdi32.CreateCompatibleDC(None), c_void_p()
        bitmap = self._gdi32.CreateDIBSection(context, ctypes.byref(header), 0, ctypes.byref(memory), None, 0)
        if not bitmap:
            raise OSError("Windows has no memory for a picture")
        ctypes.memmove(memory, np.ascontiguousarray(bgra).tobytes(), bgra.nbytes)
        before = self._gdi32.SelectObject(context, bitmap)
        place, size, corner = Pair(round(patch.x), round(patch.y)), Pair(width, height), Pair(0, 0)
        blend = BlendFunction(constant_alpha=255, alpha_format=SOURCE_ALPHA)
        is_painted = self._user32.UpdateLayeredWindow(window, None, place, size, context, corner, 0, blend, ALPHA)
        self._gdi32.SelectObject(context, before)
        self._gdi32.DeleteObject(bitmap)
        self._gdi32.DeleteDC(context)
        if not is_painted:
            raise OSError("Windows paints no window")


def _load(library: Any, functions: Mapping[str, tuple[Any, ...]]) -> Any:
    for name, (returned, *arguments) in functions.items():
        function = getattr(library, name, None)
        if function is None:
            raise OSError("this Windows is too old")
        function.restype, function.argtypes = returned, arguments
    return library
