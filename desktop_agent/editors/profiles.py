"""Which editor is pasted into in which way. A new editor is one entry in PROFILES."""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop_agent.editors import Editor
from desktop_agent.editors.at_caret import AtCaretInText
from desktop_agent.editors.by_clipboard import ByClipboard, Keys, WhereItPleases
from desktop_agent.editors.by_drop import ByDrop
from desktop_agent.editors.drop_on_page import DropOnPage
from desktop_agent.editors.gimp import Gimp
from desktop_agent.editors.libre_office import LibreOffice
from desktop_agent.editors.photoshop import Photoshop
from desktop_agent.editors.photoshop_scripting import Scripting
from desktop_agent.platforms import Platform, Window
from protocol.errors import EditorTakesNoPictures

Make = Callable[[Window, Platform, Path], Editor]  # the path: a folder for files to drop


@dataclass(frozen=True)
class Profile:
    """One editor, or several that are alike."""

    programs: str  # a pattern for all of a window's class or process, whatever the case
    make: Make
    name: str = ""  # as the user knows it; otherwise what the window says


def paste_under_pointer(*keys: str) -> Make:
    """Where these keys paste at the pointer; "command" is the system's own key for it."""
    return lambda window, platform, _folder: ByClipboard(
        window.program, platform.input, platform.clipboard, with_command_key(keys, platform)
    )


def paste_where_it_pleases(*keys: str) -> Make:
    """Where these keys paste at a place that the pointer does not choose."""
    return lambda window, platform, _folder: WhereItPleases(
        window.program, platform.input, platform.clipboard, with_command_key(keys, platform)
    )


def browser(window: Window, platform: Platform, _folder: Path) -> Editor:
    """A browser: at the caret in text, elsewhere under the pointer."""
    return AtCaretInText(
        window.program,
        platform.input,
        platform.clipboard,
        with_command_key(("command", "v"), platform),
        platform.is_over_text,
    )


def browser_that_says_who_takes_a_drop(window: Window, platform: Platform, folder: Path) -> Editor:
    """Chromium: the same, and a page that ignores a paste but takes a drop gets one."""
    if platform.drop is None:
        return browser(window, platform, folder)
    return DropOnPage(window.program, platform, platform.drop, folder)


def drop_file(window: Window, platform: Platform, folder: Path) -> Editor:
    """Where a dropped file is inserted at the spot."""
    if platform.drop is None:
        return paste_where_it_pleases("command", "v")(window, platform, folder)
    return ByDrop(window.program, platform.input, platform.drop, folder)


def libre_office(window: Window, platform: Platform, folder: Path) -> Editor:
    """LibreOffice Draw and Impress, over UNO where they listen."""
    return LibreOffice(drop_file(window, platform, folder), platform.windows)


def any_of_libre_office(window: Window, platform: Platform, folder: Path) -> Editor:
    """Where its programs are not told apart, or take no dropped pictures."""
    return LibreOffice(paste_where_it_pleases("command", "v")(window, platform, folder), platform.windows)


def gimp(window: Window, platform: Platform, folder: Path) -> Editor:
    """GIMP, by a dropped file and a script; where there is no dropping, as any other."""
    if platform.drop is None:
        return paste_where_it_pleases("command", "v")(window, platform, folder)
    return Gimp(platform.input, platform.drop, folder, platform.windows)


def photoshop(scripting: Scripting) -> Profile:
    """Photoshop, where scripts reach it; otherwise it is as any other."""
    return Profile("(adobe )?photoshop.*", lambda _window, _platform, _folder: Photoshop(scripting), "Photoshop")


def refuse(window: Window, _platform: Platform, _folder: Path) -> Editor:
    """Where no picture can be pasted, or where it would do harm."""
    raise EditorTakesNoPictures(f"This is {window.program}.")


TEXT_EDITORS = (
    "mousepad|gedit|org.gnome.texteditor|gnome-text-editor|kate|kwrite|pluma|xed|leafpad|featherpad|geany"
    "|emacs|g?vim|code|code-oss|vscodium|sublime_text|notepad|notepad\\+\\+|textedit"
)
TERMINALS = (
    ".*terminal.*|konsole|.*xterm|u?rxvt|alacritty|kitty|foot|org.wezfurlong.wezterm|terminator|tilix|st-256color"
    "|iterm2|cmd|powershell|pwsh|conhost|mintty"
)
FILE_MANAGERS = "thunar|nautilus|org.gnome.nautilus|dolphin|pcmanfm(-qt)?|nemo|caja|finder|explorer"

PROFILES = (
    Profile(".*inkscape", paste_under_pointer("command", "v"), "Inkscape"),
    Profile("krita", paste_under_pointer("command", "alt", "v"), "Krita"),
    Profile("gimp.*", gimp, "GIMP"),
    Profile("libreoffice-draw", libre_office, "LibreOffice Draw"),
    Profile("libreoffice-impress", libre_office, "LibreOffice Impress"),
    Profile("libreoffice|soffice", any_of_libre_office, "LibreOffice"),  # as Windows and macOS call all of it
    Profile("kolourpaint", paste_where_it_pleases("command", "v"), "KolourPaint"),
    Profile("chromium.*", browser_that_says_who_takes_a_drop),
    Profile("google-chrome.*|microsoft-edge.*|brave.*|vivaldi.*|firefox.*", browser),
    Profile("mtpaint", refuse),  # it has a clipboard of its own, and opens a dropped file in place of the document
    Profile(TEXT_EDITORS, refuse),
    Profile(TERMINALS, refuse),
    Profile(FILE_MANAGERS, refuse),
)
UNKNOWN = Profile(".*", paste_where_it_pleases("command", "v"))


class Editors:
    """The editors of this desktop, each with what it has learnt of its window."""

    def __init__(self, platform: Platform, scripting: Scripting | None = None) -> None:
        """Args: platform: the desktop's. scripting: how scripts reach Photoshop, if they do."""
        self._platform = platform
        self._profiles = (*([photoshop(scripting)] if scripting else []), *PROFILES)
        self._folder = tempfile.TemporaryDirectory(prefix="ar-copy-paste-", ignore_cleanup_errors=True)
        self._editors: dict[tuple[int, str], Editor] = {}

    def of(self, window: Window) -> Editor:
        """The editor that a window belongs to.

        Raises:
            EditorTakesNoPictures: it is none that takes pictures.
        """
        key = (window.number, window.program)
        if key not in self._editors:
            profile = profile_of(window, self._profiles)
            editor = profile.make(window, self._platform, Path(self._folder.name))
            editor.name = profile.name or editor.name
            self._editors[key] = editor
        return self._editors[key]


def profile_of(window: Window, profiles: Sequence[Profile] = PROFILES) -> Profile:
    """The first profile that knows the window's class or process; UNKNOWN if none does."""
    names = (window.program, window.process)
    return next((profile for profile in profiles if _knows(profile, names)), UNKNOWN)


def _knows(profile: Profile, names: tuple[str, ...]) -> bool:
    return any(name and re.fullmatch(profile.programs, name, re.IGNORECASE) for name in names)


def with_command_key(keys: Keys, platform: Platform) -> Keys:
    """The keys by the names that this system's keyboard has."""
    return tuple(platform.input.command_key if key == "command" else key for key in keys)
