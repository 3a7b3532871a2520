"""view + ready screen -> mappings that may be right, each with what speaks for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from desktop_agent.agreement import Agreement, measure_agreement
from desktop_agent.align import Box, Followed, align, follow, shift
from desktop_agent.features import Features, Grey, find_in_halves, match, shrink
from desktop_agent.homography import INLIER_PX, apply, fit_robustly
from desktop_agent.mapping import Fit, Mapping, Size, corners_of, fit, scaling
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen
from protocol.errors import ScreenNotInView

LEAST_PX = 160  # long side of the view in which is seen how far it has moved since the one before
GLANCE_PX = 320  # long side of the view in which a screen is searched first
MEDIUM_PX = 448  # long side of the view in which it is searched again
SMALL_PX = 640  # long side of the view in which it is searched at last, and in which a mapping is judged
FINE_PX = 1280  # long side of the view in which the point is refined
MOST_HYPOTHESES = 3
FEWEST_INLIERS = 8
SEARCH_LEVELS, EXAMINE_LEVELS = 2, 3  # of pyramids: how far off a mapping may be
TRACK_LEVELS, CLOSE_LEVELS, REFINE_LEVELS = 2, 1, 1
AS_BEFORE = 0.6  # how alike, once shifted, views are between which a phone is hardly turned or brought nearer
ALIGNED_PX = 0.3  # radius of 95 %, in screen pixels, beyond which a mapping is aligned once more
ROUGH_PX, CLOSE_PX, REFINED_PX = 3.0, 1.5, 1.0  # residuals beyond which a patch loses its say, from step to step
REFINED_BOX_PX = 512  # side of the box around the aim in which the point is refined
LARGEST_MAGNIFICATION = 12.0  # screen pixels in a pixel of the small view, or the other way round
STEEPEST = 6.0  # how much longer than wide a square of the screen may look


class View:
    """A view in grey, in the sizes that searching needs."""

    def __init__(self, picture: Picture) -> None:
        """Args: picture: (H, W, 3) uint8, RGB."""
        self.size: Size = (picture.shape[1], picture.shape[0])
        self.fine = shrink(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8), FINE_PX)
        self.small = shrink(self.fine, SMALL_PX)
        self.glance = shrink(self.small, GLANCE_PX)

    @property
    def small_size(self) -> Size:
        """Of the small picture."""
        return self.small.shape[1], self.small.shape[0]

    @property
    def has_finer(self) -> bool:
        """Whether the fine picture shows more than the small one; a phone's views while it aims have none."""
        return self.fine_size != self.small_size

    @property
    def fine_size(self) -> Size:
        """Of the fine picture."""
        return self.fine.shape[1], self.fine.shape[0]

    @property
    def glance_size(self) -> Size:
        """Of the picture for a glance."""
        return self.glance.shape[1], self.glance.shape[0]

    @cached_property
    def least(self) -> Grey:
        """The smallest picture, which shows how far all of it has moved."""
        return shrink(self.glance, LEAST_PX)

    @property
    def least_size(self) -> Size:
        """Of the smallest picture."""
        return self.least.shape[1], self.least.shape[0]

    @cached_property
    def glance_features(self) -> Features:
        """Of the picture for a glance, in the small one's pixels."""
        return self._find(self.glance)

    @cached_property
    def medium_features(self) -> Features:
        """Of a picture between that and the small one, in the small one's pixels."""
        return self._find(shrink(self.small, MEDIUM_PX))

    @cached_property
    def features(self) -> Features:
        """Of the small picture."""
        return self._find(self.small)

    def _find(self, picture: Grey) -> Features:
        size = picture.shape[1], picture.shape[0]
        return find_in_halves(picture).moved(lambda points: apply(scaling(size, self.small_size), points))


@dataclass(frozen=True)
class Candidate:
    """A mapping that may be right, and what speaks for it."""

    screen: ReadyScreen
    fit: Fit  # to the small view
    followed: Followed
    agreement: Agreement

    @property
    def inliers(self) -> int:
        """Patches that are where the mapping says."""
        return int((self.followed.is_corner & (self.fit.residuals_px < CLOSE_PX)).sum())


def glance(view: View, screen: ReadyScreen) -> Iterator[Candidate]:
    """Where the screen may be in the view, by the features that are ready and few of the view; the likeliest first."""
    return _candidates(view, screen, view.glance_features, screen.features)


def search(view: View, screen: ReadyScreen) -> Iterator[Candidate]:
    """The same by more features of the view."""
    return _candidates(view, screen, view.medium_features, screen.features)


def search_finely(view: View, screen: ReadyScreen) -> Iterator[Candidate]:
    """The same by more features of both, which takes longest."""
    return _candidates(view, screen, view.features, screen.fine_features)


def track(view: View, screen: ReadyScreen, near: Mapping) -> Candidate | None:
    """Where the screen is if it is not far from where it was a moment ago; None if it is not.

    All of the view is shifted at once, as a hand moves it. If little else has changed, that saves a step to a view that
    is to be answered quickly.
    """
    if not is_possible(near, screen.screenshot.size):
        return None
    moved, alike = shift(view.least, screen, near.resized(view.least_size))
    if alike < AS_BEFORE or view.has_finer:
        return examine(view, screen, moved)
    candidate = _made_exact(view, screen, moved.resized(view.small_size), TRACK_LEVELS)
    if candidate and candidate.fit.radius_95 > ALIGNED_PX:
        return _made_exact(view, screen, candidate.fit.mapping, CLOSE_LEVELS) or candidate
    return candidate


def examine(view: View, screen: ReadyScreen, rough: Mapping) -> Candidate | None:
    """What speaks for a rough mapping; None if no camera can have it, or it is none."""
    return _examine(view, screen, rough.resized(view.small_size), EXAMINE_LEVELS)


def refine(view: View, candidate: Candidate) -> Fit:
    """The candidate's mapping, to the fine view, made exact around the aim."""
    if not view.has_finer:
        return candidate.fit
    rough = candidate.fit.mapping.resized(view.fine_size)
    followed = follow(view.fine, candidate.screen, rough, REFINE_LEVELS, _box_around_aim(view.fine_size))
    everywhere = followed.joined(candidate.followed.moved(scaling(view.small_size, view.fine_size)))
    return fit(rough, everywhere.points_view, everywhere.points_screen, everywhere.knowing, REFINED_PX)


def _box_around_aim(size: Size) -> Box:
    width, height = min(size[0], REFINED_BOX_PX), min(size[1], REFINED_BOX_PX)
    return (size[0] - width) // 2, (size[1] - height) // 2, width, height


def _candidates(
    view: View, screen: ReadyScreen, features_view: Features, features_screen: Features
) -> Iterator[Candidate]:
    pairs = match(features_view, features_screen)
    for _ in range(MOST_HYPOTHESES):
        points_view, points_screen = features_view.points[pairs[:, 0]], features_screen.points[pairs[:, 1]]
        view_from_screen = fit_robustly(points_view, points_screen)
        if view_from_screen is None:
            return
        is_inlier = np.hypot(*(apply(view_from_screen, points_screen) - points_view).T) < INLIER_PX
        if is_inlier.sum() < FEWEST_INLIERS:
            return
        candidate = _examine(view, screen, Mapping(view_from_screen, 0.0, view.small_size), SEARCH_LEVELS)
        if candidate:
            yield candidate
        pairs = pairs[~is_inlier]


def _examine(view: View, screen: ReadyScreen, mapping: Mapping, levels: int) -> Candidate | None:
    """Align a rough mapping and compare what it says with the view; None if no camera can have it."""
    try:
        if not is_possible(mapping, screen.screenshot.size):
            return None
        fitted, _ = align(view.glance, screen, mapping.resized(view.glance_size), levels, ROUGH_PX)
    except (ScreenNotInView, np.linalg.LinAlgError):
        return None
    return _made_exact(view, screen, fitted.mapping.resized(view.small_size), CLOSE_LEVELS)


def _made_exact(view: View, screen: ReadyScreen, mapping: Mapping, levels: int) -> Candidate | None:
    """Align a mapping of the small view and compare what it says with the view; None if no camera can have it."""
    if not is_possible(mapping, screen.screenshot.size):
        return None
    try:
        fitted, followed = align(view.small, screen, mapping, levels, CLOSE_PX)
    except (ScreenNotInView, np.linalg.LinAlgError):
        return None
    if not is_possible(fitted.mapping, screen.screenshot.size):
        return None
    return Candidate(screen, fitted, followed, measure_agreement(view.small, screen, fitted.mapping))


def is_possible(mapping: Mapping, screen_size: Size) -> bool:
    """Whether a camera before a flat screen can have that mapping: not mirrored, folded, or of an absurd scale."""
    jacobian = mapping.jacobian_at_centre()
    if not (np.isfinite(jacobian).all() and np.linalg.det(jacobian) > 0):
        return False
    is_all_plane = mapping.is_below_horizon(corners_of(mapping.size)).all()
    if not (is_all_plane or mapping.is_in_front(corners_of(screen_size)).all()):
        return False  # of a screen seen from its edge, the view may show the horizon; then all of it is in front
    longer, shorter = np.linalg.svd(jacobian, compute_uv=False)
    is_of_sane_scale = shorter > 1 / LARGEST_MAGNIFICATION and longer < LARGEST_MAGNIFICATION
    return bool(is_of_sane_scale and longer < STEEPEST * shorter)
