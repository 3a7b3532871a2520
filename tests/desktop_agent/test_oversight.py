"""What the user of the computer sees of pasting, and how it is stopped."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop_agent.control_message import PAIR, PAUSE, RESUME, UNPAIR, Wish
from desktop_agent.devices import PairedDevices
from desktop_agent.oversight import MOST_PASTES, THUMBNAIL_PX, Oversight
from desktop_agent.pictures import Cutout, Picture
from protocol.errors import AgentPaused, CopyPasteError, PasteNotSeen, SecondViewWanted, ServerBusy
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer, AimRequest, PasteAnswer, PasteRequest, UndoAnswer
from protocol.pairing import key_hash

AIM = AimAnswer(ScreenPoint(1, 2), 1.0, 0.9, "Drawn")
PASTED = PasteAnswer("Drawn", "drawing", ScreenPoint(1, 2), ScreenPoint(1, 2), 18.0, 0.0, True, {})
TRIED = PasteAnswer("Drawn", "drawing", ScreenPoint(1, 2), None, None, None, False, {})
VIEW = np.zeros((4, 6, 3), np.uint8)


class FakePasting:
    """Says what the test wants."""

    answer: PasteAnswer | CopyPasteError = PASTED
    asked = 0

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:
        self.asked += 1
        return AIM

    def paste(self, device: str, cutout: Cutout, view: Picture, asked: PasteRequest) -> PasteAnswer:
        self.asked += 1
        if isinstance(self.answer, CopyPasteError):
            raise self.answer
        return self.answer

    def undo(self, device: str) -> UndoAnswer:
        self.asked += 1
        return UndoAnswer("Drawn", verified=True)


class Desk:
    """An oversight, what it watches, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.pasting, self.devices = FakePasting(), PairedDevices(folder / "devices.json")
        self.changes: list[str] = []
        self.oversight = Oversight(
            self.pasting, self.devices, "studio", want_code=lambda: self.changes.append("a code is wanted")
        )
        self.oversight.watch(lambda: self.changes.append("changed"))

    def paste(self, cutout: Cutout) -> PasteAnswer:
        return self.oversight.paste("phone", cutout, VIEW, PasteRequest(90.0))

    def sentences(self) -> list[str]:
        return [paste.sentence for paste in self.oversight.look().pastes.values()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_phones_ask_is_passed_on(desk: Desk, cutout: Cutout) -> None:
    assert desk.oversight.aim("phone", VIEW, AimRequest(90.0)) == AIM
    assert desk.paste(cutout) == PASTED
    assert desk.oversight.undo("phone") == UndoAnswer("Drawn", verified=True)


def test_a_paused_agent_refuses_everything_until_it_is_resumed(desk: Desk, cutout: Cutout) -> None:
    desk.oversight.act(Wish(PAUSE))
    assert desk.oversight.look().is_paused
    with pytest.raises(AgentPaused):
        desk.oversight.aim("phone", VIEW, AimRequest(90.0))
    with pytest.raises(AgentPaused):
        desk.paste(cutout)
    with pytest.raises(AgentPaused):
        desk.oversight.undo("phone")
    assert desk.pasting.asked == 0
    desk.oversight.act(Wish(RESUME))
    assert desk.paste(cutout) == PASTED


def test_pastes_are_remembered_the_newest_first(desk: Desk, cutout: Cutout) -> None:
    desk.paste(cutout)
    desk.pasting.answer = PasteNotSeen()
    with pytest.raises(PasteNotSeen):
        desk.paste(cutout)
    desk.oversight.undo("phone")
    assert desk.sentences() == ["Undone in Drawn", PasteNotSeen().sentence, "Pasted into Drawn"]
    assert [paste.is_error for paste in desk.oversight.look().pastes.values()] == [False, True, False]


def test_only_the_last_pastes_are_remembered(desk: Desk, cutout: Cutout) -> None:
    for _time in range(MOST_PASTES + 2):
        desk.paste(cutout)
    assert len(desk.sentences()) == MOST_PASTES


def test_a_trial_is_no_paste(desk: Desk, cutout: Cutout) -> None:
    desk.pasting.answer = TRIED
    desk.paste(cutout)
    assert desk.sentences() == []


def test_a_paste_that_goes_on_with_a_second_view_has_not_failed(desk: Desk, cutout: Cutout) -> None:
    desk.pasting.answer = SecondViewWanted()
    with pytest.raises(SecondViewWanted):
        desk.paste(cutout)
    assert desk.sentences() == []


def test_a_phone_that_must_wait_for_another_has_not_failed(desk: Desk, cutout: Cutout) -> None:
    desk.pasting.answer = ServerBusy()
    with pytest.raises(ServerBusy):
        desk.paste(cutout)
    assert desk.sentences() == []


def test_a_refusal_while_paused_is_no_paste(desk: Desk, cutout: Cutout) -> None:
    desk.oversight.act(Wish(PAUSE))
    with pytest.raises(AgentPaused):
        desk.paste(cutout)
    assert desk.sentences() == []


def test_a_thumbnail_is_small_and_keeps_alpha(desk: Desk) -> None:
    wide = np.zeros((100, 400, 4), np.uint8)
    wide[:, 200:] = (200, 30, 20, 255)
    desk.paste(wide)
    [paste] = desk.oversight.look().pastes.values()
    thumbnail = np.asarray(Image.open(io.BytesIO(base64.b64decode(paste.thumbnail))))
    assert thumbnail.shape == (THUMBNAIL_PX // 4, THUMBNAIL_PX, 4)
    assert thumbnail[5, 2, 3] == 0
    assert tuple(thumbnail[5, -3]) == (200, 30, 20, 255)


def test_the_phones_are_shown_and_an_unpaired_one_is_shut_out_at_once(desk: Desk) -> None:
    keys = [desk.devices.pair(desk.devices.offer_token(), name) for name in ("Ada's phone", "Bea's phone")]
    assert list(desk.oversight.look().phones.values()) == ["Ada's phone", "Bea's phone"]
    desk.oversight.act(Wish(UNPAIR, key_hash(keys[0])))
    assert list(desk.oversight.look().phones.values()) == ["Bea's phone"]
    assert [desk.devices.is_paired(key) for key in keys] == [False, True]


def test_the_keys_of_phones_are_not_shown(desk: Desk) -> None:
    key = desk.devices.pair(desk.devices.offer_token(), "Ada's phone")
    assert key not in str(desk.oversight.look().to_wire())


def test_a_code_is_shown_until_it_is_withdrawn_and_a_fresh_one_can_be_asked_for(desk: Desk) -> None:
    desk.oversight.show_link("arpaste://link")
    assert desk.oversight.look().link == "arpaste://link"
    desk.oversight.show_link(None)
    assert desk.oversight.look().link is None
    desk.oversight.act(Wish(PAIR))
    assert "a code is wanted" in desk.changes


def test_each_change_is_told(desk: Desk, cutout: Cutout) -> None:
    desk.oversight.act(Wish(PAUSE))
    desk.oversight.act(Wish(RESUME))
    desk.paste(cutout)
    desk.oversight.undo("phone")
    desk.oversight.show_link(None)
    assert desk.changes == ["changed"] * 5
