"""A note of a paste under way outlives an agent that is killed, whenever that is."""

from pathlib import Path

import pytest

from desktop_agent.journal import Journal


def test_a_note_that_was_begun_only_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def be_cut_short(file: Path, text: str) -> None:
        file.write_bytes(text.encode()[:7])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", be_cut_short)
    journal = Journal(tmp_path / "pasting.json")

    with pytest.raises(KeyboardInterrupt), journal.noting("KolourPaint"):
        pass

    assert journal.tell_unknown() is None


def test_a_note_is_told_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "pasting.json")
    paste = journal.noting("KolourPaint")
    paste.__enter__()  # and is never left, as by an agent that is killed

    assert "KolourPaint" in (Journal(tmp_path / "pasting.json").tell_unknown() or "")
    assert journal.tell_unknown() is None
