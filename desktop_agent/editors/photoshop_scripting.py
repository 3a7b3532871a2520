"""Three ways for a script to reach Photoshop: its remote connection, COM on Windows, Apple events on macOS."""

import logging
import queue
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocol.errors import EditorRefused, PermissionMissing

RunScript = Callable[[str], str]  # ExtendScript -> the value of its last expression
REMOTE_PORT = 49494
SCRIPT_S = 20.0
NOT_ALLOWED = "(-1743)"  # errAEEventNotPermitted
APPLE_SCRIPT = (
    "on run arguments",
    'tell application id "com.adobe.Photoshop" to do javascript (item 1 of arguments)',
    "end run",
)


@dataclass(frozen=True)
class Scripting:
    """A way for scripts to reach Photoshop."""

    name: str  # in a few words
    run: RunScript


def local_scripting(password: str | None) -> Scripting | None:
    """This computer's way.

    Args:
        password: of Photoshop's remote connection; None if the user has set none.

    Returns:
        None where only the remote connection would do: on Linux, where Photoshop runs in Wine.
    """
    if password:
        return Scripting("a script over its remote connection", over_remote_connection(password))
    if sys.platform == "win32":
        import comtypes.client

        return Scripting("a script by COM", by_com(comtypes))
    return Scripting("a script by Apple events", by_apple_events) if sys.platform == "darwin" else None


def over_remote_connection(password: str, port: int = REMOTE_PORT) -> RunScript:
    """By Photoshop's own remote connection, on this computer.

    Args:
        password: the one set in Photoshop.
        port: where it listens.
    """

    def run(script: str) -> str:
        import photoshop.crypto  # imported late: only who has set a password needs it
        from cryptography.hazmat.decrepit.ciphers import algorithms

        photoshop.crypto.algorithms = algorithms  # Photoshop's cipher is moved here, and will be gone from there
        logging.getLogger("photoshop").setLevel(logging.CRITICAL)  # what goes wrong is told below
        try:
            with photoshop.PhotoshopConnection(password, "127.0.0.1", port) as connection:
                answer = connection.execute(script, timeout=SCRIPT_S)
        except ConnectionRefusedError as error:
            raise EditorRefused("In its Preferences, Plug-ins, switch on Enable Remote Connections.") from error
        except queue.Empty as error:
            raise EditorRefused("Photoshop did not answer. Does it show a dialog?") from error
        except (ValueError, AssertionError, OSError, RuntimeError) as error:
            # It says no more than a status when it cannot decrypt what it gets.
            raise EditorRefused("Its remote connection failed. Is the password the one set in Photoshop?") from error
        return bytes(answer["body"]).decode(errors="replace")

    return run


def by_com(comtypes: Any) -> RunScript:
    """By COM, on Windows.

    Args:
        comtypes: the package of that name, with its module `client`.
    """

    def run(script: str) -> str:
        comtypes.CoInitialize()  # each thread its own; again does no harm
        try:
            photoshop = comtypes.client.GetActiveObject("Photoshop.Application", dynamic=True)
            return str(photoshop.DoJavaScript(script))
        except (OSError, comtypes.COMError) as error:
            raise EditorRefused("Photoshop takes no script just now. Does it show a dialog?") from error

    return run


def by_apple_events(script: str) -> str:
    """Run a script by osascript, on macOS; it goes as an argument, past every shell.

    Raises:
        PermissionMissing: the user has not allowed this program to control Photoshop.
        EditorRefused: Photoshop does not take it.
    """
    lines = [word for line in APPLE_SCRIPT for word in ("-e", line)]
    command = ["osascript", *lines, script]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SCRIPT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise EditorRefused("Photoshop did not answer. Does it show a dialog?") from error
    if NOT_ALLOWED in done.stderr:
        raise PermissionMissing("In System Settings, Privacy & Security, Automation, allow it to control Photoshop.")
    if done.returncode:
        raise EditorRefused(f"({done.stderr.strip()})")
    return done.stdout.strip()
