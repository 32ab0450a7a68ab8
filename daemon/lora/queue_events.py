"""What became of downlinks, told to central services: each step once, as an event of the device.

A step is written beside its item first, then put to the outbox, then crossed off. After a crash in between the outbox
is looked through from where the event can lie: what is there is not put again.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Final

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.outbox.queued import Queued, Report
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN, Outbox

SOURCE: Final = "downlinks"
"""`driver` of these events."""
LOOK_S: Final = 1.0
"""How often expiry is looked at, and what could not be written is tried again."""
READ_RECORDS: Final = 5000
RECORD_BYTES: Final = 500
MOST_RECORDS: Final = 200_000
"""So far the outbox is looked through; an event is told within seconds of its step, so that it lies near the end."""
MAX_REFUSALS: Final = 600
"""So many refused orders are told within an hour: a sender that is out of order must not fill the outbox."""
_HOUR_NS: Final = 3_600_000_000_000
_BAD: Final = {"failed", "expired"}

Event = dict[str, float | int | str]


class Teller:
    """Of one queue. `names` has the devices' names by DevEUI."""

    def __init__(self, queue: DownlinkQueue, outbox: Outbox, clock: Clock, names: Mapping[str, str]) -> None:
        self._queue = queue
        self._outbox = outbox
        self._clock = clock
        self._names = names
        self._in_hand: set[str] = set()
        self._refusals = 0  # told since then
        self._since_ns = 0

    async def run(self) -> None:
        """Tell and write what there is until cancelled; then what is left to be written is written."""
        try:
            await self._look_back()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ticks())
                group.create_task(self._tells())
        finally:
            await self._queue.persist()

    def refused(self, dev_eui: str | None, told: dict[str, str]) -> None:
        """An order was refused, and there is no item of it: told once, and not kept beside."""
        now = self._clock.boot_ns()
        if now - self._since_ns >= _HOUR_NS:
            self._refusals, self._since_ns = 0, now
        self._refusals += 1
        if self._refusals <= MAX_REFUSALS and self._outbox.has_room():
            name = self._names.get(dev_eui or "")
            record = Record("event", SOURCE, name, dev_eui, event={"event": "downlink", "state": "refused", **told})
            self._outbox.put(MAIN, [(self._clock.stamp(), record)], RECORD_BYTES)
            self._outbox.commit(None)

    async def _ticks(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            self._queue.expire()
            self._queue.news.set()

    async def _tells(self) -> None:
        queue = self._queue
        while True:
            await queue.news.wait()
            queue.news.clear()
            ready = [q for q in queue.untold() if q.id not in self._in_hand] if self._outbox.has_room() else []
            tail = self._outbox.logs[MAIN].tail
            marked = [q if q.since is not None else queue.telling(q.id, tail) for q in ready]
            if await queue.persist():  # from now on what `marked` says is known after a crash, and no more than that
                self._put(marked)

    def _put(self, items: list[Queued]) -> None:
        """Their events; all of an item at once, in order."""
        for item in items:
            name, at = self._names.get(item.dev_eui), self._clock.stamp()
            events = [Record("event", SOURCE, name, item.dev_eui, event=event_of(item, r)) for r in item.untold]
            self._in_hand.add(item.id)
            self._outbox.put(MAIN, [(at, event) for event in events], RECORD_BYTES * len(events))
            self._outbox.commit(partial(self._stored, item))

    def _stored(self, item: Queued, stored: bool) -> None:
        self._in_hand.discard(item.id)
        if not stored:
            return  # it is put again with the next tick
        for report in item.untold:
            if report.state in _BAD:
                device = self._names.get(item.dev_eui)
                logs.warning(f"downlink {report.state}", device=device, id=item.id, detail=report.detail)
        self._queue.told(item.id, len(item.untold))

    # -- after a crash -------------------------------------------------------------------------------------------------

    async def _look_back(self) -> None:
        """Cross off what lies in the outbox already. What has left it meanwhile counts as told."""
        log, doubtful = self._outbox.logs[MAIN], [q for q in self._queue.untold() if q.since is not None]
        if not doubtful:
            return
        first, end = min(q.since for q in doubtful if q.since is not None), log.tail
        pos = max(log.head, first, end - MOST_RECORDS)
        gone = [q for q in doubtful if q.since is not None and q.since < pos]
        there: dict[str, list[Event]] = {}
        while pos < end:
            try:
                batch = await self._outbox.read(MAIN, pos, READ_RECORDS)
            except sqlite3.OperationalError:  # a segment is being salvaged just now
                await self._clock.sleep(LOOK_S)
                continue
            for r in batch:
                pos = r.pos + (1 if isinstance(r, Stored) else r.count)
                event = r.record.event if isinstance(r, Stored) and r.record.driver == SOURCE else None
                if event is not None:
                    there.setdefault(str(event.get("id")), []).append(event)
            if not batch:
                break
        for item in doubtful:
            told = [item in gone or event_of(item, report) in there.get(item.id, ()) for report in item.untold]
            self._queue.told(item.id, told.index(False) if False in told else len(told))


def event_of(item: Queued, report: Report) -> Event:
    """What central services are told."""
    event: Event = {"event": "downlink", "state": report.state, "id": item.id, "fport": item.fport}
    if item.ref:
        event["ref"] = item.ref
    if report.fcnt is not None:
        event["fcnt"] = report.fcnt
    if report.tries:
        event["tries"] = report.tries
    if report.detail:
        event["detail"] = report.detail
    return event
