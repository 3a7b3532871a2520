"""What the cameras deliver."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mobile_client.camera import FileCamera, WebcamCamera, crop_to_aspect
from mobile_client.clients import Picture
from protocol.errors import SettingsInvalid, WebcamUnavailable

RED, BLUE = (250, 10, 10), (10, 10, 250)


def write(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    Image.new("RGB", size, colour).save(path)


def test_a_file_is_what_the_camera_sees(tmp_path: Path) -> None:
    write(tmp_path / "a.png", RED)
    camera = FileCamera(tmp_path / "a.png")
    camera.start()
    assert camera.take_photo().picture.shape == (30, 40, 3)
    assert (camera.take_photo().picture == RED).all()


def test_a_replaced_file_is_seen_at_once(tmp_path: Path) -> None:
    write(tmp_path / "a.png", RED)
    camera = FileCamera(tmp_path / "a.png")
    camera.frame()
    write(tmp_path / "b.png", BLUE)
    (tmp_path / "b.png").replace(tmp_path / "a.png")
    assert (camera.take_photo().picture == BLUE).all()


def test_a_half_written_file_leaves_the_last_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write(path, RED)
    camera = FileCamera(path)
    camera.frame()
    path.write_bytes(path.read_bytes()[:40])
    assert (camera.take_photo().picture == RED).all()


def test_a_frame_is_the_same_object_until_the_file_changes(tmp_path: Path) -> None:
    write(tmp_path / "a.png", RED)
    camera = FileCamera(tmp_path / "a.png")
    first, second = camera.frame(), camera.frame()
    assert first is not None
    assert second is not None
    assert first.picture is second.picture


def test_a_frame_is_small_and_a_photo_is_not(tmp_path: Path) -> None:
    write(tmp_path / "a.jpg", RED, (3000, 1500))
    camera = FileCamera(tmp_path / "a.jpg")
    frame = camera.frame()
    assert frame is not None
    assert frame.picture.shape == (640, 1280, 3)
    assert camera.take_photo().picture.shape == (1500, 3000, 3)


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    Image.new("RGB", (40, 30), RED).save(tmp_path / "a.jpg", exif=exif)
    assert FileCamera(tmp_path / "a.jpg").take_photo().picture.shape == (40, 30, 3)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (40, 30)).save(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"))
    path = next(tmp_path.iterdir())
    assert FileCamera(path).take_photo().picture.shape == (30, 40, 3)


def test_a_missing_file_is_called_so_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "nothing.png"
    with pytest.raises(SettingsInvalid) as caught:
        FileCamera(path).start()
    assert caught.value.fact == f"There is no file {path}."


def test_a_file_that_is_no_picture_is_called_so_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("hello")
    with pytest.raises(SettingsInvalid) as caught:
        FileCamera(path).start()
    assert caught.value.fact == f"{path} is not a picture."


def test_a_missing_webcam_is_called_so_and_what_to_use_instead() -> None:
    with pytest.raises(WebcamUnavailable) as caught:
        WebcamCamera(77).start()
    assert caught.value.sentence.startswith("There is no such webcam")
    assert "`--camera webcam:1`" in caught.value.sentence
    assert "`--camera file:PATH`" in caught.value.sentence
    assert caught.value.sentence.endswith("(`python -m mobile_client` tried webcam 77.)")


def test_without_opencv_a_webcam_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SettingsInvalid, match=r"A webcam needs OpenCV: pip install"):
        WebcamCamera().start()


def test_a_file_is_seen_when_it_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "a.png", RED)
    camera = FileCamera(tmp_path / "a.png")
    camera.start()
    before_s = time.monotonic()
    assert before_s <= camera.take_photo().taken_s <= time.monotonic()


class FakeWebcam:
    """Gives black pictures of 640 x 480 until asked for more, as OpenCV's do, but of no more than `most`."""

    def __init__(self, most: tuple[int, int]) -> None:
        self.most = most
        self.sizes = {cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480}

    def isOpened(self) -> bool:  # noqa: N802  # OpenCV's name
        return True

    def set(self, prop: int, value: float) -> bool:
        is_known = prop in self.sizes
        if is_known:
            self.sizes[prop] = int(min(value, self.most[prop == cv2.CAP_PROP_FRAME_HEIGHT]))
        return is_known

    def read(self) -> tuple[bool, Picture]:
        width, height = self.sizes.values()
        return True, np.zeros((height, width, 3), np.uint8)

    def release(self) -> None:
        pass


@pytest.mark.parametrize("most", [(1920, 1080), (1280, 720)])
def test_a_webcam_is_asked_for_its_best_and_may_give_less(
    monkeypatch: pytest.MonkeyPatch, most: tuple[int, int]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda _index: FakeWebcam(most))
    camera = WebcamCamera()
    camera.start()
    while camera.frame() is None:
        time.sleep(0.01)
    photo, frame = camera.take_photo(), camera.frame()
    camera.stop()
    assert photo.picture.shape == (*most[::-1], 3)
    assert frame is not None
    assert frame.picture.shape == (720, 1280, 3)


def test_a_webcams_photo_says_when_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda _index: FakeWebcam((640, 480)))
    camera = WebcamCamera()
    before_s = time.monotonic()
    camera.start()
    while camera.frame() is None:
        time.sleep(0.01)
    first = camera.take_photo()
    while camera.take_photo() is first:
        time.sleep(0.01)
    second = camera.take_photo()
    camera.stop()
    assert before_s <= first.taken_s < second.taken_s <= time.monotonic()


@pytest.mark.parametrize(
    ("aspect", "shape"), [(1.0, (30, 30, 3)), (0.5, (30, 15, 3)), (4.0, (10, 40, 3)), (40 / 30, (30, 40, 3))]
)
def test_a_crop_is_the_largest_of_its_aspect(aspect: float, shape: tuple[int, int, int]) -> None:
    assert crop_to_aspect(np.zeros((30, 40, 3), np.uint8), aspect).shape == shape


def test_a_crop_keeps_the_centre() -> None:
    picture = np.zeros((31, 41, 3), np.uint8)
    picture[15, 20] = 255
    crop = crop_to_aspect(picture, 0.5)
    assert crop[crop.shape[0] // 2, crop.shape[1] // 2].all()


def test_flow_clients_camera_and_pairing_do_not_import_kivy() -> None:
    code = "import sys, mobile_client.flow, mobile_client.clients, mobile_client.camera, mobile_client.pairing as p; "
    code += "print([name for name in sys.modules if name.split('.')[0] in ('kivy', 'cv2', 'torch', 'flask')])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert printed.stdout.strip() == "[]"
