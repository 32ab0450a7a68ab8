"""How soon two frames of one device may follow each other on their way to a network server. Pure.

ChirpStack works on each frame in a task of its own, behind 200 ms in which it waits for the copies of other gateways.
Two frames of one device that come at once may overtake each other there, and the older one is dropped for its counter.
Frames that the device has just sent are further apart than that by nature; late ones are not.
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from torhaus.codecs.lorawan.phy import MIN_DATA_BYTES, MType

MAX_REMEMBERED: Final = 4096
"""Devices; beyond it those are forgotten that are through with waiting anyway."""
_DATA: Final = (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP)


class Frame(Protocol):
    """What is to be sent. Copies of one frame have the same `raw`."""

    raw: bytes
    late: bool


F = TypeVar("F", bound=Frame)


def sender_of(raw: bytes) -> bytes:
    """Whose order a network server minds: the DevAddr of a data frame; nothing for others."""
    return raw[1:5] if len(raw) >= MIN_DATA_BYTES and raw[0] >> 5 in _DATA else b""


class Spacing:
    """Remembers when what was last sent of each device. Times in seconds, of a clock that never steps."""

    def __init__(self, spacing_s: float) -> None:
        self._spacing_s = spacing_s
        self._last: dict[bytes, tuple[float, bytes, bool]] = {}  # DevAddr to when, which frame, whether it was late

    def split(self, frames: Sequence[F], now: float) -> tuple[list[F], list[F], float]:
        """What may go now, what has to wait, and until when. Of a device there is one frame in it, and its copies."""
        ready: list[F] = []
        waiting: list[F] = []
        until = now
        for frame in frames:
            due = self._due(frame)
            if due <= now:
                ready.append(frame)
            else:
                waiting.append(frame)
                until = max(until, due)
        return ready, waiting, until

    def _due(self, frame: Frame) -> float:
        last = self._last.get(sender_of(frame.raw))
        if last is None:
            return 0.0
        when, raw, late = last
        return when + self._spacing_s if (late or frame.late) and raw != frame.raw else 0.0

    def sent(self, frames: Sequence[Frame], now: float) -> None:
        """They are with the server, or may be."""
        for frame in frames:
            sender = sender_of(frame.raw)
            if sender:
                self._last[sender] = now, frame.raw, frame.late
        if len(self._last) > MAX_REMEMBERED:
            self._last = {k: v for k, v in self._last.items() if v[0] + self._spacing_s > now}
