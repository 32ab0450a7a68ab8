"""Keeping the outbox in order: the state is saved, segments are begun, dropped by the limits, unlinked when drained."""

import asyncio
import concurrent.futures
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox.commit import guarded
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.ranges import Ranges, free
from torhaus.daemon.outbox.reserve import Reserve, no_room
from torhaus.daemon.outbox.retention import Dropped
from torhaus.daemon.outbox.room import aside_bytes
from torhaus.daemon.outbox.second import SecondCopy
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.trouble import Reporter, Trouble, is_full, reason_of
from torhaus.daemon.outbox.writer import Writer

MAIN: Final = "main"
STRANGERS: Final = "strangers"
RELAY: Final = "relay"
DECODED: Final = "decoded"
"""Name under which the snapshot keeps the position below which every script has answered."""
ROOM: Final = "intake"
LOOK_S: Final = 1.0
"""How often the writer is asked whether it lives, and the limits are looked at."""


class Holder(Protocol):
    """A forwarder's cursor, as far as a segment is rewritten under it."""

    def hold(self, start: int, end: int) -> bool:
        """Leave a stretch of the log alone; False when some of it is in somebody's hand."""
        ...

    def let_go(self, start: int, end: int, alarms: tuple[int, ...] | None) -> None:
        """It has been rewritten, and its alarms are there now; None: it is as it was."""
        ...


class Keeper:
    """What an Outbox does besides taking and giving records. All of it is called on the event loop."""

    _loop: asyncio.AbstractEventLoop
    _writer: Writer
    _reader: concurrent.futures.ThreadPoolExecutor
    state: State

    def __init__(self, path: Path, clock: Clock, report: Reporter, state_interval_s: float, reserve_bytes: int) -> None:
        self.path = path
        self.state_interval_s = state_interval_s
        self.clock = clock
        self.report = report
        self.logs: dict[str, Log] = {}
        self.flush = Flush()
        self.before_flush: list[Callable[[Flush], None]] = []
        self.settled_by: dict[str, dict[str, Ranges]] = {MAIN: {}, STRANGERS: {}, RELAY: {}}  # log, forwarder name
        self.boots: dict[str, int] = {}
        self.undecoded = Ranges()  # positions of the main log whose script has not answered
        self.scanned_to = 0  # pending records below it are in `undecoded`; those above may not be yet
        self._others = (0, 0, 0)  # bytes of the state, the reserve, and of state files that were set aside
        self.last_answer = 0.0  # loop time of the writer's last answer: what the watchdog looks at
        self.looked_to: int | None = None
        """The sessions as saved are complete up to here in the main log; None: what lies behind was not looked at."""
        self.cursors: dict[str, list[Holder]] = {MAIN: [], STRANGERS: [], RELAY: []}
        self.thinning: set[str] = set()  # logs of which a segment is being rewritten: nothing of them is unlinked
        self._told: dict[str, int] = {}  # by log: the position up to which feeds have been told
        self._counted: dict[str, int] = {}  # by log: the position up to which drops have been counted
        self._housing: set[str] = set()
        self._trouble = Trouble(report)
        self.saving = asyncio.Lock()  # also while what is drained is unlinked: who takes that back needs it
        self._reserve = Reserve(path / "reserve", reserve_bytes)
        self.second = SecondCopy(path)
        self.state_was_lost = False  # then a forwarder that nothing is known of is not a new one

    @property
    def failing(self) -> str | None:
        """What cannot be written at present; None when all is well."""
        return self._trouble.what

    def _failed(self, part: str, error: BaseException) -> None:
        self._trouble.failed(part, error)
        if reason_of(error) == "defect":
            self._loop.call_exception_handler({"message": f"outbox: {part}", "exception": error})

    def _house_if_due(self) -> None:
        for name, log in self.logs.items():
            if (log.is_full or log.is_over) and name not in self._housing:
                self._housing.add(name)
                self._writer.submit(partial(self._house, name), partial(self._housed, name))

    def _house(self, name: str) -> list[Dropped]:
        """On the writer thread: begin a new segment; say which have to go by the limits."""
        log, now = self.logs[name], self.clock.wall_ns()
        log.roll(now)
        if name == MAIN:
            self._others = self.state.size() + self.second.size(), self._reserve.size(), aside_bytes(self.path)
            log.room.other = sum(self._others)
        log.measure()
        return log.excess(self._known_time(now), self.boots)

    def _known_time(self, now_ns: int) -> int | None:
        """The time by which ages are judged: after a step forward still what it was before; None when not known."""
        if not self.clock.synced():
            return None
        offset = self.boots.get(self.clock.boot_id)
        return now_ns if offset is None else min(now_ns, self.clock.boot_ns() + offset)

    def _housed(self, name: str, result: Any) -> None:  # noqa: ANN401 - result or exception
        """Count what goes before it goes, so that nobody takes it for settled meanwhile."""
        self._housing.discard(name)
        part = f"{name} segments"
        if isinstance(result, BaseException):
            self._failed(part, result)
            return
        self._trouble.works(part)
        if name in self.thinning:
            return
        log, counted = self.logs[name], self._counted[name]
        for d in result:
            if d.end <= counted:
                continue
            self._counted[name] = counted = d.end
            there = Ranges([(d.first, d.end)])
            for hole in log.holes:
                there.remove(*hole)
            for forwarder, settled in self.settled_by[name].items():
                lost = sum(end - first - settled.count(first, end) for first, end in there)
                self.count_drop(name, forwarder, lost, d.reason)
                settled.forget_below(d.end)
                self.flush.settled[forwarder, name] = list(settled)
            if not self.settled_by[name]:
                self.count_drop(name, "", sum(end - first for first, end in there), d.reason)
            if name == MAIN:
                self.undecoded.remove(0, d.end)
        if result:
            self._writer.submit(partial(log.unlink_below, counted), partial(self._unlinked, name))

    def _unlinked(self, name: str, result: Any) -> None:  # noqa: ANN401 - result or exception
        if isinstance(result, BaseException):
            self._failed(f"{name} segments", result)
            return
        log = self.logs[name]
        for forwarder, settled in self.settled_by[name].items():
            if settled.gap(0, log.head) is not None:  # a hole went with the segment before it
                settled.forget_below(log.head)
                self.flush.settled[forwarder, name] = list(settled)
        self._reader.submit(log.trim_readers)

    def count_drop(self, log: str, forwarder: str, records: int, reason: str) -> None:
        """A forwarder will not get so many records; empty: there is none that keeps them."""
        if records:
            key = (forwarder, reason)
            self.flush.dropped[key] = self.flush.dropped.get(key, 0) + records
            self.report.dropped(log, forwarder, records, reason)

    def adopt(self, log: str, forwarder: str, settled: Ranges, *, is_new: bool = False) -> None:
        """Keep for a forwarder what is not in `settled`, within the limits, whether it runs or not.

        What left the log while nobody kept it is counted as dropped; one that `is_new` has missed nothing.
        """
        it, before = self.logs[log], list(settled)
        gone = (it.head - settled.count(0, it.head)) % SKIP_AFTER_DAMAGE
        if not is_new and gone < SKIP_AFTER_DAMAGE // 2:  # else a hole went meanwhile, and how many more is not known
            self.count_drop(log, forwarder, gone, "gone")
        settled.forget_below(it.head)
        self.settled_by[log][forwarder] = settled
        if is_new or list(settled) != before:
            self.flush.settled[forwarder, log] = list(settled)

    def holes_of(self, log: str) -> Callable[[], Ranges]:
        """What tells a cursor which positions a log does not have, now and later."""
        it = self.logs[log]
        return lambda: it.holes

    def parts(self) -> dict[str, int]:
        """Bytes on disk by what they are. What is in the other logs than the main one has limits of its own."""
        rooms = {name: log.room for name, log in self.logs.items()}
        state, reserve, aside = self._others
        return {name: room.closed + room.newest for name, room in rooms.items()} | {
            "write_ahead": sum(room.side for room in rooms.values()),
            "set_aside": sum(room.aside for room in rooms.values()) + aside,
            "state": state,
            "reserve": reserve,
        }

    def written(self) -> dict[str, int]:
        """Bytes written since the start, by what for: pages to write-ahead logs, and from there to the databases."""
        return {name: log.room.written for name, log in self.logs.items()} | {
            "state": self.state.meter.written + self.second.written
        }

    def silent_s(self) -> float:
        """Seconds since the writer last answered anything."""
        return self._loop.time() - self.last_answer

    def decoded_to(self) -> int:
        """Below this position of the main log every script has answered."""
        first = next(iter(self.undecoded), (self._told[MAIN], 0))[0]
        return min(first, self.scanned_to)

    def drained_to(self, log: str) -> int:
        """Below this position every forwarder has settled everything, and every script has answered."""
        tail = self._told[log]
        low = self.decoded_to() if log == MAIN else tail
        for settled in self.settled_by[log].values():
            gap = free(0, tail, settled, self.logs[log].holes)
            low = min(low, gap[0] if gap else tail)
        return low

    async def save(self, *, rest: bool = True) -> None:
        """Write what changed in the state, then, with the `rest`, unlink what is drained. A failure is reported."""
        await asyncio.shield(self._save(rest=rest))  # what is taken out to be saved is saved or put back

    async def _save(self, *, rest: bool) -> None:
        async with self.saving:
            news = Flush()
            for collect in self.before_flush:
                guarded(self._loop, collect, news)
            if self.looked_to is not None and self.looked_to < self._told[MAIN]:  # what is below it was just collected
                news.snapshot[MAIN] = self.looked_to = self._told[MAIN]
            self.flush.merge(news)
            if not (rest or self.flush):
                return  # whoever was before us has written it
            flush, self.flush = self.flush, Flush()
            flush.at_ns = self.clock.wall_ns()
            drained = {name: self.drained_to(name) for name in self.logs if self.settled_by[name]}
            if flush:
                flush.snapshot[DECODED] = self.decoded_to()
            try:
                await self._writer.call(partial(self._save_state, flush, rest=rest))
                for boot, offset in flush.boots.items():  # only now: corrected by it, a time is the same for ever
                    self.boots.setdefault(boot, offset)
                if flush:
                    self._trouble.works("state")
                self._told_room()
            except Exception as e:  # noqa: BLE001 - nothing of it may be lost
                flush.merge(self.flush)
                self.flush = flush
                self._failed("state", e)
                drained = {}
            self.last_answer = self._loop.time()
            if rest:
                await self._house_all(drained)

    async def _house_all(self, drained: dict[str, int]) -> None:
        for name, log in self.logs.items():
            self._housed(name, await self._result(partial(self._house, name)))
            is_kept = name not in drained or name in self.thinning or len(log.segments) == 1
            if not is_kept and log.segments[1] <= drained[name]:
                self._unlinked(name, await self._result(partial(log.unlink_below, drained[name])))
        self.last_answer = self._loop.time()

    async def _result(self, job: Callable[[], Any]) -> Any:  # noqa: ANN401 - result or exception
        try:
            return await self._writer.call(job)
        except Exception as e:  # noqa: BLE001 - told by the caller
            return e

    def _told_room(self) -> None:
        if self._reserve.is_short:
            self._failed(ROOM, no_room())
        else:
            self._trouble.works(ROOM)

    def _save_state(self, flush: Flush, *, rest: bool) -> None:
        if flush:
            try:
                self.state.save(flush)
            except sqlite3.Error as e:
                if not is_full(e) or not self._reserve.release():
                    raise
                self.state.save(flush)
        if not rest:
            self.second.outdated()
            return
        if self._reserve.has_room():
            self._reserve.fill()
        for name, log in self.logs.items():
            self.second.use(name, log.store)
        self.second.write(self.state, self.clock.boot_ns(), changed=bool(flush))

    async def run(self) -> None:
        """Save the state every `state_interval_s`, mind the limits every second at least. Never returns."""
        saved_at = self.clock.boot_ns()
        while True:
            await self.clock.sleep(min(LOOK_S, self.state_interval_s))
            is_due = self.clock.boot_ns() - saved_at >= self.state_interval_s * 1e9
            if is_due or self.failing is not None:  # room for records is made by saving what is drained
                saved_at = self.clock.boot_ns()
                await self.save()  # a crash repeats at most what was settled since the last one, under the same ids
            else:
                await self._house_all({})
