"""`python -m tests.editors.paste_and_be_killed FOLDER X Y`: an agent that is killed once it has begun to paste."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from protocol.geometry import ScreenPoint
from real_editors.agent import AimedAgent
from real_editors.card import draw_card


def be_killed_when_there_is(file: Path) -> None:
    while not file.exists():
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    folder, x, y = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    threading.Thread(target=be_killed_when_there_is, args=(folder / "pasting.json",), daemon=True).start()
    AimedAgent(folder).paste(draw_card(), ScreenPoint(x, y))
