"""The last LoRaWAN frames up and down, and those that come while somebody watches.

Uplinks are not kept a second time: the outbox has them on disk, strangers' too, and its feed of committed batches is
listened to only while there is a viewer. Downlinks are rare and are kept here, the last few, in memory: as records
they would go to whoever forwards events, who could not tell them from a gateway's own reports.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Protocol

import msgspec

from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer
from torhaus.daemon.lora.seen import Seen, is_frame, seen_downlink, seen_record
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Outbox

MAX_HISTORY: Final = 1000
"""Frames that are looked up at once."""
KEPT_DOWNLINKS: Final = 500
"""Each has 255 bytes and a few figures: half a megabyte at most."""
MAX_VIEWERS: Final = 8
VIEWER_FRAMES: Final = 2000
"""What waits for a viewer that reads slowly; older ones are skipped and counted."""
_WINDOW: Final = 2 * MAX_HISTORY
_WINDOWS: Final = 5
"""How far back a log is searched for frames among other records: so many windows."""


class Tally(Protocol):
    """Where viewers and what they missed are counted (watch.py)."""

    frame_viewers: int
    frames_skipped: int


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A downlink and what became of it."""

    at_ns: int
    driver: str | None
    downlink: Downlink
    answers: tuple[TxAnswer, ...]


Item = tuple[str, Stored] | Sent
"""A record with the name of its log, or a downlink."""


class Viewer:
    """Somebody who watches: what has come and is not fetched yet. `gateway` and `device` leave all others out."""

    def __init__(self, gateway: str | None, device: str | None) -> None:
        self.gateway = gateway
        self.device = device
        self.skipped = 0
        self.shown: dict[tuple[str, int], bool] = {}  # records of the history: whether their script was still to answer
        self._items: deque[Item] = deque()
        self._news = asyncio.Event()

    def offer(self, item: Item) -> int:
        """Take an item; how many had to be skipped for it."""
        self._items.append(item)
        self._news.set()
        if len(self._items) <= VIEWER_FRAMES:
            return 0
        self._items.popleft()
        self.skipped += 1
        return 1

    def wake(self) -> None:
        """Have `take` return."""
        self._news.set()

    async def take(self, most: int, wait_s: float) -> list[Item]:
        """Up to `most` items; none when nothing comes within `wait_s`."""
        if not self._items:
            try:
                await asyncio.wait_for(self._news.wait(), wait_s)
            except TimeoutError:
                return []
        taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        if not self._items:
            self._news.clear()
        return taken

    def wants(self, item: Item) -> bool:
        """Whether its filters let it through."""
        if isinstance(item, Sent):
            return self.device is None and self.gateway in {None, item.downlink.gateway}
        record = item[1].record
        if self.device is not None and record.device != self.device:
            return False
        assert record.lora is not None
        return self.gateway is None or any(r.gateway == self.gateway for r in record.lora.rx)


class FrameLog:
    """One for the daemon."""

    def __init__(self, outbox: Outbox, tally: Tally, wall_ns: Callable[[], int]) -> None:
        self._outbox = outbox
        self._tally = tally
        self._wall_ns = wall_ns
        self._downlinks: deque[Sent] = deque(maxlen=KEPT_DOWNLINKS)
        self._viewers: set[Viewer] = set()
        self._feeds = {log: partial(self._fed, log) for log in (MAIN, STRANGERS)}
        self.is_over = False

    def sent(self, downlink: Downlink, driver: str | None, answers: tuple[TxAnswer, ...]) -> None:
        """A downlink was handed to a gateway, or could not be."""
        item = Sent(self._wall_ns(), driver, downlink, answers)
        self._downlinks.append(item)
        self._offer(item)

    def enter(self, gateway: str | None = None, device: str | None = None) -> Viewer | None:
        """A new viewer, who must `leave`; None when there are too many."""
        if self.is_over or len(self._viewers) >= MAX_VIEWERS:
            return None
        viewer = Viewer(gateway, device)
        if not self._viewers:
            for log, feed in self._feeds.items():
                self._outbox.subscribe(log, feed)
        self._viewers.add(viewer)
        self._tally.frame_viewers = len(self._viewers)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """The viewer has gone; behind the last one nothing listens any more."""
        self._viewers.discard(viewer)
        self._tally.frame_viewers = len(self._viewers)
        if not self._viewers:
            for log, feed in self._feeds.items():
                self._outbox.unsubscribe(log, feed)

    def end(self) -> None:
        """Send everybody home: the daemon stops."""
        self.is_over = True
        for viewer in self._viewers:
            viewer.wake()

    async def history(self, viewer: Viewer, count: int) -> list[Seen]:
        """The last frames that the viewer wants, oldest first.

        Raises sqlite3.OperationalError when a log cannot be read just now.
        """
        count = min(count, MAX_HISTORY)
        if count <= 0:
            return []
        found = [s for s in self._downlinks if viewer.wants(s)][-count:]
        seen = [one for s in found if (one := self.seen(s)) is not None]
        for log in (MAIN, STRANGERS):
            for stored in await self._last(log, viewer, count):
                viewer.shown[log, stored.pos] = stored.record.pending
                seen.append(seen_record(log, stored, self._outbox.site))
        seen.sort(key=lambda s: s.at_ns)
        return seen[-count:]

    def seen(self, item: Item) -> Seen | None:
        """An item as people look at it."""
        if isinstance(item, Sent):
            return seen_downlink(item.at_ns, item.driver, item.downlink, item.answers)
        return seen_record(*item, self._outbox.site)

    async def _last(self, log: str, viewer: Viewer, count: int) -> list[Stored]:
        found: list[Stored] = []
        end, head = self._outbox.logs[log].tail, self._outbox.logs[log].head
        for _ in range(_WINDOWS):
            start = max(head, end - _WINDOW)
            piece = [s for s in await self._between(log, start, end) if viewer.wants((log, s))]
            found = piece + found
            end = start
            if len(found) >= count or end <= head:
                break
        return found[-count:]

    async def _between(self, log: str, start: int, end: int) -> list[Stored]:
        """The frames within [start, end)."""
        found: list[Stored] = []
        pos = start
        while pos < end:
            records = await self._outbox.read(log, pos, min(end - pos, MAX_HISTORY))
            if not records:
                break
            stored = [r for r in records if isinstance(r, Stored)]
            found += [r for r in stored if r.pos < end and is_frame(log, r.record)]
            pos = max(pos + 1, *(r.pos + getattr(r, "count", 1) for r in records))
        return found

    def _fed(self, log: str, records: list[Stored]) -> None:
        for item in _frames(log, records):
            self._offer(item)

    def _offer(self, item: Item) -> None:
        for viewer in self._viewers:
            if not viewer.wants(item):
                continue
            if not isinstance(item, Sent):
                was_pending = viewer.shown.pop((item[0], item[1].pos), None)
                if was_pending is False or (was_pending and item[1].record.pending):
                    continue  # the history had it, and there is no news of it
            self._tally.frames_skipped += viewer.offer(item)


def _frames(log: str, records: list[Stored]) -> Iterator[Item]:
    return ((log, r) for r in records if is_frame(log, r.record))
