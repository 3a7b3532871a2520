"""What LibreOffice does when it is asked over UNO: a program of its own, for a Python that has the module `uno`.

    libre_office_script.py READY_S PORT insert TITLE WIDTH HEIGHT X Y FILE   a picture, its middle at a screen point
    libre_office_script.py READY_S PORT move TITLE WIDTH HEIGHT RIGHT DOWN   the same picture, by so many pixels

It prints "asked" just before it changes anything, or ends if it is not ready for that within READY_S; and "done" once
that is done. Both leave one step to undo: what a script does to a shape is none, but for naming it.
"""

import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

CONTEXT = "uno:socket,host=localhost,port={port};urp;StarOffice.ComponentContext"
DRAWING = "com.sun.star.drawing.GenericDrawingDocument"  # of Draw and of Impress
KEPT_EMPTY = ("com.sun.star.presentation.TitleTextShape", "com.sun.star.presentation.SubtitleShape")
SHEET = "AccessibleDrawDocumentView"  # what shows it, among what a screen reader is told of
PIXEL = 2540 / 96  # in LibreOffice's unit, 1/100 mm


def find_view(office: Any, title: str) -> Any:
    """The view of the drawing or presentation in the one window of that title; None if there is none to insert into."""
    frames = office.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", office).Frames
    views = [frames.getByIndex(i).Controller for i in range(frames.Count) if frames.getByIndex(i).Title == title]
    return views[0] if len(views) == 1 and views[0] and takes_pictures(views[0]) else None


def takes_pictures(view: Any) -> bool:
    """Whether it can be written on, and a picture would not take the place of a slide's empty box."""
    if not view.Model.supportsService(DRAWING) or view.Model.isReadonly():
        return False
    shapes = (view.CurrentPage.getByIndex(i) for i in range(view.CurrentPage.Count))
    empty = (shape for shape in shapes if getattr(shape, "IsEmptyPresentationObject", False))
    return all(shape.ShapeType in KEPT_EMPTY for shape in empty)


def insert(uno: Any, office: Any, view: Any, size: Any, middle: tuple[float, float], file: str) -> bool:
    """Insert a file's picture in that size, its middle at a place in the document."""
    view.select(None)  # a picture that is selected would be replaced
    dispatcher = office.ServiceManager.createInstanceWithContext("com.sun.star.frame.DispatchHelper", office)
    url = uno.createUnoStruct("com.sun.star.beans.PropertyValue", Name="FileName", Value=uno.systemPathToFileUrl(file))
    dispatcher.executeDispatch(view.Frame, ".uno:InsertGraphic", "", 0, (url,))
    selection = view.Selection  # asked for once: a shape that is let go of while it is asked for anew obeys no more
    if selection is None:
        return False
    left, top = round(middle[0] - size.Width / 2), round(middle[1] - size.Height / 2)
    shape = selection.getByIndex(0)
    shape.Size = size  # a large one was made as small as the page
    shape.Position = uno.createUnoStruct("com.sun.star.awt.Point", left, top)
    return True


def find_place(view: Any, x: float, y: float) -> tuple[float, float]:
    """The place in the document under a point of the screen; the middle of what is in sight where nothing tells it."""
    visible, sheet = view.VisibleArea, find_sheet(view.Frame.ComponentWindow.AccessibleContext, x, y)
    if sheet is None:
        return visible.X + visible.Width / 2, visible.Y + visible.Height / 2
    right, down = x + 0.5 - sheet.LocationOnScreen.X, y + 0.5 - sheet.LocationOnScreen.Y
    return visible.X + right * visible.Width / sheet.Size.Width, visible.Y + down * visible.Height / sheet.Size.Height


def find_sheet(part: Any, x: float, y: float) -> Any:
    """The part of a window that shows the document under a point of the screen; None if there is none."""
    corner, size = part.LocationOnScreen, part.Size
    if not (0 <= x - corner.X < size.Width and 0 <= y - corner.Y < size.Height):
        return None
    if part.ImplementationName == SHEET:
        return part
    parts = (part.getAccessibleChild(i).AccessibleContext for i in range(part.AccessibleChildCount))
    return next(filter(None, (find_sheet(child, x, y) for child in parts)), None)


def move(uno: Any, view: Any, size: Any, right: float, down: float) -> bool:
    """Move what was inserted in that size, if it is still what is selected."""
    selection = view.Selection
    shape = selection.getByIndex(0) if selection is not None else None
    if shape is None or (shape.Size.Width, shape.Size.Height) != (size.Width, size.Height):
        return False
    x, y = shape.Position.X + round(right * PIXEL), shape.Position.Y + round(down * PIXEL)
    shape.Position = uno.createUnoStruct("com.sun.star.awt.Point", x, y)
    return True


def prepare(
    uno: Any, port: str, verb: str, title: str, width: str, height: str, *words: str
) -> Callable[[], bool] | None:
    """All that changes nothing: what is left is to call what it returns. None where there is no such window."""
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
    office = resolver.resolve(CONTEXT.format(port=port))
    view = find_view(office, title)
    if view is None:
        return None
    size = uno.createUnoStruct("com.sun.star.awt.Size", round(int(width) * PIXEL), round(int(height) * PIXEL))
    if verb == "move":
        return partial(move, uno, view, size, *map(float, words))
    return partial(insert, uno, office, view, size, find_place(view, float(words[0]), float(words[1])), words[2])


def give_up() -> None:
    """End, though a call is under way: what listens may be anything, and silent."""
    print("it does not answer", file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    import uno

    end_of_patience = threading.Timer(float(sys.argv[1]), give_up)
    end_of_patience.start()
    change = prepare(uno, *sys.argv[2:])
    end_of_patience.cancel()
    if change:
        print("asked", flush=True)
        if change():
            print("done")
