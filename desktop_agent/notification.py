"""A sentence in a corner of the user's screen, where the desktop has a place for such."""

import sys

NAME = "AR Copy & Paste"
SHOWN_MS = 10_000
CALL_S = 1.0


def notify(sentence: str) -> bool:
    """Show a sentence for a while; whether the desktop took it. Only Linux's way of it is known here."""
    if not sys.platform.startswith("linux"):
        return False
    from jeepney import DBusAddress, MessageType, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    name = "org.freedesktop.Notifications"
    desktop = DBusAddress("/org/freedesktop/Notifications", bus_name=name, interface=name)
    # By, in place of which other one, icon, title, text, buttons, hints, for how long.
    content: tuple[object, ...] = (NAME, 0, "", NAME, sentence, [], {}, SHOWN_MS)
    call = new_method_call(desktop, "Notify", "susssasa{sv}i", content)
    try:
        with open_dbus_connection() as bus:
            answer = bus.send_and_get_reply(call, timeout=CALL_S)
    except (OSError, KeyError, TimeoutError):  # KeyError: there is no message bus
        return False
    return bool(answer.header.message_type is MessageType.method_return)
