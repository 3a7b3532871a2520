"""pairing link -> its QR code in a window, for as long as standard input stays open.

A program of its own (`python -m desktop_agent.pairing_window`), so that the agent needs no window to live. The link
comes through standard input, because other users of a machine can read the arguments of every program.
"""

import base64
import io
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING

import segno

if TYPE_CHECKING:
    import tkinter

POLL_MS = 100
MODULE_PX = 7
MARGIN_PX = 24
INK, PAPER = "#222222", "white"
HINT = "Scan this code with your phone's camera.\nIt is good for two minutes."


class PairingWindow:
    """Shows one code, replaced by each link that comes in."""

    def __init__(self, window: "tkinter.Tk", links: "queue.Queue[str | None]") -> None:
        """Args: window: an empty one. links: what to show; None closes the window."""
        import tkinter

        self._window = window
        self._links = links
        self._picture: tkinter.PhotoImage | None = None  # tkinter keeps no reference of its own
        window.title("AR Copy & Paste")
        window.configure(background=PAPER)
        self._code = tkinter.Label(window, background=PAPER, borderwidth=0)
        self._code.pack(padx=MARGIN_PX, pady=(MARGIN_PX, 0))
        hint = tkinter.Label(window, text=HINT, background=PAPER, foreground=INK, font=("", 14))
        hint.pack(padx=MARGIN_PX, pady=(0, MARGIN_PX))
        self._look()

    def _look(self) -> None:
        try:
            link = self._links.get_nowait()
        except queue.Empty:
            self._window.after(POLL_MS, self._look)
            return
        if link is None:
            self._window.destroy()
            return
        self._show(link)
        self._window.after(POLL_MS, self._look)

    def _show(self, link: str) -> None:
        import tkinter

        png = io.BytesIO()
        segno.make(link, micro=False).save(png, kind="png", scale=MODULE_PX, border=4)
        self._picture = tkinter.PhotoImage(data=base64.b64encode(png.getvalue()))
        self._code.configure(image=self._picture)
        self._window.eval("tk::PlaceWindow . center")


def main() -> int:
    """Show each link that comes in; end with the input. 1 if there is no window to be had."""
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
    links: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_links, args=(links,), daemon=True).start()
    PairingWindow(window, links)
    window.mainloop()
    return 0


def _read_links(links: "queue.Queue[str | None]") -> None:
    for line in sys.stdin:
        links.put(line.strip())
    links.put(None)


if __name__ == "__main__":
    sys.exit(main())
