"""The downlinks that are known, by id and by device, and which of them have to be written to disk. No policy.

What is done with is kept for a while: a `ref` that comes again is known by it, and a person can see what became of it.
"""

import asyncio
import secrets
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox.queued import ID_DIGITS, Changes, Outcome, Queued, Report

MAX_DEVICE: Final = 32
MAX_OPEN: Final = 4096
"""Downlinks that wait, of one device and of all: more are refused."""
MAX_DEVICE_DONE: Final = 16
MAX_DONE: Final = 2048
"""Those that are kept when they are done with, the newest."""
NO_UPLINK: Final = "waits for the device's next uplink"


class QueueFull(Exception):  # noqa: N818 - a fact
    """No more can be queued; the text says of what."""


class QueuedItems:
    """`write` puts changes on disk, or raises sqlite3.Error."""

    def __init__(self, clock: Clock, write: Callable[[Changes], Awaitable[None]]) -> None:
        self.results: Counter[str] = Counter()  # what happened to items since the start
        self.news = asyncio.Event()  # there is something to be told or to be written
        self.listeners: list[Callable[[str], None]] = []  # told the DevEUI when one more is queued
        self._clock = clock
        self._write = write
        self._items: dict[str, Queued] = {}
        self._open: dict[str, list[str]] = {}  # ids by device, in order
        self._done: dict[str, list[str]] = {}  # likewise, the oldest first
        self._last_number = 0
        self._changed: set[str] = set()
        self._lock = asyncio.Lock()

    def take_over(self, stored: Iterable[Queued]) -> None:
        """What was on disk, in the order of its numbers."""
        for item in stored:
            self._items[item.id] = item
            self._last_number = max(self._last_number, item.number)
            (self._done if item.place == "done" else self._open).setdefault(item.dev_eui, []).append(item.id)

    def lost(self, ids: Iterable[str]) -> None:
        """These were changed on disk: nobody knows what they said, and they are forgotten there."""
        self._changed.update(ids)

    def open(self, dev_eui: str | None = None) -> Iterator[Queued]:
        """All that are not done with, or one device's, in the order in which they go."""
        for device in [*self._open] if dev_eui is None else [dev_eui]:
            yield from sorted(self._of(device), key=_order)

    def recent(self, dev_eui: str | None = None) -> list[Queued]:
        """Those that are done with, the oldest first."""
        found = self._done.values() if dev_eui is None else [self._done.get(dev_eui, [])]
        return sorted((self._items[id_] for ids in found for id_ in ids), key=lambda q: q.number)

    def has(self, dev_eui: str) -> bool:
        """Whether anything of this device is not done with."""
        return dev_eui in self._open

    def find(self, id_: str) -> Queued | None:
        """As it is now."""
        return self._items.get(id_)

    def by_ref(self, dev_eui: str, ref: str) -> Queued | None:
        """The device's item of this name, done with or not; the newest where there are several."""
        ids = [*self._done.get(dev_eui, ()), *self._open.get(dev_eui, ())]
        return next((self._items[id_] for id_ in reversed(ids) if self._items[id_].ref == ref), None) if ref else None

    def count(self) -> int:
        """How many are not done with."""
        return sum(map(len, self._open.values()))

    async def put(self, dev_eui: str, fport: int, payload: bytes, *, expires_s: float, **more: Any) -> Queued | None:  # noqa: ANN401 - fields of Queued
        """Queue one: confirmed, priority, ref, source. None when it cannot be written to disk. Raises QueueFull."""
        if len(self._open.get(dev_eui, ())) >= MAX_DEVICE:
            raise QueueFull(f"{MAX_DEVICE} downlinks wait for this device already")
        if self.count() >= MAX_OPEN:
            raise QueueFull(f"{MAX_OPEN} downlinks wait already, of all devices together")
        self._last_number += 1
        item = Queued(
            id=secrets.token_hex(ID_DIGITS // 2),
            number=self._last_number,
            dev_eui=dev_eui,
            fport=fport,
            payload=payload,
            at=self._clock.stamp(),
            boot=self._clock.boot_id,
            expires_s=expires_s,
            why=NO_UPLINK,
            untold=(Report("queued"),),
            **more,
        )
        self._items[item.id] = item
        self._open.setdefault(dev_eui, []).append(item.id)
        self._changed.add(item.id)
        if not await self.is_on_disk(item.id) and self._items[item.id].place == "waiting":
            self._close(item)
            self._forget(item)
            return None
        self.results["queued"] += 1
        self.news.set()
        for listener in self.listeners:
            listener(dev_eui)
        return item

    # -- telling and writing -------------------------------------------------------------------------------------------

    def untold(self) -> list[Queued]:
        """Items of which somebody is still to be told something."""
        return [q for q in self._items.values() if q.untold]

    def telling(self, id_: str, since: int) -> Queued:
        """What is untold of it will be put to the outbox once this is on disk, at `since` or behind it."""
        self._set(self._items[id_], since=since)
        return self._items[id_]

    def told(self, id_: str, count: int) -> None:
        """So many of its reports are on disk in the outbox."""
        item = self._items[id_]
        left = item.untold[count:]
        self._set(item, untold=left, since=item.since if left else None)
        self._prune(item.dev_eui)

    async def persist(self) -> bool:
        """Write what has changed. False when that is not possible now: it stays to be written."""
        async with self._lock:
            ids, self._changed = self._changed, set()
            if not ids:
                return True
            try:
                await self._write({id_: self._items.get(id_) for id_ in ids})
            except sqlite3.Error:
                self._changed |= ids
                return False
            except BaseException:
                self._changed |= ids
                raise
            return True

    async def is_on_disk(self, id_: str) -> bool:
        """Write what has changed: whether that holds what is known of this item."""
        return await self.persist() or id_ not in self._changed

    # -- changes -------------------------------------------------------------------------------------------------------

    def _of(self, dev_eui: str) -> Iterator[Queued]:
        return (self._items[id_] for id_ in self._open.get(dev_eui, ()))

    def _set(self, item: Queued, **values: Any) -> None:  # noqa: ANN401 - fields of Queued
        self._items[item.id] = msgspec.structs.replace(item, **values)
        self._changed.add(item.id)
        self.news.set()

    def _finish(self, item: Queued, outcome: Outcome, why: str) -> None:
        report = Report(outcome, why, item.fcnt, item.tries)
        self._set(item, place="done", outcome=outcome, why=why, untold=(*item.untold, report))
        self.results[outcome] += 1
        self._close(item)
        self._done.setdefault(item.dev_eui, []).append(item.id)
        self._prune(item.dev_eui)

    def _close(self, item: Queued) -> None:
        """It is not among those that wait any more."""
        _remove(self._open, item)

    def _prune(self, dev_eui: str) -> None:
        """Forget the oldest that are done with, of this device and of all; what is untold stays."""
        gone = [self._items[id_] for id_ in self._done.get(dev_eui, [])[:-MAX_DEVICE_DONE]]
        if len(self._items) - self.count() - len(gone) > MAX_DONE:
            gone += [q for q in self.recent() if not q.untold and q not in gone][:1]
        for item in gone:
            if not item.untold:
                _remove(self._done, item)
                self._forget(item)

    def _forget(self, item: Queued) -> None:
        del self._items[item.id]
        self._changed.add(item.id)


def _order(item: Queued) -> tuple[int, int]:
    return -item.priority, item.number


def _remove(ids: dict[str, list[str]], item: Queued) -> None:
    mine = ids[item.dev_eui]
    mine.remove(item.id)
    if not mine:
        del ids[item.dev_eui]
