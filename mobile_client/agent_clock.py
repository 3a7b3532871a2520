"""the agent's answers -> what its clock says at a time of this phone's own."""

from collections import deque
from dataclasses import dataclass

MOST_READINGS = 8  # a minute's worth of signs of life


@dataclass(frozen=True)
class Reading:
    """What the agent's clock said at some moment between a question and its answer."""

    asked_s: float  # by this phone's own clock, as the next
    answered_s: float
    agent_s: float

    @property
    def offset_s(self) -> float:
        """How far the agent's clock is ahead, if the answer took as long as the question (as NTP reckons, RFC 5905)."""
        return self.agent_s - (self.asked_s + self.answered_s) / 2

    @property
    def uncertainty_s(self) -> float:
        """How far the offset may be off: half of the round trip."""
        return (self.answered_s - self.asked_s) / 2

    def agrees_with(self, other: "Reading") -> bool:
        """Whether both can be true of clocks that run alike."""
        return abs(self.offset_s - other.offset_s) <= self.uncertainty_s + other.uncertainty_s


class AgentClock:
    """Reckons with the best of the last readings: that of the shortest round trip."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque(maxlen=MOST_READINGS)

    def learn(self, reading: Reading) -> None:
        """Take a fresh reading and forget those that it contradicts: clocks stand still while their computers sleep."""
        agreeing = [earlier for earlier in self._readings if earlier.agrees_with(reading)]
        self._readings = deque([*agreeing, reading], maxlen=MOST_READINGS)

    def agent_time_s(self, own_s: float) -> float | None:
        """What the agent's clock says when this phone's says `own_s`; None before the first reading."""
        best = min(self._readings, key=lambda reading: reading.uncertainty_s, default=None)
        return own_s + best.offset_s if best else None
