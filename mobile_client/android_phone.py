"""What only an Android phone has: its camera behind a permission, the link it was opened with, and a tick to feel.

None of this could be run where it was written: there was no Android there. It is kept thin and was checked against the
sources of Kivy 2.3.1 (`kivy/core/camera/camera_android.py`) and of python-for-android 2026.5.9
(`android/permissions.py`, `android/activity.py`).
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from android import activity, mActivity
from android.permissions import Permission, request_permissions
from jnius import autoclass
from kivy.clock import mainthread

from mobile_client.camera import Shot
from mobile_client.clients import Picture
from protocol.errors import CameraUnavailable
from protocol.pairing import SCHEME

RESOLUTION = (1280, 720)  # every phone's camera has it
BACK_CAMERA = 0
TICK_MS = 12


class AndroidCamera:
    """The back camera through Kivy's provider, read from its texture.

    The provider's `read_frame` needs OpenCV and a NumPy before 2.3, so pixels are read back from the GPU instead. It
    has no still pictures: a photo is the newest frame. Camera and OpenGL want the UI thread.
    """

    def __init__(self) -> None:
        self._provider: Any = None
        self._turns = 0
        self._is_wanted = False
        self._frame: Shot | None = None

    def start(self) -> None:
        """Ask for the permission; the camera is opened once the user has agreed, and never before on_start."""
        self._is_wanted = True
        request_permissions([Permission.CAMERA], self._permission_answered)

    def stop(self) -> None:
        """Release the camera."""
        self._is_wanted = False
        self._frame = None
        if self._provider is not None:
            self._provider._release_camera()  # `stop` alone keeps the camera from other apps
            self._provider = None

    def frame(self) -> Shot | None:
        """See `Camera`."""
        if self._provider is None or self._provider.texture is None:
            return None
        self._frame = Shot(upright(self._provider.texture, self._turns), time.monotonic())
        return self._frame

    def take_photo(self) -> Shot:
        """See `Camera`."""
        if self._frame is None:
            raise CameraUnavailable
        return self._frame

    @mainthread  # type: ignore[untyped-decorator]  # Kivy has no types; Java answers in a thread of its own
    def _permission_answered(self, _permissions: list[str], grants: list[bool]) -> None:
        if not (self._is_wanted and grants and all(grants)):
            return
        from kivy.core.camera.camera_android import CameraAndroid  # importing it looks up Java classes

        self._turns = _camera_orientation_deg() // 90
        self._provider = CameraAndroid(index=BACK_CAMERA, resolution=RESOLUTION)


def upright(texture: Any, clockwise_turns: int) -> Picture:
    """Read a camera's texture as an upright (H, W, 3) uint8 RGB picture.

    OpenGL's rows run upwards, and the sensor is mounted so many quarter turns off.
    """
    width, height = texture.size
    pixels = np.frombuffer(texture.pixels, np.uint8).reshape(height, width, 4)
    return np.ascontiguousarray(np.rot90(pixels[::-1, :, :3], k=-clockwise_turns))


def _camera_orientation_deg() -> int:
    """How far the camera's picture must be turned clockwise to stand upright: 90 on most phones, 270 on a few."""
    facts = autoclass("android.hardware.Camera$CameraInfo")()
    autoclass("android.hardware.Camera").getCameraInfo(BACK_CAMERA, facts)
    return int(facts.orientation)


def listen_for_links(open_link: Callable[[str], None]) -> None:
    """Pass on the link that opened the app, and each link that it is opened with while it runs."""

    @mainthread  # type: ignore[untyped-decorator]  # Kivy has no types; Java calls in a thread of its own
    def take_link(intent: Any) -> None:
        link = intent.getDataString()
        if link and link.startswith(f"{SCHEME}:"):
            open_link(link)

    activity.bind(on_new_intent=take_link)
    take_link(mActivity.getIntent())


def vibrate() -> None:
    """A tick under the finger."""
    context = autoclass("android.content.Context")
    mActivity.getSystemService(context.VIBRATOR_SERVICE).vibrate(TICK_MS)
