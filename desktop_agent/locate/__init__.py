"""view + ready screens -> the screen point under the camera's centre.

SIFT features and a homography, as in section 6.1 of the paper, on small pictures; then small patches are followed to a
fraction of a pixel; then everything that can betray a wrong answer is checked, because a wrong answer pastes into the
wrong place.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from desktop_agent.blank import is_blank_at_aim
from desktop_agent.features import Grey, Points
from desktop_agent.homography import Matrix, apply
from desktop_agent.judge import probability
from desktop_agent.mapping import Fit, Mapping, Size, corners_of, invert, scaling
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen
from desktop_agent.rivals import find_rivals
from desktop_agent.screenshot import Screenshot
from desktop_agent.search import Candidate, View, glance, refine, search, search_finely, track
from desktop_agent.steady import is_steady, is_undisputed, together
from protocol.errors import (
    AimBesideScreen,
    CameraTooClose,
    CopyPasteError,
    ScreenAmbiguous,
    ScreenDiffers,
    ScreenNotInView,
    ScreenTooPlain,
    ViewTooBlurred,
    ViewTooDark,
)
from protocol.geometry import ScreenPoint

ACCEPTED = 0.75  # least probability of a point that is told and exact
ACCEPTED_IF_VAGUE = 0.975  # of one that is known to VAGUE_PX or more: other pages of a program look just so
VAGUE_PX = 2.0  # of 95 %, in screen pixels
SURE = 0.9  # of one for which nobody searches any further
LARGEST_RADIUS_PX = 5.0  # of 95 %, in screen pixels; beyond that, what is known lies too far from the aim
RADIUS_STRETCH = 6.5  # patches err together, which their residuals do not tell; holds 95 % of seeds 501, 601 and 701
FINEST_PX = 0.15  # in view pixels: no point is known better
SAME_POINT_PX = 20.0
AS_GOOD = 0.05  # of the share of blocks that agree, and of their number: no evidence for the better one
DARK = 40  # grey level below which nearly all of a dark view lies
BLUR_VARIANCE = 65.0  # variance of the Laplacian along the edges of a view too blurred to read a screen from
EDGE_SLOPE = 3.0  # grey levels a pixel, once smoothed by EDGE_SMOOTHING_PX: less is no edge
EDGE_SMOOTHING_PX = 2.0
FEWEST_FEATURES = 40


@dataclass(frozen=True)
class FoundPoint:
    """Where the camera's centre points to."""

    screen_point: ScreenPoint
    scale: float  # screen pixels in a view pixel, around that point
    turn_deg: float  # how far, clockwise on the screen, what is upright in the view is turned; -180 to 180
    radius_95: float  # screen pixels around the point that hold the true one with 95 %
    probability: float  # 0 to 1: that the point is right
    agreement: float  # 0 to 1: share of the view's textured blocks that look like the screen
    monitor: Screenshot  # the one it was found on
    screen_from_view: Matrix  # (3, 3), to pixels of that screenshot; exact at the centre, a lens bends the rest
    view_size: Size  # (width, height), in whose pixels screen_from_view is
    stages_s: dict[str, float] = field(default_factory=dict)  # seconds that each stage took

    @property
    def corners_screen(self) -> Points:
        """The corners of the view on the screen, in its pixels: (4, 2), clockwise from the top left."""
        return apply(self.screen_from_view, corners_of(self.view_size))

    @property
    def reaches_horizon(self) -> bool:
        """Whether a corner of the view lies beyond the horizon of the screen's plane: it is no place on the screen."""
        mapping = Mapping(invert(self.screen_from_view), 0.0, self.view_size)
        return not mapping.is_below_horizon(corners_of(self.view_size)).all()


@dataclass(frozen=True)
class Sighting:
    """What a view says: a point, a point that is doubted, or no point at all."""

    point: FoundPoint | None
    refusal: CopyPasteError | None  # why it is doubted, or why there is none

    @property
    def found(self) -> FoundPoint:
        """The point; raises why it is doubted, or why there is none."""
        if self.refusal:
            raise self.refusal
        assert self.point
        return self.point


@dataclass(frozen=True)
class Answer:
    """A candidate as a point, and everything it was judged by."""

    found: FoundPoint
    candidate: Candidate
    refined: Fit  # to the fine view


@dataclass(frozen=True)
class Outcome:
    """All that was considered for one view."""

    answers: Sequence[Answer]
    refusal: CopyPasteError | None
    stages_s: dict[str, float]  # seconds that each stage took

    @property
    def best(self) -> Answer | None:
        """The likeliest answer, accepted or not."""
        return _best(self.answers) if self.answers else None

    @property
    def found(self) -> FoundPoint:
        """The point, if nothing speaks against it."""
        return replace(_best(self.answers).found, stages_s=self.stages_s)

    @property
    def sighting(self) -> Sighting:
        """The point, or the one that a further view may confirm: nothing that is seen speaks against it."""
        if not self.refusal:
            return Sighting(self.found, None)
        best = None if isinstance(self.refusal, ScreenAmbiguous) else self.best
        may_be_confirmed = best is not None and is_undisputed(best.candidate.agreement)
        return Sighting(self.found if may_be_confirmed else None, self.refusal)


def find_screen_point(view: Picture, screens: Sequence[ReadyScreen], *, near: FoundPoint | None = None) -> FoundPoint:
    """Find the point of the desktop under the centre of the view.

    Args:
        view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
        screens: what each monitor showed at that moment.
        near: what a view of a moment before says, if any, in doubt or not; it need not hold any more.

    Raises:
        ScreenNotInView, CameraTooClose, ViewTooBlurred, ViewTooDark, ScreenTooPlain, ScreenDiffers, ScreenAmbiguous,
        AimBesideScreen: why there is no such point.
    """
    return see(view, screens, near).found


def see(view: Picture, screens: Sequence[ReadyScreen], near: FoundPoint | None) -> Sighting:
    """The same as find_screen_point, and what is doubted, for the view after it; raises nothing."""
    return look(view, screens, near=near).sighting


def find_near(view: Picture, screen: ReadyScreen, near: FoundPoint) -> FoundPoint | None:
    """The point of the view if it surely is about where `near` says; it may still be one that nobody can paste at."""
    tracked = _track(View(view), [screen], near)
    return tracked.found if tracked else None


def look(view: Picture, screens: Sequence[ReadyScreen], *, near: FoundPoint | None = None) -> Outcome:
    """The same as find_screen_point, with everything that was considered; raises nothing."""
    stages_s: dict[str, float] = {}
    with _stage(stages_s, "shrink"):
        looked_at = View(view)
    answers = list(_look_everywhere(looked_at, screens, near, stages_s))
    if answers and is_likely(_best(answers).found):
        with _stage(stages_s, "rivals"):
            answers += _look_for_rivals(looked_at, _best(answers))
    refusal = _refuse(looked_at, screens, answers)
    if near and isinstance(refusal, ScreenAmbiguous):
        return look(view, screens)  # a hand that moved by a cell of a table looks as if it had not moved
    return Outcome(answers, refusal, stages_s)


def _refuse(view: View, screens: Sequence[ReadyScreen], answers: Sequence[Answer]) -> CopyPasteError | None:
    """Why there is no point, if there is none."""
    if not answers:
        return _why_nothing_was_found(view, screens)
    best = _best(answers)
    if not is_likely(best.found):
        return _why_unreadable(view) or ScreenDiffers()
    if any(_is_rival(answer, best) for answer in answers):
        return ScreenAmbiguous()
    try:
        check_point(best.found)
    except CopyPasteError as refusal:
        return refusal
    return None


def _best(answers: Sequence[Answer]) -> Answer:
    """The likeliest; of several places that look alike the one that explains most of the view."""
    likeliest = max(answers, key=lambda answer: answer.found.probability)
    return max([likeliest, *(answer for answer in answers if _is_alike(answer, likeliest))], key=_explained)


def _explained(answer: Answer) -> float:
    """How many blocks of the view look like the screen."""
    agreement = answer.candidate.agreement
    return agreement.blocks * agreement.share + agreement.edges * agreement.share_of_edges


def _look_everywhere(
    view: View, screens: Sequence[ReadyScreen], near: FoundPoint | None, stages_s: dict[str, float]
) -> Iterator[Answer]:
    """Answers that may be right: the cheapest first, and the dearest only if none of them is sure."""
    if near and is_likely(near):  # else nobody knows yet whether it stands in one place only
        with _stage(stages_s, "track"):
            tracked = _track(view, screens, near)
        if tracked:
            tracked = _supported(tracked, near)
            yield tracked
            if is_likely(tracked.found):
                return
    is_sure = False
    for name, look in (("glance", glance), ("search", search), ("search finely", search_finely)):
        for screen in screens if not is_sure else ():
            with _stage(stages_s, name):
                for candidate in look(view, screen):
                    answer = _answer(view, candidate)
                    yield _supported(answer, near)
                    if answer.found.probability >= SURE and answer.found.radius_95 <= LARGEST_RADIUS_PX:
                        is_sure = True
                        break


def _look_for_rivals(view: View, best: Answer) -> list[Answer]:
    """The view as the same screen may show it elsewhere: in another window with the same content."""
    rivals = [_answer(view, rival) for rival in find_rivals(view, best.candidate, SAME_POINT_PX)]
    return [rival for rival in rivals if _is_elsewhere(rival, best)]


def _track(view: View, screens: Sequence[ReadyScreen], near: FoundPoint) -> Answer | None:
    """The answer near the one before, if it is sure."""
    for screen in screens:
        if screen.screenshot.is_of_same_monitor(near.monitor):
            mapping = Mapping(invert(near.screen_from_view), 0.0, near.view_size)
            candidate = track(view, screen, mapping)
            answer = _answer(view, candidate) if candidate else None
            if answer and answer.found.probability >= SURE:
                return answer
    return None


def _supported(answer: Answer, near: FoundPoint | None) -> Answer:
    """An answer, likelier if a view of a moment before says the same and nothing that is seen speaks against it."""
    found = answer.found
    if near is None or not near.monitor.is_of_same_monitor(found.monitor):
        return answer
    is_credible = is_likely(found) or is_undisputed(answer.candidate.agreement)
    have_corners = not (near.reaches_horizon or found.reaches_horizon)
    if not (is_credible and have_corners and is_steady(near.corners_screen, found.corners_screen)):
        return answer
    return replace(answer, found=replace(found, probability=together(found.probability, near.probability)))


def _answer(view: View, candidate: Candidate) -> Answer:
    refined = refine(view, candidate)
    found = point_through(refined, view.size, candidate.screen.screenshot, RADIUS_STRETCH)
    likely = probability(candidate.agreement, refined.radius_95)
    found = replace(found, probability=likely, agreement=candidate.agreement.share)
    return Answer(found, candidate, refined)


def _found(mapping: Mapping, view_size: Size, screenshot: Screenshot) -> FoundPoint:
    """The point that a mapping tells, as if it were certain."""
    x, y = mapping.at_centre()
    jacobian = mapping.jacobian_at_centre()
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    turn = np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])
    return FoundPoint(
        screen_point=screenshot.to_desktop(x, y),
        scale=scale * mapping.size[0] / view_size[0],
        turn_deg=float(np.rad2deg(turn)),
        radius_95=0.0,
        probability=1.0,
        agreement=1.0,
        monitor=screenshot,
        screen_from_view=mapping.screen_from_view @ scaling(view_size, mapping.size),
        view_size=view_size,
    )


def point_through(fit: Fit, view_size: Size, screenshot: Screenshot, stretch: float) -> FoundPoint:
    """The point under the centre of the view, with nothing checked.

    Args:
        fit: between the monitor and the view, in any size.
        view_size: (width, height).
        screenshot: of that monitor.
        stretch: what is pairs err together, which their residuals do not tell: how much wider the radius is.
    """
    found = _found(fit.mapping, view_size, screenshot)
    finest = FINEST_PX * found.scale * view_size[0] / fit.mapping.size[0]
    return replace(found, radius_95=float(np.hypot(stretch * fit.radius_95, finest)))


def is_likely(found: FoundPoint) -> bool:
    """Whether a point is likely enough to be told: the more so, the larger the circle that it may lie in."""
    vagueness = min(1.0, (found.radius_95 / VAGUE_PX) ** 2)
    return found.probability >= ACCEPTED + vagueness * (ACCEPTED_IF_VAGUE - ACCEPTED)


def check_point(found: FoundPoint) -> None:
    """Refuse a point that one cannot paste at.

    Raises:
        AimBesideScreen: it is not on the monitor.
        ScreenTooPlain: nobody can say where exactly it is.
    """
    if not found.monitor.contains(found.screen_point):
        raise AimBesideScreen
    if found.radius_95 > LARGEST_RADIUS_PX:
        raise ScreenTooPlain


def _is_alike(answer: Answer, best: Answer) -> bool:
    """Whether an answer says another point, and the view looks as much like that."""
    is_as_alike = answer.found.agreement > best.found.agreement - AS_GOOD
    return answer.found.probability >= ACCEPTED and is_as_alike and _is_elsewhere(answer, best)


def _is_elsewhere(answer: Answer, best: Answer) -> bool:
    return answer.found.screen_point.distance_to(best.found.screen_point) > SAME_POINT_PX


def _is_rival(answer: Answer, best: Answer) -> bool:
    """Whether an answer says another point with as much right."""
    return _is_alike(answer, best) and _explained(answer) > (1 - AS_GOOD) * _explained(best)


def _why_nothing_was_found(view: View, screens: Sequence[ReadyScreen]) -> CopyPasteError:
    unreadable = _why_unreadable(view)
    if unreadable:
        return unreadable
    is_plain = all(len(screen.features.points) < FEWEST_FEATURES for screen in screens)
    if len(view.features.points) < FEWEST_FEATURES and not is_plain:
        return CameraTooClose()
    return ScreenTooPlain() if is_blank_at_aim(view.small) else ScreenNotInView()


def _why_unreadable(view: View) -> CopyPasteError | None:
    """What keeps anybody from reading a screen in a view, if anything does."""
    if np.percentile(view.small, 99) < DARK:
        return ViewTooDark()
    return ViewTooBlurred() if _is_blurred(view.fine) else None


def _is_blurred(grey: Grey) -> bool:
    """Whether the edges in a view are smeared; what is blank beside them says nothing."""
    smooth = cv2.GaussianBlur(grey, (0, 0), EDGE_SMOOTHING_PX)
    slope = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, *along, scale=0.125) for along in ((1, 0), (0, 1))))
    is_edge = slope > max(EDGE_SLOPE, 0.5 * float(np.percentile(slope, 99)))
    return bool(is_edge.any() and cv2.Laplacian(grey, cv2.CV_32F)[is_edge].var() < BLUR_VARIANCE)


@contextmanager
def _stage(stages_s: dict[str, float], name: str) -> Iterator[None]:
    """Time what happens inside, on top of what was there."""
    start_s = time.monotonic()
    yield
    stages_s[name] = stages_s.get(name, 0.0) + time.monotonic() - start_s
