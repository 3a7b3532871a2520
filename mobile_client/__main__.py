"""Run the phone app: `python -m mobile_client [--camera file:PATH | webcam[:N]] [--pair LINK] [--data-dir DIR]`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from mobile_client.camera import Camera, FileCamera, WebcamCamera
from mobile_client.pairing import PairingFile, pair
from protocol.errors import CopyPasteError, SettingsInvalid

IS_ANDROID = "ANDROID_ARGUMENT" in os.environ  # set by python-for-android

NO_SCREEN = "There is no screen to show the window on: start it from within a desktop session."

KIVY_NEEDLESS_COMPLAINTS = ("Input: MTDev", "Cutbuffer:")  # touch screens and middle clicks of some Linux systems


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the window is closed; the exit code."""
    try:
        run(parse(sys.argv[1:] if arguments is None else arguments))
    except CopyPasteError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m mobile_client", description="Copy a thing, paste it on a screen.")
    parser.add_argument(
        "--camera", metavar="SOURCE", help="file:PATH or webcam[:N]; without it the phone's, or webcam 0"
    )
    parser.add_argument("--pair", metavar="LINK", help="the link that the computer shows below its code")
    folder = Path(platformdirs.user_data_dir("ar-copy-paste"))
    parser.add_argument("--data-dir", metavar="DIR", type=Path, default=folder, help=f"default: {folder}")
    parser.add_argument("--window", metavar="WxH", default="432x768", help="size on a computer (default: %(default)s)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Pair if asked to, then open the window."""
    camera = make_camera(options.camera)
    pairing_file = PairingFile(options.data_dir)
    if options.pair:
        pairing_file.save(pair(options.pair))
    configure_kivy(options.data_dir, *read_window(options.window))
    from mobile_client.app import PhoneApp  # Kivy opens its window when it is imported

    expect_screen()
    app = PhoneApp(camera, pairing_file, say=lambda line: print(line, flush=True))
    if IS_ANDROID:
        from mobile_client import android_phone

        app.tick = android_phone.vibrate
        app.bind(on_start=lambda _app: android_phone.listen_for_links(app.open_link))
    app.run()


def make_camera(source: str | None) -> Camera:
    """The camera of a command line.

    Raises:
        SettingsInvalid: there is no such kind of camera.
    """
    if source is None and IS_ANDROID:
        from mobile_client.android_phone import AndroidCamera

        return AndroidCamera()
    kind, _, name = (source or "webcam").partition(":")
    if kind == "file" and name:
        return FileCamera(Path(name))
    if kind == "webcam" and (name or "0").isdecimal():
        return WebcamCamera(int(name or 0))
    raise SettingsInvalid("--camera takes file:PATH or webcam[:N].")


def read_window(size: str) -> tuple[int, int]:
    """The width and height that a command line asks for.

    Raises:
        SettingsInvalid: it is not of the form 432x768.
    """
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise SettingsInvalid("--window takes a width and a height in pixels, such as 432x768.")
    return int(width) // 4 * 4, int(height)  # a multiple of 4 wide, or Kivy's screenshots are sheared


def expect_screen() -> None:
    """Make sure that the open window is somewhere: without a screen, SDL on Linux draws where nobody looks.

    Raises:
        SettingsInvalid: it is nowhere, and not because someone chose so.
    """
    from kivy.core.window import Window

    is_chosen = os.environ.get("SDL_VIDEODRIVER") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not (IS_ANDROID or is_chosen) and Window.get_window_info() is None:
        raise SettingsInvalid(NO_SCREEN)


def configure_kivy(folder: Path, width: int, height: int) -> None:
    """Tell Kivy what it must know before it is imported: nothing to parse, nothing to write, little to say."""
    os.environ.setdefault("KIVY_HOME", str(folder / "kivy"))
    os.environ.update(KIVY_NO_ARGS="1", KIVY_NO_CONFIG="1", KIVY_NO_FILELOG="1", KIVY_LOG_MODE="PYTHON")
    logging.getLogger("kivy").addFilter(lambda record: not record.getMessage().startswith(KIVY_NEEDLESS_COMPLAINTS))
    from kivy.config import Config

    Config.set("graphics", "width", width)
    Config.set("graphics", "height", height)
    Config.set("graphics", "maxfps", 30)  # as fast as the camera
    Config.set("graphics", "multisamples", 0)  # every edge is drawn smooth
    Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.set("kivy", "exit_on_escape", int(IS_ANDROID))  # Escape cancels; the back button also leaves the app


if __name__ == "__main__":
    sys.exit(main())
