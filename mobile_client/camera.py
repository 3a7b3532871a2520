"""Where photos and views come from: one small seam, with a picture file or a webcam behind it."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageOps

from mobile_client.clients import Picture, fit_within
from protocol.errors import SettingsInvalid, WebcamUnavailable

FRAME_LONG_SIDE = 1280  # pixels; uploading more to the screen costs time and shows nothing
WEBCAM_SIZE = (1920, 1080)  # asked for, since OpenCV's default is 640 x 480; a webcam that has less gives that


@dataclass(frozen=True)
class Shot:
    """What a camera saw."""

    picture: Picture  # (H, W, 3) uint8, RGB; the same object until there is a newer one
    taken_s: float  # when, by this phone's own clock, time.monotonic


class Camera(Protocol):
    """A camera as the app sees it; called on the UI thread only."""

    def start(self) -> None:
        """Begin to deliver frames.

        Raises:
            CameraUnavailable, SettingsInvalid: it is known already that there will be none.
        """

    def stop(self) -> None:
        """Let go of the camera, so that other apps may use it."""

    def frame(self) -> Shot | None:
        """The newest preview frame; None before the first."""

    def take_photo(self) -> Shot:
        """What the camera sees now at its best resolution.

        Raises:
            CameraUnavailable: there is no picture to be had.
        """


def crop_to_aspect(picture: Picture, aspect: float) -> Picture:
    """The largest centred part of a (H, W, 3) picture whose width / height is `aspect`: what a full window shows."""
    height, width = picture.shape[:2]
    crop_width = min(width, max(1, round(height * aspect)))
    crop_height = min(height, max(1, round(width / aspect)))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return picture[top : top + crop_height, left : left + crop_width]


class FileCamera:
    """Sees what a picture file holds, and a replaced file at once: for demos, tests and computers without a camera."""

    def __init__(self, path: Path) -> None:
        """Args: path: any picture that Pillow reads; its EXIF rotation is applied."""
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._photo: Picture | None = None
        self._frame: Picture | None = None

    def start(self) -> None:
        """See `Camera`."""
        if not self._path.is_file():
            raise SettingsInvalid(f"There is no file {self._path}.")
        self.take_photo()

    def stop(self) -> None:
        """See `Camera`."""

    def frame(self) -> Shot | None:
        """See `Camera`."""
        self._look()
        return Shot(self._frame, time.monotonic()) if self._frame is not None else None

    def take_photo(self) -> Shot:
        """See `Camera`."""
        self._look()
        if self._photo is None:
            raise SettingsInvalid(f"{self._path} is not a picture.")
        return Shot(self._photo, time.monotonic())

    def _look(self) -> None:
        """Read the file if it changed; a file that is missing or half written leaves the last picture."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._photo = _read_picture(self._path)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return
        self._frame = fit_within(self._photo, FRAME_LONG_SIDE)


def _read_picture(path: Path) -> Picture:
    with Image.open(path) as picture:
        return np.array(ImageOps.exif_transpose(picture).convert("RGB"))


class WebcamCamera:
    """A webcam through OpenCV, read by a thread of its own."""

    def __init__(self, index: int = 0) -> None:
        """Args: index: OpenCV's number of the webcam."""
        self._index = index
        self._photo: Shot | None = None
        self._frame: Shot | None = None
        self._is_running = False
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """See `Camera`."""
        os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # our own sentence says that there is no webcam
        try:
            import cv2
        except ImportError as error:
            raise SettingsInvalid(
                "A webcam needs OpenCV: pip install -e '.[webcam]' in the project's folder."
            ) from error
        webcam = cv2.VideoCapture(self._index)
        if not webcam.isOpened():
            raise self._unavailable()
        webcam.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # USB 2 carries raw ones five times a second
        webcam.set(cv2.CAP_PROP_FRAME_WIDTH, WEBCAM_SIZE[0])
        webcam.set(cv2.CAP_PROP_FRAME_HEIGHT, WEBCAM_SIZE[1])
        self._is_running = True
        self._reader = threading.Thread(target=self._read, args=(webcam,), daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """See `Camera`."""
        self._is_running = False
        if self._reader is not None:
            self._reader.join(timeout=1.0)

    def frame(self) -> Shot | None:
        """See `Camera`."""
        return self._frame

    def take_photo(self) -> Shot:
        """See `Camera`."""
        if self._photo is None:
            raise self._unavailable()
        return self._photo

    def _unavailable(self) -> WebcamUnavailable:
        return WebcamUnavailable(f"(`python -m mobile_client` tried webcam {self._index}.)")

    def _read(self, webcam: Any) -> None:
        """Keep the newest frame until stopped or unplugged."""
        import cv2

        while self._is_running:
            is_read, frame_bgr = webcam.read()
            taken_s = time.monotonic()
            if not is_read:
                break
            photo = np.ascontiguousarray(frame_bgr[..., ::-1])
            scale = min(1.0, FRAME_LONG_SIDE / max(photo.shape))
            small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            self._photo = Shot(photo, taken_s)
            self._frame = Shot(np.asarray(small, np.uint8), taken_s)  # `fit_within` takes longer than the next frame
        self._photo = self._frame = None
        webcam.release()
