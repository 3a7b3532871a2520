"""view + screenshot -> the screen point as the original application found it, to be measured beside ours.

Both pictures are shrunk; SIFT features of the screenshot look for their two nearest in the view; whatever homography
comes out is trusted. What it did is told in the paper (section 6.1) and in the library's README, not copied from it.
"""

import cv2
import numpy as np

from desktop_agent.features import Grey, shrink
from desktop_agent.pictures import Picture
from protocol.geometry import ScreenPoint, view_centre

LONGEST_VIEW_PX = 700
LONGEST_SCREENSHOT_PX = 400
RATIO = 0.7
FEWEST_MATCHES = 6
INLIER_PX = 5.0


def find_as_the_original(view: Picture, screenshot: Picture) -> ScreenPoint | None:
    """The point under the view's centre, in the screenshot's pixels; None if the original would say "not found".

    Args:
        view: (H, W, 3) uint8, RGB.
        screenshot: (H, W, 3) uint8, RGB.
    """
    small_view, small_screen = _shrink(view, LONGEST_VIEW_PX), _shrink(screenshot, LONGEST_SCREENSHOT_PX)
    sift = cv2.SIFT.create()
    keypoints_view, descriptors_view = sift.detectAndCompute(small_view, None)
    keypoints_screen, descriptors_screen = sift.detectAndCompute(small_screen, None)
    if descriptors_view is None or descriptors_screen is None or len(keypoints_view) < 2:
        return None
    # Its "k-d tree" carries the number of FLANN's linear search, which compares every pair.
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors_screen, descriptors_view, k=2)
    good = [first for first, second in nearest if first.distance < RATIO * second.distance]
    if len(good) < FEWEST_MATCHES:
        return None
    points_view = np.array([keypoints_view[pair.trainIdx].pt for pair in good], np.float64)
    points_screen = np.array([keypoints_screen[pair.queryIdx].pt for pair in good], np.float64)
    screen_from_view, _inliers = cv2.findHomography(points_view, points_screen, cv2.RANSAC, INLIER_PX)
    if screen_from_view is None:
        return None
    centre = view_centre(small_view.shape[1], small_view.shape[0])
    x, y, w = screen_from_view @ (centre.x, centre.y, 1.0)
    if not np.isfinite([x / w, y / w]).all():
        return None
    enlarge = screenshot.shape[1] / small_screen.shape[1]
    return ScreenPoint(int(x / w) * enlarge, int(y / w) * enlarge)  # it cut the fraction off before it scaled


def _shrink(picture: Picture, longest: int) -> Grey:
    return shrink(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8), longest)
