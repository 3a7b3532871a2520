"""The control window: the code to pair with, the paired phones, the last pastes, and a button to pause.

A program of its own (`python -m desktop_agent.control_window`), so that the agent needs no window to live. It reads
what to show from standard input, since other users of a machine can read the arguments of every program, and writes
what was clicked to standard output. It ends with its input.
"""

import base64
import io
import json
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, Literal

import segno

from desktop_agent.control_message import PAIR, PAUSE, RESUME, UNPAIR, ControlView, ShownPaste, Wish
from protocol.messages import parse_json

if TYPE_CHECKING:
    import tkinter

TITLE = "AR Copy & Paste"
POLL_MS = 100
MODULE_PX = 7
MARGIN_PX, GAP_PX = 20, 8
WIDTH_PX = 384
TITLE_PX, TASK_BAR_PX = 40, 60  # which are left to the desktop
SCROLLED_PX = 40  # by one click of a wheel
PAPER, INK, QUIET, LINE, BUTTON, PRESSED = "white", "#1f2328", "#68707a", "#e6e8eb", "#eef0f2", "#dfe3e6"
GREEN, AMBER, RED = "#0d7d5f", "#9a5b00", "#b3261e"
NO_PHONES = "No phone is paired yet."
NO_PASTES = "Nothing was pasted yet."
HINT = "Scan this code with your phone's camera.\nIt is good for two minutes."


class ControlWindow:
    """Shows one view, replaced by each that comes in."""

    def __init__(self, window: "tkinter.Tk", views: "queue.Queue[ControlView | None]") -> None:
        """Args: window: an empty one. views: what to show; None closes the window."""
        import tkinter

        self._tk = tkinter
        self._window = window
        self._views = views
        self._has_link: bool | None = None  # what is shown; None before anything is
        self._pictures: list[tkinter.PhotoImage] = []  # tkinter keeps no reference of its own
        self._canvas = tkinter.Canvas(window, background=PAPER, highlightthickness=0, yscrollincrement=SCROLLED_PX)
        self._bar = tkinter.Scrollbar(window, command=self._canvas.yview)
        self._body = tkinter.Frame(self._canvas)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self._canvas.pack(side="left", fill="both", expand=True)
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):  # the wheel; on X11 it is two buttons
            window.bind(event, self._scroll)
        window.withdraw()  # until there is something in it
        window.title(TITLE)
        window.configure(background=PAPER)
        self._look()

    def _look(self) -> None:
        view = None
        while not self._views.empty():  # only the newest counts
            view = self._views.get()
            if view is None:
                self._window.destroy()
                return
        if view is not None:
            self._show(view)
        self._window.after(POLL_MS, self._look)

    def _show(self, view: ControlView) -> None:
        old, self._body = self._body, self._tk.Frame(self._canvas, background=PAPER, padx=MARGIN_PX, pady=MARGIN_PX)
        self._pictures.clear()
        self._show_head(view)
        if view.link:
            self._show_code(view.link)
        else:
            self._show_phones(view.phones)
            self._show_pastes(view.pastes)
        old.destroy()
        self._fit()
        self._make_way(has_link=view.link is not None, has_phones=bool(view.phones))

    def _fit(self) -> None:
        """As large as all of it, even if the user has made it smaller; if the screen is smaller, it scrolls."""
        self._canvas.delete("all")
        self._canvas.create_window(0, 0, window=self._body, anchor="nw")
        self._window.update_idletasks()  # which measures it
        width, height = self._body.winfo_reqwidth(), self._body.winfo_reqheight()
        lowest = self._window.winfo_screenheight() - TASK_BAR_PX
        shown = min(height, lowest - TITLE_PX)
        self._canvas.configure(width=width, height=shown, scrollregion=(0, 0, width, height))
        if height > shown:
            self._bar.pack(side="right", fill="y", before=self._canvas)
        else:
            self._bar.pack_forget()
        self._canvas.yview_moveto(0)
        self._window.geometry("")
        top = lowest - TITLE_PX - shown
        if self._window.winfo_y() > top:
            self._window.geometry(f"+{self._window.winfo_x()}+{top}")

    def _scroll(self, event: "tkinter.Event[tkinter.Misc]") -> None:
        is_up = event.num == 4 or event.delta > 0
        self._canvas.yview_scroll(-1 if is_up else 1, "units")

    def _show_head(self, view: ControlView) -> None:
        words, colour = ("Phones can paste", GREEN) if view.phones else (NO_PHONES, QUIET)
        if view.is_paused:
            words, colour = "Paused: phones cannot paste", AMBER
        row = self._row()
        self._say(row, view.computer_name, size=15, weight="bold").pack(side="left")
        button = self._button(row, "Resume" if view.is_paused else "Pause", RESUME if view.is_paused else PAUSE)
        button.pack(side="right")
        self._say(self._body, words, colour=colour).pack(anchor="w")

    def _show_code(self, link: str) -> None:
        png = io.BytesIO()
        segno.make(link, micro=False).save(png, kind="png", scale=MODULE_PX, border=4)
        code = self._picture(self._body, base64.b64encode(png.getvalue()).decode())
        code.pack(pady=(GAP_PX, 0))
        self._say(self._body, HINT, justify="center", wrap_px=WIDTH_PX).pack()

    def _show_phones(self, phones: dict[str, str]) -> None:
        self._show_title("Paired phones")
        for device, name in phones.items():
            row = self._row()
            self._button(row, "Unpair", UNPAIR, device).pack(side="right")
            self._say(row, name).pack(side="left")
        self._button(self._row(), "Pair a phone", PAIR).pack(side="left")

    def _show_pastes(self, pastes: dict[str, ShownPaste]) -> None:
        self._show_title("Last pastes")
        if not pastes:
            self._say(self._body, NO_PASTES, colour=QUIET).pack(anchor="w")
        for paste in pastes.values():
            self._show_paste(paste)

    def _show_paste(self, paste: ShownPaste) -> None:
        row = self._row()
        place = self._tk.Frame(row, background=PAPER, width=52, height=48)
        place.pack_propagate(False)
        place.pack(side="left")
        if paste.thumbnail:
            self._picture(place, paste.thumbnail).pack(expand=True)
        self._say(row, paste.at, colour=QUIET).pack(side="right", anchor="n", pady=(14, 0))
        said = self._say(row, paste.sentence, colour=RED if paste.is_error else INK, wrap_px=WIDTH_PX - 120)
        said.pack(side="left", padx=(GAP_PX, 0))

    def _show_title(self, words: str) -> None:
        self._tk.Frame(self._body, background=LINE, height=1, width=WIDTH_PX).pack(pady=(MARGIN_PX, GAP_PX))
        self._say(self._body, words, colour=QUIET, size=10, weight="bold").pack(anchor="w")

    def _row(self) -> "tkinter.Frame":
        row = self._tk.Frame(self._body, background=PAPER)
        row.pack(fill="x", pady=2)
        return row

    def _say(
        self,
        place: "tkinter.Frame",
        words: str,
        *,
        colour: str = INK,
        size: int = 12,
        weight: str = "normal",
        justify: Literal["left", "center"] = "left",
        wrap_px: int = WIDTH_PX - 90,
    ) -> "tkinter.Label":
        label = self._tk.Label(place, text=words, background=PAPER, foreground=colour, font=("", size, weight))
        label.configure(justify=justify, wraplength=wrap_px, borderwidth=0)
        return label

    def _button(self, place: "tkinter.Frame", words: str, what: str, device: str | None = None) -> "tkinter.Button":
        button = self._tk.Button(place, text=words, command=lambda: wish(Wish(what, device)), font=("", 11))
        button.configure(background=BUTTON, activebackground=PRESSED, foreground=INK, activeforeground=INK)
        button.configure(relief="flat", borderwidth=0, highlightthickness=1, padx=12, pady=4, cursor="hand2")
        button.configure(highlightbackground=PAPER, highlightcolor=GREEN)
        return button

    def _picture(self, place: "tkinter.Frame", png: str) -> "tkinter.Label":
        picture = self._tk.PhotoImage(data=png)
        self._pictures.append(picture)
        return self._tk.Label(place, image=picture, background=PAPER, borderwidth=0)

    def _make_way(self, *, has_link: bool, has_phones: bool) -> None:
        """Come to the middle with a code; without, stay in the task bar: the screen is to be pasted on."""
        had_link, self._has_link = self._has_link, has_link
        if has_link and not had_link:
            self._window.eval("tk::PlaceWindow . center")
        elif has_phones and not has_link and had_link is not False:
            self._window.iconify()
        elif had_link is None:
            self._window.deiconify()


def wish(what: Wish) -> None:
    """Tell the agent what was clicked."""
    print(json.dumps(what.to_wire()), flush=True)


def main() -> int:
    """Show what comes in; end with the input. 1 if there is no window to be had."""
    try:
        import tkinter

        window = tkinter.Tk()
    except ImportError:
        print("There is no tkinter (on Debian: python3-tk): the code is in the terminal only.", file=sys.stderr)
        return 1
    except tkinter.TclError as error:
        print(f"There is no screen to show the code on: it is in the terminal only ({error}).", file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the agent, which then closes the input
    views: queue.Queue[ControlView | None] = queue.Queue()
    threading.Thread(target=_read_views, args=(views,), daemon=True).start()
    ControlWindow(window, views)
    window.mainloop()
    return 0


def _read_views(views: "queue.Queue[ControlView | None]") -> None:
    for line in sys.stdin:
        views.put(ControlView.from_wire(parse_json(line.encode())))
    views.put(None)


if __name__ == "__main__":
    sys.exit(main())
