"""The table of editors: how each is opened, where it shows its document, what it may do with a picture."""

from dataclasses import dataclass
from enum import Enum
from functools import partial

from protocol.geometry import Box
from real_editors import documents
from real_editors.documents import WriteDocument


class Places(Enum):
    """Where an editor can put what is pasted."""

    FREELY = "anywhere"
    AT_CARET = "in the text"
    NOWHERE = "nowhere"  # it takes no pictures, or only instead of its document: it is to be refused


@dataclass(frozen=True)
class RealEditor:
    """One row of the table."""

    name: str  # on the command line
    package: str  # of Debian
    command: tuple[str, ...]  # less the document
    write_document: WriteDocument
    canvas: Box  # where the document shows, at every view that is opened, on a screen of 1920 x 1080
    places: Places = Places.FREELY
    refusal: str = "editor_takes_no_pictures"  # the error's code, where it places nothing
    profile: tuple[tuple[str, str], ...] = ()  # files below its home: what a user has answered once
    wheel_zooms: bool = False  # without Ctrl; what scrolls then is the middle button
    zoom_steps: int = 1  # of the wheel, to the second zoom


# Without the first line it asks, at the first paste, which colours pictures without a profile are in.
KRITA = ((".config/kritarc", "pasteBehaviour=0\nHideSplashScreen=true\n"),)
CHROMIUM = ("chromium", "--no-sandbox", "--test-type", "--no-first-run", "--no-default-browser-check")
# Without it, it invites to sign in beside the address, for a while after its start.
CHROMIUM_PROFILE = ((".config/chromium/Default/Preferences", '{"signin": {"allowed_on_next_startup": false}}'),)
OFFICE = ("soffice", "--norestore", "--nologo", "--nofirststartwizard")
OFFICE_PROFILE = (
    (
        ".config/libreoffice/4/user/registrymodifications.xcu",
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">\n'
        '<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="ShowTipOfTheDay" oor:op="fuse">'
        "<value>false</value></prop></item>\n</oor:items>\n",
    ),
)

PAGE, TEXT = Box(0, 150, 1900, 910), Box(130, 170, 1600, 800)
MTPAINT = ((".mtpaint", "toolbar3 = 0\n"),)  # a second window, which the window manager would lay over the first

EDITORS = (
    RealEditor("inkscape", "inkscape", ("inkscape",), documents.write_svg, Box(160, 110, 1450, 860)),
    RealEditor("krita", "krita", ("krita",), documents.write_png, Box(160, 110, 1400, 900), profile=KRITA,
               wheel_zooms=True),
    RealEditor("gimp", "gimp", ("gimp",), documents.write_png, Box(360, 160, 1180, 780), zoom_steps=2),
    RealEditor("draw", "libreoffice-draw", (*OFFICE, "--draw"), documents.write_drawing, Box(580, 110, 920, 890),
               profile=OFFICE_PROFILE, zoom_steps=3),
    RealEditor("impress", "libreoffice-impress", (*OFFICE, "--impress"), documents.write_slide,
               Box(220, 220, 1270, 740), profile=OFFICE_PROFILE, zoom_steps=3),
    RealEditor("kolourpaint", "kolourpaint", ("kolourpaint",), documents.write_png, Box(336, 58, 1566, 876)),
    RealEditor("chromium-canvas", "chromium", CHROMIUM, documents.write_canvas_page("paste drag drop"), PAGE,
               profile=CHROMIUM_PROFILE),
    RealEditor("chromium-drop", "chromium", CHROMIUM, documents.write_canvas_page("drag drop"), PAGE,
               profile=CHROMIUM_PROFILE),
    RealEditor("chromium-neither", "chromium", CHROMIUM, documents.write_canvas_page(""), PAGE,
               places=Places.NOWHERE, refusal="paste_not_seen", profile=CHROMIUM_PROFILE),
    RealEditor("chromium-editable", "chromium", CHROMIUM, documents.write_editable_page, TEXT,
               places=Places.AT_CARET, profile=CHROMIUM_PROFILE),
    RealEditor("chromium-text-drop", "chromium", CHROMIUM, partial(documents.write_editable_page, takes_paste=False),
               TEXT, places=Places.AT_CARET, profile=CHROMIUM_PROFILE),
    RealEditor("mousepad", "mousepad", ("mousepad",), documents.write_text, Box(0, 60, 1900, 900),
               places=Places.NOWHERE),
    RealEditor("mtpaint", "mtpaint", ("mtpaint",), documents.write_png, Box(120, 70, 1750, 960),
               places=Places.NOWHERE, profile=MTPAINT),
)  # fmt: skip
EDITORS_BY_NAME = {editor.name: editor for editor in EDITORS}
