"""screenshot -> what a phone's camera sees of that monitor, with the truth of where its centre points.

A pinhole camera before a monitor on a desk: tilted, too close to see all of it, a little out of focus, noisy,
darker towards the corners and with warm light. The screen's plane carries the room around it, too.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from protocol.geometry import ScreenPoint, view_centre

Picture = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

SUPERSAMPLING = 2  # rays along each side of a view pixel
ROOM_MARGIN = 0.6  # of the screen's width, on each side
BEZEL_PX = 26


@dataclass(frozen=True)
class Pose:
    """How the phone is held before the screen point that it aims at."""

    yaw_deg: float = 14.0
    pitch_deg: float = -9.0
    roll_deg: float = 4.0
    screen_in_view: float = 0.95  # screen pixels across the view, as a share of the screen's width


def photograph(screenshot: Picture, aim: ScreenPoint, size: tuple[int, int], pose: Pose, seed: int) -> Picture:
    """Take the view whose centre is exactly `aim`.

    Args:
        screenshot: (H, W, 3) uint8, RGB.
        aim: on that screenshot.
        size: (width, height) of the view.
        pose: of the camera.
        seed: of the noise.

    Returns:
        (height, width, 3) uint8, RGB.
    """
    scene, scene_from_screen = _scene(screenshot)
    view_from_scene = view_from_screen(screenshot, aim, size, pose) @ np.linalg.inv(scene_from_screen)
    fine = np.array(
        [[SUPERSAMPLING, 0, 0.5 * (SUPERSAMPLING - 1)], [0, SUPERSAMPLING, 0.5 * (SUPERSAMPLING - 1)], [0, 0, 1]]
    )
    fine_size = (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING)
    rays = cv2.warpPerspective(
        scene, fine @ view_from_scene, fine_size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    sharp = cv2.resize(rays, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return _expose(sharp, np.random.default_rng(seed))


def view_from_screen(screenshot: Picture, aim: ScreenPoint, size: tuple[int, int], pose: Pose) -> Matrix:
    """The homography of that camera; it maps `aim` to the centre of the view."""
    width, height = size
    centre = view_centre(width, height)
    focal = 1.2 * width
    distance = focal * pose.screen_in_view * screenshot.shape[1] / width
    intrinsics = np.array([[focal, 0, centre.x], [0, focal, centre.y], [0, 0, 1]])
    # A point (x, y, 0) of the screen is seen from `distance` straight before the aim, then turned about it.
    moved = np.array([[1, 0, -aim.x], [0, 1, -aim.y], [0, 0, 0]])
    camera_from_screen = _rotation(pose) @ moved + np.array([[0, 0, 0], [0, 0, 0], [0, 0, distance]])
    return np.asarray(intrinsics @ camera_from_screen)


def _rotation(pose: Pose) -> Matrix:
    yaw, pitch, roll = np.deg2rad([pose.yaw_deg, pose.pitch_deg, pose.roll_deg])
    about_y, _ = cv2.Rodrigues(np.array([0, yaw, 0]))
    about_x, _ = cv2.Rodrigues(np.array([pitch, 0, 0]))
    about_z, _ = cv2.Rodrigues(np.array([0, 0, roll]))
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _scene(screenshot: Picture) -> tuple[Picture, Matrix]:
    """The screenshot in its bezel, before a wall and on a desk; and the scene's pixels from the screen's."""
    height, width = screenshot.shape[:2]
    margin = round(ROOM_MARGIN * width)
    scene = _wall_and_desk(width + 2 * margin, height + 2 * margin, desk_top=margin + height + 70)
    box = (margin - BEZEL_PX, margin - BEZEL_PX), (margin + width + BEZEL_PX, margin + height + BEZEL_PX)
    cv2.rectangle(
        scene, (margin + width // 2 - 60, box[1][1]), (margin + width // 2 + 60, box[1][1] + 90), (52, 52, 56), -1
    )
    cv2.rectangle(scene, *box, (24, 24, 27), -1)
    scene[margin : margin + height, margin : margin + width] = screenshot
    return scene, np.array([[1, 0, margin], [0, 1, margin], [0, 0, 1]], np.float64)


def _wall_and_desk(width: int, height: int, desk_top: int) -> Picture:
    """A plastered wall with a framed print and a wooden desk: (height, width, 3) uint8."""
    random = np.random.default_rng(5)
    light = np.linspace(1.05, 0.75, width)[None, :, None] * np.linspace(1.0, 0.85, height)[:, None, None]
    room = np.array([196, 188, 176]) * light
    grain = cv2.resize(random.normal(0, 1, (height // 6, width // 90)), (width, height), interpolation=cv2.INTER_CUBIC)
    wood = np.array([128, 92, 60]) * light * (1 + 0.10 * grain[:, :, None])
    room[desk_top:] = wood[desk_top:]
    plaster = cv2.GaussianBlur(random.normal(0, 1, (height, width)), (0, 0), 3)
    room[:desk_top] += 14 * plaster[:desk_top, :, None]
    picture = np.clip(room, 0, 255).astype(np.uint8)
    cv2.rectangle(picture, (width - 560, 120), (width - 180, 420), (238, 234, 226), -1)
    cv2.rectangle(picture, (width - 560, 120), (width - 180, 420), (70, 50, 40), 10)
    cv2.circle(picture, (width - 370, 270), 90, (186, 96, 62), -1)
    return picture


def _expose(sharp: npt.NDArray[np.float64], random: np.random.Generator) -> Picture:
    """Lens and sensor: defocus, vignetting, warm light and noise."""
    height, width = sharp.shape[:2]
    blurred = cv2.GaussianBlur(sharp, (0, 0), 0.9)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - 0.22 * (x**2 + y**2)[:, :, None] / 2
    lit = blurred * vignette * np.array([1.03, 1.0, 0.93]) * 0.95
    noisy = lit + random.normal(0, 0.012, lit.shape)
    return np.asarray(np.clip(noisy * 255 + 0.5, 0, 255), np.uint8)
