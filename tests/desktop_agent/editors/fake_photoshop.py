"""A fake Photoshop: its scripting objects in a real JavaScript engine, behind its remote connection's protocol.

The objects are those of Adobe's JavaScript Reference that scripts here use; what they do not know is an error. The
protocol is written a second time here, from its description (a length, a status, then 3DES of a header and a body), so
that it checks the library rather than itself.
"""

import contextlib
import hashlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

import dukpy
import numpy as np
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from PIL import Image

from desktop_agent.pictures import Cutout

SCRIPT, SCRIPT_SHARED, ERROR = 2, 10, 1

OBJECTS = """
var Units = {PIXELS: "px", CM: "cm"}, DialogModes = {NO: "no", ERROR: "error", ALL: "all"};
var AnchorPosition = {MIDDLECENTER: "middle"};
var placing = {scale: 1, failure: null};
function UnitValue(number, unit) { this.number = number; this.unit = unit; }
UnitValue.prototype.as = function (unit) {
    if (unit !== this.unit) { throw new Error("unit"); }
    return this.number;
};
function File(path) { this.fsName = path; }
function charIDToTypeID(id) { if (id.length !== 4) { throw new Error("no such id"); } return id; }
function stringIDToTypeID(id) { return id; }
function ActionDescriptor() { this.values = {}; }
ActionDescriptor.prototype.putPath = function (key, file) { this.values[key] = file; };
ActionDescriptor.prototype.putEnumerated = function (key, type, value) { this.values[key] = value; };
ActionDescriptor.prototype.getObjectValue = function (key) { return this.values[key]; };
ActionDescriptor.prototype.getList = function (key) { return this.values[key]; };
ActionDescriptor.prototype.getDouble = function (key) {
    if (typeof this.values[key] !== "number") { throw new Error("no such number"); }
    return this.values[key];
};
function ActionReference() { this.asked = []; }
ActionReference.prototype.putProperty = function (kind, what) { this.asked.push(what); };
ActionReference.prototype.putEnumerated = function (kind, type, which) { this.asked.push(kind); };

function Layer(name, box) { this.name = name; this.box = box; }
Object.defineProperty(Layer.prototype, "bounds", {get: function () {
    return this.box.map(function (side) { return new UnitValue(side, app.preferences.rulerUnits); });
}});
Layer.prototype.resize = function (across, along, anchor) {
    if (anchor !== AnchorPosition.MIDDLECENTER) { throw new Error("anchor"); }
    var x = (this.box[0] + this.box[2]) / 2, y = (this.box[1] + this.box[3]) / 2;
    var w = (this.box[2] - this.box[0]) * across / 200, h = (this.box[3] - this.box[1]) * along / 200;
    this.box = [x - w, y - h, x + w, y + h];
    app.activeDocument.note("Free Transform");
};
Layer.prototype.translate = function (x, y) {
    var dx = x.as("px"), dy = y.as("px");
    this.box = [this.box[0] + dx, this.box[1] + dy, this.box[2] + dx, this.box[3] + dy];
    app.activeDocument.note("Move");
};

function Doc(id, width, height, view) {
    this.id = id; this.size = [width, height]; this.view = view; this.suspended = false;
    this.layers = []; this.historyStates = []; this.current = null;
    this.note("Open");
}
Object.defineProperty(Doc.prototype, "width", {get: function () {
    return new UnitValue(this.size[0], app.preferences.rulerUnits); }});
Object.defineProperty(Doc.prototype, "height", {get: function () {
    return new UnitValue(this.size[1], app.preferences.rulerUnits); }});
Object.defineProperty(Doc.prototype, "activeLayer", {get: function () {
    return this.layers[this.layers.length - 1]; }});
Object.defineProperty(Doc.prototype, "activeHistoryState", {
    get: function () { return this.current; },
    set: function (state) {
        this.current = state;
        this.layers = state.layers.map(function (layer) { return new Layer(layer.name, layer.box.slice()); });
    }});
Doc.prototype.note = function (name) {  // a step of the history; those that were taken back are gone
    if (this.suspended) { return; }
    var kept = this.layers.map(function (layer) { return new Layer(layer.name, layer.box.slice()); });
    this.historyStates = this.historyStates.slice(0, this.historyStates.indexOf(this.current) + 1);
    this.current = {name: name, layers: kept};
    this.historyStates.push(this.current);
};
Doc.prototype.suspendHistory = function (name, script) {
    this.suspended = true;
    try { (0, eval)(script); } finally { this.suspended = false; this.note(name); }
};

function executeAction(name, description, dialogs) {
    if (name !== "Plc " || dialogs !== DialogModes.NO) { throw new Error("not available"); }
    if (placing.failure) { throw new Error(placing.failure); }
    var doc = app.activeDocument, path = description.values["null"].fsName;
    var seen = call_python("size_of", path);
    var w = seen[0] * placing.scale / 2, h = seen[1] * placing.scale / 2, x = doc.size[0] / 2, y = doc.size[1] / 2;
    doc.layers.push(new Layer(path.split("/").pop().replace(".png", ""), [x - w, y - h, x + w, y + h]));
    doc.note("Place Embedded");
}
function ActionList(numbers) { this.numbers = numbers; }
ActionList.prototype.getDouble = function (index) {
    if (!(index in this.numbers)) { throw new Error("no such index"); }
    return this.numbers[index];
};
function described(values) {
    var descriptor = new ActionDescriptor();
    descriptor.values = values;
    return descriptor;
}
function executeActionGet(reference) {
    var view = app.activeDocument.view, answers = {};
    if (!view) { throw new Error("not available"); }
    var transform = new ActionList([view.scale, 0, 0, view.scale].concat(view.corner));
    answers["viewTransform,document"] = {viewTransform: transform};
    var bounds = {left: 41, top: 100, right: 41 + view.size[0], bottom: 100 + view.size[1]};
    var activeView = described({globalBounds: described(bounds)});
    answers["viewInfo,document"] = {viewInfo: described({activeView: activeView})};
    var values = answers[reference.asked.join()];
    if (!values) { throw new Error("not available"); }
    return described(values);
}
var app = {preferences: {rulerUnits: Units.CM}, displayDialogs: DialogModes.ALL, documents: [], activeDocument: null};
function openDocument(id, width, height, view) {
    app.activeDocument = new Doc(id, width, height, view);
    app.documents.push(app.activeDocument);
}
function state() {
    var doc = app.activeDocument;
    return {
        layers: doc.layers.map(function (layer) { return [layer.name, layer.box]; }),
        history: doc.historyStates.slice(0, doc.historyStates.indexOf(doc.current) + 1).map(
            function (step) { return step.name; }),
        settings: [app.preferences.rulerUnits, app.displayDialogs]
    };
}
"""


class Photoshop:
    """The program, with a document of 1000 x 800 pixels, of which (100, 50) to (500, 350) are in sight."""

    def __init__(self, *, shows_documents: bool = True) -> None:
        self._engine = dukpy.JSInterpreter()
        self._engine.export_function("size_of", self._read)
        self.placed: Cutout | None = None  # what was last
        self.run(OBJECTS)
        self.scripts: list[str] = []
        if shows_documents:
            self.run("openDocument(12, 1000, 800, {corner: [100, 50], scale: 0.5, size: [800, 600]})")

    def run(self, script: str) -> None:
        self._engine.evaljs(f"{script}; null")

    def do_javascript(self, script: str) -> str:
        """The value of the last expression, as text."""
        self.scripts.append(script)
        return str(self._engine.evaljs(script))

    def state(self) -> dict[str, Any]:
        return dict(self._engine.evaljs("state()"))

    def center(self) -> tuple[float, float]:
        """Of the topmost layer, in pixels of the document."""
        left, top, right, bottom = self.state()["layers"][-1][1]
        return (left + right) / 2, (top + bottom) / 2

    def _read(self, path: str) -> list[int]:
        """Read a picture's file; the width and height of what is not transparent."""
        with Image.open(path) as picture:
            self.placed = np.asarray(picture)
        rows, columns = np.nonzero(self.placed[:, :, 3])
        return [int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]


@dataclass
class RemoteConnection:
    """Its remote connection, on a port of this computer."""

    photoshop: Photoshop
    password: str
    answers: bool = True
    transactions: list[int] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._cipher = Cipher(TripleDES(derive_key(self.password)), modes.CBC(bytes(8)))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it is closed already
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as received:
            expected = 0  # transactions of a connection are counted
            while header := received.read(8):
                length, status = struct.unpack(">II", header)
                assert status == 0
                plain = self._decrypt(received.read(length - 4))
                if plain is None:
                    connection.sendall(struct.pack(">II", 4 + 5, 1) + b"wrong")
                    return
                version, transaction, kind = struct.unpack(">III", plain[:12])
                if (version, transaction, kind) != (1, expected, SCRIPT_SHARED):
                    self._send(connection, transaction, ERROR, b"not understood")
                    return
                expected += 1
                self.transactions.append(transaction)
                if self.answers:
                    answer = self.photoshop.do_javascript(plain[12:].decode())
                    self._send(connection, transaction, SCRIPT, answer.encode())

    def _decrypt(self, encrypted: bytes) -> bytes | None:
        decryptor = self._cipher.decryptor()
        padded = decryptor.update(encrypted) + decryptor.finalize()
        count = padded[-1]
        return padded[:-count] if 1 <= count <= 8 and padded.endswith(bytes([count]) * count) else None

    def _send(self, connection: socket.socket, transaction: int, kind: int, body: bytes) -> None:
        plain = struct.pack(">III", 1, transaction, kind) + body
        count = 8 - len(plain) % 8
        encryptor = self._cipher.encryptor()
        encrypted = encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()
        connection.sendall(struct.pack(">II", 4 + len(encrypted), 0) + encrypted)


def derive_key(password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha1", password.encode(), b"Adobe Photoshop", 1000, 24)
