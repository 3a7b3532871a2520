"""A fake of the module `uno` and of the LibreOffice behind it: those names of their documentation that we use."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

NATIVE = SimpleNamespace(Width=4000, Height=3000)  # of a picture as LibreOffice inserts it


def part(name: str, box: tuple[int, int, int, int], *children: Any) -> SimpleNamespace:
    """A part of a window as a screen reader is told of it."""
    x, y, width, height = box
    return SimpleNamespace(
        ImplementationName=name,
        LocationOnScreen=SimpleNamespace(X=x, Y=y),
        Size=SimpleNamespace(Width=width, Height=height),
        AccessibleChildCount=len(children),
        getAccessibleChild=lambda index: SimpleNamespace(AccessibleContext=children[index]),
    )


@dataclass
class Group:
    """What a page holds, or what is selected."""

    shapes: list[Any]

    @property
    def Count(self) -> int:
        return len(self.shapes)

    def getByIndex(self, index: int) -> Any:
        return self.shapes[index]


@dataclass
class View:
    """The view of a document of which 20000 x 10000 hundredths of a millimetre show on 1000 x 500 pixels."""

    title: str = "cat - LibreOffice Draw"
    kind: str = "com.sun.star.drawing.GenericDrawingDocument"
    is_read_only: bool = False
    tells_place: bool = True
    page: list[Any] = field(default_factory=list)
    selected: list[Any] = field(default_factory=list)
    times_asked: int = 0

    def __post_init__(self) -> None:
        sheet = part("AccessibleDrawDocumentView" if self.tells_place else "AccessibleWindow", (200, 100, 1000, 500))
        tools = part("AccessibleWindow", (0, 100, 200, 500), part("AccessibleDrawDocumentView", (0, 100, 100, 100)))
        window = SimpleNamespace(AccessibleContext=part("AccessibleWindow", (0, 0, 1300, 700), tools, sheet))
        self.Model = SimpleNamespace(
            supportsService=lambda name: name == self.kind, isReadonly=lambda: self.is_read_only
        )
        self.VisibleArea = SimpleNamespace(X=-1000, Y=500, Width=20000, Height=10000)
        self.Frame = SimpleNamespace(Title=self.title, Controller=self, ComponentWindow=window)
        self.CurrentPage = Group(self.page)

    @property
    def Selection(self) -> Group | None:
        self.times_asked += 1
        return Group(self.selected) if self.selected else None

    def select(self, what: None) -> None:
        self.selected = []

    def insert(self, url: str) -> None:
        assert not self.selected
        shape = SimpleNamespace(ShapeType="picture", url=url, Size=NATIVE, Position=SimpleNamespace(X=0, Y=0))
        self.page.append(shape)
        self.selected = [shape]


class Uno:
    """The module."""

    def __init__(self, *views: View) -> None:
        self.services = {
            "com.sun.star.bridge.UnoUrlResolver": SimpleNamespace(resolve=self._resolve),
            "com.sun.star.frame.Desktop": SimpleNamespace(Frames=Group([view.Frame for view in views])),
            "com.sun.star.frame.DispatchHelper": SimpleNamespace(executeDispatch=self._dispatch),
        }
        self.context = SimpleNamespace(ServiceManager=SimpleNamespace(createInstanceWithContext=self._create))

    def getComponentContext(self) -> Any:
        return self.context

    def systemPathToFileUrl(self, path: str) -> str:
        return f"file://{path}"

    def createUnoStruct(self, name: str, *values: int, **named: Any) -> Any:
        fields = {"com.sun.star.awt.Size": ("Width", "Height"), "com.sun.star.awt.Point": ("X", "Y")}.get(name, ())
        return SimpleNamespace(**dict(zip(fields, values, strict=True)), **named)

    def _create(self, name: str, context: Any) -> Any:
        assert context is self.context
        return self.services[name]

    def _resolve(self, url: str) -> Any:
        assert url == "uno:socket,host=localhost,port=2002;urp;StarOffice.ComponentContext"
        return self.context

    def _dispatch(self, frame: Any, command: str, target: str, flags: int, values: tuple[Any, ...]) -> None:
        assert (command, target, flags, values[0].Name) == (".uno:InsertGraphic", "", 0, "FileName")
        frame.Controller.insert(values[0].Value)
