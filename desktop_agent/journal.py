"""A note that a paste is under way, so that an agent that was killed meanwhile can say what it does not know."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Journal:
    """One small file: there while a paste has been sent to an editor and not been looked for yet."""

    def __init__(self, file: Path) -> None:
        """Args: file: where; its folder need not exist yet."""
        self._file = file

    @contextmanager
    def noting(self, editor: str) -> Iterator[None]:
        """Note a paste for as long as nobody knows how it ended."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"editor": editor, "clock": time.strftime("%H:%M")}))
        unfinished.replace(self._file)  # there as a whole or not at all, whenever the agent is killed
        try:
            yield
        finally:
            self._file.unlink(missing_ok=True)

    def tell_unknown(self) -> str | None:
        """A sentence about the paste that was under way when the agent was ended, told once; None if there was none."""
        try:
            noted = json.loads(self._file.read_text())
            self._file.unlink(missing_ok=True)
            return (
                f"The agent was ended at {noted['clock']} while it pasted into {noted['editor']}: whether the cutout"
                " is there is not known. Look at the editor before you undo anything."
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            self._file.unlink(missing_ok=True)
            return "The agent was ended while it pasted: look at the editor before you undo anything."
