"""Adobe Photoshop: a script places the cutout as a layer and moves it, in one step of the document's history.

Written after Adobe's Photoshop JavaScript Reference; docs/platforms.md says what was run.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from desktop_agent.editors.photoshop_scripting import Scripting
from desktop_agent.pictures import Cutout
from protocol.errors import EditorRefused
from protocol.geometry import ScreenPoint

DONE = "done "  # what a script that worked begins with; after it comes the number of the document

# ExtendScript, which is the JavaScript of 1999. What the user had set is put back, whatever happens.
FUNCTIONS = """
var AR_STEP = "AR Copy & Paste", arProblem;

function arTry(work) {
    var units = app.preferences.rulerUnits, dialogs = app.displayDialogs;
    app.preferences.rulerUnits = Units.PIXELS;
    app.displayDialogs = DialogModes.NO;
    try {
        if (!app.documents.length) { throw new Error("There is no open document."); }
        work(app.activeDocument);
        return "done " + app.activeDocument.id;
    } catch (problem) {
        return "failed " + problem.message;
    } finally {
        app.preferences.rulerUnits = units;
        app.displayDialogs = dialogs;
    }
}

function arAsk(name) {
    var question = new ActionReference();
    question.putProperty(stringIDToTypeID("property"), stringIDToTypeID(name));
    question.putEnumerated(stringIDToTypeID("document"), stringIDToTypeID("ordinal"), stringIDToTypeID("targetEnum"));
    return executeActionGet(question);
}

// The middle of what is in sight of the document; where that is not told, the middle of all of it.
function arMiddle(document) {
    var ends = [document.width.as("px"), document.height.as("px")];
    try {
        // Scale, shear, offset: a pixel of the view as one of the document.
        var transform = arAsk("viewTransform").getList(stringIDToTypeID("viewTransform"));
        var view = arAsk("viewInfo").getObjectValue(stringIDToTypeID("viewInfo"))
            .getObjectValue(stringIDToTypeID("activeView")).getObjectValue(stringIDToTypeID("globalBounds"));
        var sides = [["left", "right"], ["top", "bottom"]], middle = [];
        for (var i = 0; i < 2; i++) {
            var length = view.getDouble(stringIDToTypeID(sides[i][1])) - view.getDouble(stringIDToTypeID(sides[i][0]));
            var start = transform.getDouble(4 + i), end = start + length * transform.getDouble(3 * i);
            middle.push((Math.max(0, start) + Math.min(ends[i], end)) / 2);
        }
        return middle;
    } catch (problem) {
        return [ends[0] / 2, ends[1] / 2];
    }
}

// Place as a layer; `seen` is the size of what is not transparent, because a layer's bounds are those.
function arPlace(file, seen, right, down) {
    try {
        var middle = arMiddle(app.activeDocument);
        var description = new ActionDescriptor();
        description.putPath(charIDToTypeID("null"), new File(file));
        description.putEnumerated(charIDToTypeID("FTcs"), charIDToTypeID("QCSt"), charIDToTypeID("Qcsa"));
        executeAction(charIDToTypeID("Plc "), description, DialogModes.NO);
        var layer = app.activeDocument.activeLayer;
        // Photoshop scales by the file's resolution, and to the document's size if the user has set that.
        var scale = 100 * seen / (layer.bounds[2].as("px") - layer.bounds[0].as("px"));
        if (Math.abs(scale - 100) > 0.1) { layer.resize(scale, scale, AnchorPosition.MIDDLECENTER); }
        var box = layer.bounds;
        layer.translate(
            new UnitValue(middle[0] + right - (box[0].as("px") + box[2].as("px")) / 2, "px"),
            new UnitValue(middle[1] + down - (box[1].as("px") + box[3].as("px")) / 2, "px"));
    } catch (problem) {
        arProblem = problem;
    }
}

function arPlaceInOneStep(document, call) {
    arProblem = null;
    document.suspendHistory(AR_STEP, call);
    if (arProblem) {
        if (document.activeHistoryState.name === AR_STEP) { arTakeBack(document); }
        throw arProblem;
    }
}

// Never a step of the user's own.
function arTakeBack(document) {
    var states = document.historyStates;
    if (states.length < 2 || document.activeHistoryState.name !== AR_STEP
        || states[states.length - 1].name !== AR_STEP) {
        throw new Error("Another step has come after it.");
    }
    document.activeHistoryState = states[states.length - 2];
}

function arCheckIsSame(document, number) {
    if (document.id !== number) { throw new Error("Another document is in front now."); }
}
"""


class Photoshop:
    """Places, moves and takes back by scripts; the pointer, the keyboard and the clipboard are not used."""

    name = "Photoshop"
    can_insert_again = True
    puts_at_caret = False

    def __init__(self, scripting: Scripting) -> None:
        """Args: scripting: how scripts reach Photoshop."""
        self.strategy = scripting.name
        self._run = scripting.run
        self._cutout: Cutout | None = None  # the last one, which `move` places anew
        self._way = (0.0, 0.0)  # right and down from there, in pixels of the document
        self._document = ""

    def approach(self, point: ScreenPoint) -> None:
        """Nothing: the pointer is not needed."""

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """Nobody knows before it was seen."""
        return point

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:  # noqa: ARG002  # `move` brings it there
        """Place it in the middle of what is in sight; where on the screen that is, the next look will see."""
        self._cutout, self._way = cutout, (0.0, 0.0)
        self._document = self._place(takes_back="")

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:  # noqa: ARG002
        """There is no second way."""
        return False

    def check(self) -> None:
        """It is placed in the document itself."""

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """Take it back and place it where it should be, which leaves a single step."""
        right, down = self._way
        self._way = right + (end.x - start.x) / zoom, down + (end.y - start.y) / zoom
        self._document = self._place(takes_back=f"arCheckIsSame(document, {self._document}); arTakeBack(document);")
        return True

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002  # `move` does better
        """There is nothing to learn: the view may have been scrolled by the next time."""
        return False

    def forget(self) -> None:
        """Nothing: each paste is looked for."""

    def undo(self) -> None:
        """Go back by the step that placed it."""
        self._ask(f"arTry(function (document) {{ arCheckIsSame(document, {self._document}); arTakeBack(document); }})")

    def _place(self, *, takes_back: str) -> str:
        assert self._cutout is not None
        columns = np.flatnonzero(self._cutout[:, :, 3].any(axis=0))
        with tempfile.TemporaryDirectory(prefix="ar-copy-paste-", ignore_cleanup_errors=True) as folder:
            file = Path(folder, "Cutout.png")  # its name becomes the layer's
            Image.fromarray(self._cutout).save(file, compress_level=1)
            right, down = self._way
            seen = int(columns[-1] - columns[0] + 1)
            place = f"arPlace({json.dumps(file.as_posix())}, {seen}, {right:.3f}, {down:.3f})"
            return self._ask(
                f"arTry(function (document) {{ {takes_back} arPlaceInOneStep(document, {json.dumps(place)}); }})"
            )

    def _ask(self, expression: str) -> str:
        answer = self._run(f"{FUNCTIONS}\n{expression};")
        if not answer.startswith(DONE):
            raise EditorRefused(f"Photoshop says: {answer.removeprefix('failed ')}")
        return answer.removeprefix(DONE)
