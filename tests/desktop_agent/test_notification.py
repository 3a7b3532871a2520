import subprocess
import threading
from collections.abc import Iterator

import pytest
from jeepney import MessageType, message_bus, new_method_return
from jeepney.io.blocking import open_dbus_connection

from desktop_agent.notification import notify


@pytest.fixture
def message_bus_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        daemon.terminate()


def test_a_desktop_that_shows_notifications_is_given_the_sentence(message_bus_address: str) -> None:
    heard: list[str] = []
    desktop = open_dbus_connection(message_bus_address)
    desktop.send_and_get_reply(message_bus.RequestName("org.freedesktop.Notifications"))

    def show() -> None:
        call = desktop.receive(timeout=10)
        while call.header.message_type is not MessageType.method_call:
            call = desktop.receive(timeout=10)
        heard.append(call.body[4])
        desktop.send(new_method_return(call, "u", (1,)))

    thread = threading.Thread(target=show)
    thread.start()
    assert notify("The cutout was saved.")
    thread.join()
    desktop.close()
    assert heard == ["The cutout was saved."]


def test_a_desktop_without_notifications_is_no_error(message_bus_address: str) -> None:
    assert not notify("The cutout was saved.")


def test_a_computer_without_a_message_bus_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert not notify("The cutout was saved.")
