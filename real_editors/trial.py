"""One paste into an open editor, looked at from outside the agent."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from protocol.errors import CopyPasteError
from protocol.geometry import ScreenPoint
from real_editors import user
from real_editors.agent import AimedAgent
from real_editors.card import HEIGHT, WIDTH, Sight, draw_card, find_card
from real_editors.documents import Picture
from real_editors.editors import Places
from real_editors.opened import OpenEditor

FARTHEST_PX = 16.0  # beyond this, a cutout that is said to have landed has not landed there
SETTLES_S = 0.5
DIFFERS_LEVELS = 12
MOST_LEFT_OVER = 0.0005  # share of the canvas that may differ after an undo: a caret, a cross at the pointer


@dataclass(frozen=True)
class Trial:
    """What became of one paste. What does not apply to it is None."""

    editor: str
    view: str
    aim: ScreenPoint
    refusal: str | None  # the error's code
    sentence: str | None
    way: str | None  # the agent's word for it
    seconds: float  # from the request to the answer
    stages_s: dict[str, float] | None
    claimed_px: float | None  # the error that the agent's second look found
    error_px: float | None  # and the one found here
    width_px: float | None  # of the card, on the screen
    is_honest: bool  # pasted and seen; or refused, and the document as it was
    keeps_alpha: bool | None
    undone: bool | None  # after an undo the document looks as before
    clipboard_kept: bool
    pointer_kept: bool
    focus_kept: bool

    def to_json(self) -> dict[str, object]:
        """For a file."""
        return asdict(self)


def try_paste(
    opened: OpenEditor, agent: AimedAgent, view: str, aim: ScreenPoint, pictures: Path | None = None
) -> Trial:
    """Paste a test card at a point, look, and take it back.

    Args:
        opened: the editor.
        agent: that pastes.
        view: what to call what the editor shows.
        aim: where to.
        pictures: a folder for the screenshot after the paste, if it is wanted.
    """
    things = user.lay_out(opened.desk, opened.home)
    before = opened.wait_until_still(SETTLES_S)
    answer, refusal, start_s = None, None, time.monotonic()
    try:
        answer = agent.paste(draw_card(), aim)
    except CopyPasteError as error:
        refusal = error
    seconds = time.monotonic() - start_s
    kept = user.look(opened.desk)
    after = opened.wait_until_still(SETTLES_S)
    sheet = before if opened.editor.places is Places.FREELY else np.full_like(before, 255)
    sight = find_card(before, after, sheet)
    if pictures:
        cv2.imwrite(str(pictures / f"{opened.editor.name} {opened.document} {view}.png"), after[:, :, ::-1])
    undone = _take_back(opened, agent, before) if answer else None
    return Trial(
        editor=opened.editor.name,
        view=f"{opened.document}, {view}",
        aim=aim,
        refusal=refusal.code if refusal else None,
        sentence=refusal.sentence if refusal else None,
        way=answer.strategy if answer else None,
        seconds=round(seconds, 3),
        stages_s=answer.stages_s if answer else None,
        claimed_px=answer.error_px if answer else None,
        error_px=round(sight.centre.distance_to(aim), 2) if sight else None,
        width_px=round(sight.scale * WIDTH, 1) if sight else None,
        is_honest=_is_there(sight, answer.landed) if answer else looks_alike(opened, before, after),
        keeps_alpha=sight.keeps_alpha if sight and answer else None,
        undone=undone,
        clipboard_kept=kept.copied == things.copied,
        pointer_kept=kept.pointer.distance_to(things.pointer) <= 1,
        focus_kept=kept.focused == things.focused,
    )


def _is_there(sight: Sight | None, landed: ScreenPoint | None) -> bool:
    return bool(sight and landed and sight.centre.distance_to(landed) <= FARTHEST_PX)


def _take_back(opened: OpenEditor, agent: AimedAgent, before: Picture) -> bool:
    """Whether the document looks as before after the agent's undo."""
    try:
        agent.undo()
    except CopyPasteError:
        return False
    opened.desk.hand.move(*user.PARKED)
    return looks_alike(opened, before, opened.wait_until_still(SETTLES_S))


def looks_alike(opened: OpenEditor, before: Picture, after: Picture) -> bool:
    """Whether the document is shown as before."""
    rows, columns = opened.canvas_slices()
    differs = cv2.absdiff(before[rows, columns], after[rows, columns]).max(axis=2) > DIFFERS_LEVELS
    return bool(differs.mean() <= MOST_LEFT_OVER)


def aims(opened: OpenEditor, count: int, seed: int) -> list[ScreenPoint]:
    """Points of the canvas around which there is room for the card."""
    canvas, random = opened.editor.canvas, np.random.default_rng(seed)
    xs = random.uniform(canvas.x + 0.7 * WIDTH, canvas.x + canvas.width - 0.7 * WIDTH, count)
    ys = random.uniform(canvas.y + 0.7 * HEIGHT, canvas.y + canvas.height - 0.7 * HEIGHT, count)
    return [ScreenPoint(float(round(x)), float(round(y))) for x, y in zip(xs, ys, strict=True)]
