"""Runs one forwarder: connection, two lanes, batches and back-off. What becomes of each item: settle.py.

Order within a lane is that of the log, except for what the far side itself kept back: it comes again later.
"""

import asyncio
import sqlite3
from typing import Final

import msgspec

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.base import Forwarder, Item, Outcome, Unavailable
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind, Message
from torhaus.daemon.forward.rate import Rate
from torhaus.daemon.forward.render import render
from torhaus.daemon.forward.settle import Settlement
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.supervise import Backoff

BACKFILL_READ: Final = 512
"""Records read from the log at once: what the backlog may occupy in memory, however long it is."""
IDLE_S: Final = 1.0
"""How often the backlog lane looks again when there is nothing to do."""
HANG_S: Final = 900.0
"""Forwarders have time-outs of their own, all shorter: one that has not come back by then is connected anew."""
HANG_CHECK_S: Final = 10.0
DEFECTS_IN_A_ROW: Final = 16
"""So many records become dead letters over a forwarder's defect, none arriving in between; then it is the forwarder
itself that is broken, and everything is kept."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What every forwarder has, whatever its type. Empty `devices` means all."""

    name: str
    kinds: frozenset[str] = frozenset({"reading"})
    devices: frozenset[str] = frozenset()
    backfill_per_s: float = 1000.0


class Runner:
    """One forwarder over one log of the outbox."""

    def __init__(
        self, options: Options, forwarder: Forwarder, outbox: Outbox, log: str, cursor: Cursor, clock: Clock
    ) -> None:
        self.options = options
        self.cursor = cursor
        self.log = log
        self.books = Settlement(options.name, outbox, log, cursor, clock)
        self.tally = self.books.tally
        self._forwarder = forwarder
        self._outbox = outbox
        self._clock = clock
        self._wake = asyncio.Event()
        self._answered: set[int] | None = None  # scripts' answers that came while the log was being read
        self._under_way: list[int] = []  # when each send began, boot time
        self._defects = 0
        self._connect_pause = Backoff()
        self._backlog_pause = Backoff()
        self._rate = Rate(options.backfill_per_s, clock)
        self._turn = asyncio.Semaphore(max(1, forwarder.concurrency))
        outbox.settled_by[log][options.name] = cursor.settled
        outbox.subscribe(log, self._feed)
        outbox.before_flush.append(self._collect)

    # -- what comes in ------------------------------------------------------------------------------------------------

    def kind_of(self, stored: Stored) -> Kind | None:
        """As what this forwarder sends a record; None when it is not for it."""
        record = stored.record
        kinds, devices = self.options.kinds, self.options.devices
        if devices and record.device not in devices:
            return None
        if record.kind == "event":
            return "event" if "event" in kinds else None
        if "reading" in kinds and (record.pending or record.kind == "reading"):
            return "reading"
        return "frame" if "frame" in kinds else None

    def _feed(self, batch: list[Stored]) -> None:
        feed, kind_of = self.cursor.feed, self.kind_of
        for stored in batch:
            if self._answered is not None and stored.pos < self.cursor.tail:
                self._answered.add(stored.pos)
            kind = kind_of(stored)
            ready = kind != "reading" or not stored.record.pending
            self.tally.skipped += feed(stored, wanted=kind is not None, ready=ready)
        self._wake.set()

    def _collect(self, flush: Flush) -> None:
        if self.cursor.changed:
            self.cursor.changed = False
            flush.settled[self.options.name, self.log] = list(self.cursor.settled)

    # -- connection ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, work, and again after a pause whenever the far side goes. Never returns."""
        await self.books.load()
        while True:
            try:
                await self._open()
                self.books.set_up(up=True, detail=self._forwarder.note or "")
                self.cursor.start_live()
                await self._work()
            except Unavailable as e:
                self.books.set_up(up=False, detail=str(e))
            except Exception as e:
                self.books.set_up(up=False, detail=f"defect: {type(e).__name__}")
                raise
            finally:
                self.cursor.stop_live()
                await self._forwarder.close()
            await self._clock.sleep(self._connect_pause.next_s())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(HANG_S):
                await self._forwarder.open()
        except TimeoutError:
            raise Unavailable(f"no connection within {HANG_S:.0f} s") from None

    async def _work(self) -> None:
        """Both lanes, until one of them finds that the far side is gone."""
        try:
            async with asyncio.TaskGroup() as lanes:
                lanes.create_task(self._live(), name=f"{self.options.name} live")
                lanes.create_task(self._backfill(), name=f"{self.options.name} backfill")
                lanes.create_task(self._mind_connection(), name=f"{self.options.name} connection")
                lanes.create_task(self._mind_hanging(), name=f"{self.options.name} hang check")
        except* Unavailable as group:
            raise next(e for e in group.exceptions if isinstance(e, Unavailable)) from None

    async def _mind_hanging(self) -> None:
        while True:
            await self._clock.sleep(HANG_CHECK_S)
            if self._under_way and self._clock.boot_ns() - min(self._under_way) > HANG_S * 1e9:
                raise Unavailable(f"no answer within {HANG_S:.0f} s")

    async def _mind_connection(self) -> None:
        """Notice a lost connection also when nothing is being sent; sends under way first say what they know."""
        try:
            await self._forwarder.gone()
        except Unavailable:
            for _ in filter(lambda _: self._under_way, range(100)):
                await asyncio.sleep(0)
            raise

    async def _live(self) -> None:
        while True:
            batch = self.cursor.take_live(self._forwarder.max_batch)
            if batch:
                await self._send(batch, late=False)
                continue
            self._wake.clear()
            await self._wake.wait()

    async def _backfill(self) -> None:
        scanned = 0
        while True:
            await self._retry_set_aside()
            gap = self.cursor.gap(max(self._outbox.logs[self.log].head, scanned))
            if gap is None:
                if not scanned:
                    await self._clock.sleep(IDLE_S)
                scanned = 0  # what was kept meanwhile is looked at again from the start
                continue
            batch, scanned = await self._read(*gap, await self._rate.allow(self._forwarder.max_batch))
            if batch and not await self._send(batch, late=True):
                await self._clock.sleep(self._backlog_pause.next_s())

    async def _read(self, start: int, end: int, most: int) -> tuple[list[Stored], int]:
        """The next records of the backlog that are to be sent, and up to where it was looked at."""
        cursor = self.cursor
        answered = self._answered = set()
        try:
            found = await self._outbox.read(self.log, start, min(most, BACKFILL_READ, end - start))
        except sqlite3.Error as e:  # not damage, which comes as Damaged: the file cannot be had just now
            self.tally.detail = f"log: {e}"
            await self._clock.sleep(self._backlog_pause.next_s())
            return [], start
        finally:
            self._answered = None
        if not found:  # dropped while we looked, or positions that were never used
            head = self._outbox.logs[self.log].head
            end = min(end, head) if head > start else end
            cursor.settle(start, end - start)
            return [], end
        batch = []
        pos = start
        for r in found:
            if r.pos >= end:
                break
            if r.pos > pos:  # a hole: positions that were never used, or rows that are gone
                cursor.settle(pos, r.pos - pos)
                pos = r.pos
            if isinstance(r, Damaged):
                count = min(r.pos + r.count, end) - pos  # it may begin before `pos`
                self.tally.damaged += count
                cursor.settle(pos, count)
                pos += count
                continue
            pos = r.pos + 1
            kind = self.kind_of(r)
            if kind is None:
                self.tally.skipped += 1
                cursor.settle(r.pos)
                continue
            if kind != "reading" or not r.record.pending:
                cursor.take(r.pos)
                batch.append(r)
            elif r.pos not in answered:  # else it was read just before its answer was written, and is read again
                cursor.wait(r.pos)  # it comes through `_feed` once its script has answered
        self._rate.spend(len(batch))
        return batch, pos

    async def _retry_set_aside(self) -> None:
        try:
            due = await self.books.due()
        except sqlite3.Error as e:
            self.tally.detail = f"state: {e}"
            return
        for one in due:
            kind = self.kind_of(one.stored)
            if kind is None:  # the configuration has changed since
                await self.books.skip_due(one)
                continue
            try:
                outcome = await self._call([Item(self._message(one.stored, kind, late=True), one.tries)])
            except Unavailable:
                raise
            except Exception as e:  # noqa: BLE001 - it stays aside; its pauses grow
                logs.error("defect", e, component=f"forwarder {self.options.name}")
                outcome = Outcome(kept={0: _defect(e)})
            await self.books.settle_due(one, outcome)

    def _message(self, stored: Stored, kind: Kind, *, late: bool) -> Message:
        return render(stored, self._outbox.site, self._outbox.boots, kind=kind, late=late)

    async def _call(self, items: list[Item]) -> Outcome:
        async with self._turn:
            began = self._clock.boot_ns()
            self._under_way.append(began)
            try:
                return await self._forwarder.send(items)
            finally:
                self._under_way.remove(began)

    async def _send(self, batch: list[Stored], *, late: bool) -> bool:
        """Send and settle. False when the far side took nothing of it. Raises Unavailable."""
        tries, kind_of = self.books.tries, self.kind_of  # bound once for the batch
        try:
            items = [Item(self._message(s, kind_of(s) or "frame", late=late), tries(s.pos)) for s in batch]
            outcome = await self._call(items)
        except (Unavailable, asyncio.CancelledError):
            self._release(batch)
            raise
        except Exception as e:  # noqa: BLE001 - a defect met on one record must not stop the others, nor be met for ever
            return await self._after_defect(batch, e, late=late)
        moved = self.books.settle(batch, outcome, late=late)
        note = self._forwarder.note or ""
        answered = len(outcome.accepted) + len(outcome.rejected) + len(outcome.kept) >= len(batch)
        self.tally.detail = next(iter(outcome.kept.values()), note if answered else "no receipt in time")
        if moved:
            self._defects = 0
            self._connect_pause.reset()
            self._backlog_pause.reset()
        return moved

    async def _after_defect(self, batch: list[Stored], error: Exception, *, late: bool) -> bool:
        """Find the record on which the forwarder fails by sending halves; it becomes a dead letter."""
        if len(batch) > 1:
            middle = len(batch) // 2
            try:
                moved = await self._send(batch[:middle], late=late)
            except BaseException:
                self._release(batch[middle:])
                raise
            return await self._send(batch[middle:], late=late) or moved
        self._defects += 1
        if self._defects > DEFECTS_IN_A_ROW:
            self._release(batch)
            raise Unavailable(_defect(error))
        logs.error("defect", error, component=f"forwarder {self.options.name}")
        return self.books.settle(batch, Outcome(rejected={0: _defect(error)}), late=late)

    def _release(self, batch: list[Stored]) -> None:
        for s in batch:
            self.cursor.release(s.pos)


def _defect(error: Exception) -> str:
    return f"defect: {type(error).__name__}: {error}"[:200]
