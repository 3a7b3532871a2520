"""Linux with X11: the clipboard, whatever forms it holds."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from desktop_agent.pictures import Cutout
from desktop_agent.platforms.x11_selection import Asker, Form, Forms, Offer, open_display

CLIPBOARD = "CLIPBOARD"
PNG = "image/png"
NOTICE_S = 0.2  # for an editor to see that there is something new: Krita's paste keys do nothing before
TAKEN_IN_S = 0.08  # for it to make up its mind about what it saw
SAVING_S = 0.5  # for the program that was copied in to hand over what it has
MOST_SAVED_BYTES = 64 * 1024**2  # of all forms: they are kept in memory
# What many programs can paste is asked for first; rarer forms are often made on demand, which takes time.
FIRST_FORMS = (
    *("UTF8_STRING", "STRING", "TEXT", "text/plain", "text/plain;charset=utf-8", "text/html", "text/rtf"),
    *("text/uri-list", "x-special/gnome-copied-files", "application/x-kde-cutselection"),
    *(PNG, "image/svg+xml", "image/x-inkscape-svg", "text/x-moz-url", "chromium/x-web-custom-data"),
)
# Of the selection rather than of what is selected (ICCCM 2.6.2); the last three would change a document.
NO_FORMS = frozenset(
    ("TARGETS", "MULTIPLE", "TIMESTAMP", "SAVE_TARGETS", "DELETE", "INSERT_SELECTION", "INSERT_PROPERTY")
)


@dataclass(frozen=True)
class Saved:
    """What was on the clipboard; nothing if nobody held it or the owner did not answer."""

    forms: Forms = field(default_factory=dict)


class X11Clipboard:
    """The clipboard of the display named by DISPLAY; what is put there stays for as long as the agent runs."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._offer: Offer | None = None

    def copy(self, cutout: Cutout) -> None:
        """Put a cutout there, as image/png."""
        png = io.BytesIO()
        Image.fromarray(cutout).save(png, "PNG", compress_level=1)
        self._hold({PNG: Form(PNG, 8, png.getvalue())}).asked.wait(NOTICE_S)
        time.sleep(TAKEN_IN_S)

    def save(self) -> Saved:
        """What is there now, in every form that is handed over in time and not too large."""
        deadline_s = time.monotonic() + SAVING_S
        asker = Asker(open_display(), CLIPBOARD)
        forms: dict[str, Form] = {}
        left_bytes = MOST_SAVED_BYTES
        try:
            for name in _in_turn(asker.names(deadline_s)):
                if time.monotonic() >= deadline_s or left_bytes <= 0:
                    break  # whoever is asked makes a form, even if nobody waits for it any more
                if form := asker.fetch(name, deadline_s, left_bytes):
                    forms[name] = form
                    left_bytes -= len(form.content)
        finally:
            asker.close()
        return Saved(forms)

    def restore(self, saved: Saved) -> None:
        """Put it back, unless another program was copied in meanwhile."""
        if self._offer is None or self._offer.has_ended.is_set():
            return
        if saved.forms:
            self._hold(saved.forms)
        else:
            self._offer.withdraw()
            self._offer = None

    def _hold(self, forms: Forms) -> Offer:
        self._offer = Offer(CLIPBOARD, forms, open_display())
        return self._offer


def _in_turn(offered: Sequence[str]) -> list[str]:
    """The names of the forms, those that many programs can paste first."""
    forms = [name for name in offered if name not in NO_FORMS]
    return sorted(forms, key=lambda name: FIRST_FORMS.index(name) if name in FIRST_FORMS else len(FIRST_FORMS))
