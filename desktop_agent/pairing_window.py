"""pairing link -> its QR code in a window, for as long as standard input stays open.

A program of its own (`python -m desktop_agent.pairing_window`), so that the agent needs no window to live. The link
comes through standard input, because other users of a machine can read the arguments of every program.
"""

import base64
import io
import queue
import sys
import threading

import segno

POLL_MS = 100
MODULE_PX = 7


def main() -> int:
    """Show each link that comes in; end with the input."""
    try:
        import tkinter
    except ImportError:
        print("There is no tkinter, so the code is shown in the terminal only.", file=sys.stderr)  # noqa: T201
        return 1
    links: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_links, args=(links,), daemon=True).start()
    try:
        window = tkinter.Tk()
    except tkinter.TclError as error:
        print(f"There is no screen to show the code on ({error}).", file=sys.stderr)  # noqa: T201
        return 1
    window.title("AR Copy & Paste")
    window.configure(background="white")
    label = tkinter.Label(window, background="white", borderwidth=0)
    label.pack(padx=24, pady=(24, 8))
    hint = "Scan this code with your phone's camera."
    tkinter.Label(window, text=hint, background="white", foreground="#222222", font=("", 14)).pack(pady=(0, 24))

    def show_next() -> None:
        try:
            link = links.get_nowait()
        except queue.Empty:
            window.after(POLL_MS, show_next)
            return
        if link is None:
            window.destroy()
            return
        picture = tkinter.PhotoImage(data=_qr_png(link))
        label.configure(image=picture)
        label.picture = picture  # type: ignore[attr-defined]  # tkinter keeps no reference of its own
        window.after(POLL_MS, show_next)

    show_next()
    window.mainloop()
    return 0


def _read_links(links: "queue.Queue[str | None]") -> None:
    for line in sys.stdin:
        links.put(line.strip())
    links.put(None)


def _qr_png(link: str) -> bytes:
    png = io.BytesIO()
    segno.make(link, micro=False).save(png, kind="png", scale=MODULE_PX, border=4)
    return base64.b64encode(png.getvalue())


if __name__ == "__main__":
    sys.exit(main())
