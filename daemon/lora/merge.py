"""One reading, all receptions: how further gateways heard a frame is put to the record that the first one brought.

Each copy is a record of its own among the strangers, acknowledged like any other. Beside the first record it is noted,
in the same commit, how the frame was heard here too; so also what is read from disk later has all receptions.
"""

from collections import deque
from typing import Final, Protocol

import msgspec

from torhaus.codecs.model import Frame, Reception, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.network import Advance, Uplink
from torhaus.daemon.outbox.record import Stored, Verdict, with_receptions
from torhaus.daemon.outbox.store import MAIN, Outbox

MAX_EARLY: Final = 1000
"""Frames that wait for their commit and have copies; those beyond it are not put together."""

Key = tuple[str | None, int | None]


class Watch(Protocol):
    """Whom this tells what became of copies."""

    def merged(self) -> None:
        """A copy was put to the first reception."""
        ...

    def rejected(self, driver: str, codec: str, reason: RejectReason) -> None:
        """It is one too many, or too late."""
        ...


class _Copy(msgspec.Struct, gc=False):
    """A frame once more; `first` is the counter that the one before it took."""

    frame: Frame
    rx: list[Reception]
    first: Advance


class _Recent:
    """A committed batch whose frames may still come once more. Looked through when one does."""

    __slots__ = ("_index", "batch", "newest_ns")

    def __init__(self, batch: list[Stored]) -> None:
        self.batch = batch
        self.newest_ns = batch[-1].at.boot_ns
        self._index: dict[Key, Stored] | None = None

    def find(self, key: Key) -> Stored | None:
        """The first reception of a device's frame with this counter."""
        if self._index is None:
            self._index = {
                (s.record.device, lora.fcnt): s
                for s in self.batch
                if (lora := s.record.lora) is not None and s.record.reason != RejectReason.DUPLICATE.value
            }
        return self._index.get(key)


class Merging:
    """For all drivers of the site. What is not configured to be merged has none of it."""

    def __init__(self, outbox: Outbox, clock: Clock, window_s: float, watch: Watch) -> None:
        self.window_ns = round(window_s * 1e9)
        self._outbox = outbox
        self._clock = clock
        self._watch = watch
        self._recent: deque[_Recent] = deque()
        self._early: dict[Key, list[_Copy]] = {}  # of frames that are not on disk yet
        self._writing: dict[int, tuple[Stored, list[Reception]]] = {}  # by position: what is on its way to the disk
        self._tail = 0
        outbox.subscribe(MAIN, self._feed)

    def is_writing(self, start: int, end: int) -> bool:
        """Whether receptions of records at [start, end) are known and not on disk yet."""
        self._forget_written()
        return any(start <= pos < end for pos in self._writing)

    def copy(self, frame: Frame, up: Uplink) -> bool:
        """A genuine frame of a known device came once more. True when it is taken care of.

        False for what is no second reception: too late, other bytes, heard so before, or one too many.
        """
        assert up.device is not None
        key = (up.device.name, up.lora.fcnt)
        if up.copy_of is None:
            found = next((s for r in reversed(self._recent) if (s := r.find(key)) is not None), None)
            return found is not None and self._amend(found, frame, up.lora.rx)
        if key not in self._early and len(self._early) >= MAX_EARLY:
            return False
        self._early.setdefault(key, []).append(_Copy(frame, up.lora.rx, up.copy_of))
        return True

    def _amend(self, first: Stored, frame: Frame, rx: list[Reception]) -> bool:
        record = first.record
        if record.raw != frame.data or record.lora is None or frame.at.boot_ns - first.at.boot_ns > self.window_ns:
            return False
        _, writing = self._writing.get(first.pos, (first, []))
        have = with_receptions(record.lora.rx, writing)
        more = with_receptions(have, rx)[len(have) :]
        if not more:
            return False
        self._writing[first.pos] = (first, writing + more)
        self._outbox.put_verdict(first, Verdict(rx=more, seq=first.seq))
        self._watch.merged()
        return True

    def _feed(self, batch: list[Stored]) -> None:
        if batch[0].pos < self._tail:
            return  # scripts have answered
        self._tail = batch[-1].pos + 1
        recent, oldest_ns = self._recent, self._clock.boot_ns() - self.window_ns
        while recent and recent[0].newest_ns < oldest_ns:
            recent.popleft()
        recent.append(_Recent(batch))
        if self._early:
            self._take_early(recent[-1])
        if self._writing:
            self._forget_written()

    def _take_early(self, recent: _Recent) -> None:
        for key, copies in list(self._early.items()):
            first = recent.find(key)
            if first is None and any(c.first.stored is None for c in copies):
                continue
            del self._early[key]
            for c in copies:
                if first is None or not c.first.stored or not self._amend(first, c.frame, c.rx):
                    self._watch.rejected(c.frame.driver, "lorawan", RejectReason.DUPLICATE)

    def _forget_written(self) -> None:
        for pos, (stored, rx) in list(self._writing.items()):
            lora = stored.record.lora
            if lora is None or all(r in lora.rx for r in rx):
                del self._writing[pos]
