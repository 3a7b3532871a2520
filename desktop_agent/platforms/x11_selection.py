"""Linux with X11: what a program offers to others and what it asks of them, by the selections of the ICCCM."""

import contextlib
import os
import select
import threading
import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.errors import DesktopUnavailable

CHUNK_BYTES = 64 * 1024  # more is handed over in pieces, as the ICCCM's "incremental transfers" say
NUMBER_CODES = {16: "H", 32: "I"}  # of array, by the bits in each
MOST_WORDS = 2**24  # of 4 bytes, read at once
MOST_NAMES = 256  # of forms that a program offers: each is a question to the display
LAST_READERS_S = 2.0  # after somebody else has taken the selection: for whoever is in the midst of reading


@dataclass(frozen=True)
class Form:
    """One form in which something is offered."""

    kind: str  # the name of its type, such as UTF8_STRING or image/png
    units: int  # bits in each: 8, 16 or 32
    content: bytes


Forms = Mapping[str, Form]  # by the name that it is asked for by, such as text/html


@dataclass
class _Transfer:
    """What is still to be handed over of one form, piece by piece."""

    form: Form
    sent: int = 0


@dataclass
class Offer:
    """Something offered under a selection's name for as long as no other program takes the name."""

    selection: str  # CLIPBOARD, or XdndSelection
    forms: Forms
    display: Any  # of Xlib: a connection of its own, for its thread alone
    asked: threading.Event = field(default_factory=threading.Event)  # once a program wanted to know its forms
    has_ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Take the selection, and answer in the background."""
        from Xlib import X

        self.display.set_error_handler(lambda *_: None)  # whoever asked may have gone meanwhile
        names = (self.selection, "TARGETS", "INCR", *self.forms)
        self._atoms = {name: self.display.intern_atom(name) for name in names}
        self._form_by_atom = {self._atoms[name]: form for name, form in self.forms.items()}
        self._transfers: dict[tuple[int, int], _Transfer] = {}
        root = self.display.screen().root
        self.window = root.create_window(-10, -10, 1, 1, 0, X.CopyFromParent, X.InputOnly, X.CopyFromParent)
        self.window.set_selection_owner(self._atoms[self.selection], X.CurrentTime)
        self.display.sync()
        threading.Thread(target=self._serve, name=f"{self.selection} offer", daemon=True).start()

    def withdraw(self) -> None:
        """Offer it no more, unless another program has taken the selection anyhow."""
        from Xlib import X
        from Xlib.protocol.request import SetSelectionOwner

        if self.has_ended.is_set():
            return
        display = open_display()
        selection = display.intern_atom(self.selection)
        SetSelectionOwner(display=display.display, window=X.NONE, selection=selection, time=X.CurrentTime)
        display.sync()
        display.close()

    def _serve(self) -> None:
        """Answer until another program has taken the selection, and for a moment longer."""
        from Xlib import error

        with contextlib.suppress(error.ConnectionClosedError, OSError):  # the display has gone
            self._answer_until_taken()
            self.display.close()
        self.has_ended.set()

    def _answer_until_taken(self) -> None:
        end_s: float | None = None
        while end_s is None or time.monotonic() < end_s:
            if not self.display.pending_events():
                select.select([self.display.fileno()], [], [], 0.2 if end_s else None)
            while self.display.pending_events():
                if self._answer(self.display.next_event()):
                    end_s = time.monotonic() + LAST_READERS_S
                    self.has_ended.set()

    def _answer(self, event: Any) -> bool:
        """Do what an event asks for; whether it says that another program has taken the selection."""
        from Xlib import X

        if event.type == X.SelectionRequest:
            self._hand_over(event)
        elif event.type == X.PropertyNotify and event.state == X.PropertyDelete:
            self._hand_over_more(event.window, event.atom)
        return bool(event.type == X.SelectionClear)

    def _hand_over(self, request: Any) -> None:
        from Xlib import X, Xatom
        from Xlib.protocol.event import SelectionNotify

        target, asker, place = request.target, request.requestor, request.property or request.target
        form = self._form_by_atom.get(target)
        if target == self._atoms["TARGETS"]:
            asker.change_property(place, Xatom.ATOM, 32, [target, *self._form_by_atom])
            self.asked.set()
        elif form and len(form.content) <= CHUNK_BYTES:
            self._write(asker, place, form, form.content)
        elif form:
            asker.change_attributes(event_mask=X.PropertyChangeMask)
            asker.change_property(place, self._atoms["INCR"], 32, [len(form.content)])
            self._transfers[int(asker.id), int(place)] = _Transfer(form)
        else:
            place = X.NONE
        asker.send_event(
            SelectionNotify(
                time=request.time, requestor=asker, selection=request.selection, target=target, property=place
            )
        )
        self.display.flush()

    def _hand_over_more(self, asker: Any, place: int) -> None:
        """The next piece, now that the one before was taken; an empty one ends it."""
        key = (int(asker.id), int(place))
        transfer = self._transfers.get(key)
        if not transfer:
            return
        piece = transfer.form.content[transfer.sent : transfer.sent + CHUNK_BYTES]
        self._write(asker, place, transfer.form, piece)
        transfer.sent += len(piece)
        self.display.flush()
        if not piece:
            del self._transfers[key]

    def _write(self, asker: Any, place: int, form: Form, content: bytes) -> None:
        numbers = list(array(NUMBER_CODES[form.units], content)) if form.units > 8 else content
        asker.change_property(place, self.display.intern_atom(form.kind), form.units, numbers)


class Asker:
    """Asks whoever holds a selection for what is there, over a connection that it closes at the end."""

    def __init__(self, display: Any, selection: str) -> None:
        """Args: display: of Xlib, used for nothing else. selection: its name."""
        from Xlib import X

        self._display = display
        self._selection = display.intern_atom(selection)
        self._place = X.NONE  # where the owner lays what is asked for now
        self._asked = 0  # how often
        root = display.screen().root
        self._window = root.create_window(-10, -10, 1, 1, 0, X.CopyFromParent, X.InputOnly, X.CopyFromParent)
        self._window.change_attributes(event_mask=X.PropertyChangeMask)

    def close(self) -> None:
        """Ask no more."""
        self._display.close()

    def names(self, deadline_s: float) -> list[str]:
        """The names of all forms that are offered, as far as the owner answers before the deadline."""
        form = self.fetch("TARGETS", deadline_s)
        if form is None or form.units != 32:
            return []
        return [str(self._display.get_atom_name(atom)) for atom in array("I", form.content)[:MOST_NAMES] if atom]

    def fetch(self, name: str, deadline_s: float, most_bytes: int = 1024**2) -> Form | None:
        """One form; None if the owner does not hand it over before the deadline, or it is too large."""
        from Xlib import X

        self._asked += 1  # a place of its own: the owner may still write pieces of what was too large to the one before
        self._place = self._display.intern_atom(f"AR_COPY_PASTE_ANSWER_{self._asked}")
        self._window.convert_selection(self._selection, self._display.intern_atom(name), self._place, X.CurrentTime)
        self._display.flush()
        notice = self._wait_for(X.SelectionNotify, deadline_s)
        if notice is None or notice.property == X.NONE:
            return None
        first = self._take()
        if first is None or first.kind != "INCR":
            return first if first and len(first.content) <= most_bytes else None
        return self._gather(deadline_s, most_bytes)

    def _gather(self, deadline_s: float, most_bytes: int) -> Form | None:
        """The pieces of a form, of which each is asked for by deleting the one before."""
        from Xlib import X

        content = bytearray()
        while len(content) <= most_bytes:
            notice = self._wait_for(X.PropertyNotify, deadline_s)
            if notice is None:
                return None
            if notice.state != X.PropertyNewValue or notice.atom != self._place:
                continue
            piece = self._take()
            if piece is None:
                continue
            if not piece.content:
                return Form(piece.kind, piece.units, bytes(content))
            content += piece.content
        return None

    def _take(self) -> Form | None:
        """What lies ready, which is deleted thereby."""
        answer = self._window.get_property(self._place, 0, 0, MOST_WORDS)  # in one go: a text may not be split
        if answer is None:
            return None
        self._window.delete_property(self._place)
        self._display.flush()
        value = answer.value
        content = value.encode() if isinstance(value, str) else bytes(value)  # Xlib decodes what can be decoded
        return Form(str(self._display.get_atom_name(answer.property_type)), int(answer.format), content)

    def _wait_for(self, kind: int, deadline_s: float) -> Any:
        """The next event of a kind; None if none comes before the deadline."""
        while True:
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type == kind and getattr(event, "window", self._window).id == self._window.id:
                    return event
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([self._display.fileno()], [], [], left_s)[0]:
                return None


def open_display() -> Any:
    """A connection to the display named by DISPLAY.

    Raises:
        DesktopUnavailable: it does not answer.
    """
    import Xlib.display
    import Xlib.error

    try:
        with _without_display_secrets() if _secrets_are_missing() else contextlib.nullcontext():
            return Xlib.display.Display()
    except (Xlib.error.DisplayError, Xlib.error.XauthError, OSError) as error:
        raise DesktopUnavailable(f"({error})") from error


def _secrets_are_missing() -> bool:
    return not Path(os.environ.get("XAUTHORITY", "~/.Xauthority")).expanduser().is_file()


@contextlib.contextmanager
def _without_display_secrets() -> Iterator[None]:
    """Old releases of Xlib fail, or complain in print, where there is no file of secrets; a display may need none."""
    os.environ["XAUTHORITY"] = os.devnull
    with contextlib.redirect_stdout(None):
        yield
