"""Runs one forwarder: connection, lanes, batches and back-off. What becomes of each item: settle.py.

Order within a lane is that of the log, except for what the far side itself kept back: it comes again later. Where the
order must hold in spite of that, there is one lane (in_order.py).
"""

import asyncio
import sqlite3
import time
from functools import partial
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.ahead import Ahead
from torhaus.daemon.forward.alarms import AlarmSearch
from torhaus.daemon.forward.backlog import Backlog
from torhaus.daemon.forward.base import Forwarder, Options, Unavailable
from torhaus.daemon.forward.choice import kind_of
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.hold import Hold
from torhaus.daemon.forward.in_order import InOrder
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.overtaking import Overtaking
from torhaus.daemon.forward.rate import Rate
from torhaus.daemon.forward.sender import Sender
from torhaus.daemon.forward.settle import Settlement
from torhaus.daemon.forward.turns import ALARM, BACKLOG, LIVE
from torhaus.daemon.forward.windows import is_open
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import Flush
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.supervise import Backoff, together

IDLE_S: Final = 1.0
"""How often the backlog lane looks again when there is nothing to do."""
WINDOW_CHECK_S: Final = 20.0
"""How often it is looked whether a contact window is open."""
HANG_S: Final = 900.0
"""Forwarders have time-outs of their own, all shorter: one that has not come back by then is connected anew."""
HANG_CHECK_S: Final = 10.0
ALARM_PAUSE_S: Final = 2.0
"""Longest pause of the lane for alarms: the next one must not wait for what became of the last."""


class Runner:
    """One forwarder over one log of the outbox."""

    def __init__(
        self,
        options: Options,
        forwarder: Forwarder,
        outbox: Outbox,
        log: str,
        cursor: Cursor,
        clock: Clock,
        hold: Hold | None = None,
    ) -> None:
        self.options = options
        self.cursor = cursor
        self.log = log
        self.books = Settlement(options.name, outbox, log, cursor, clock)
        self.tally = self.books.tally
        self._every_reading = "reading" in options.kinds and not options.devices and options.wants is None
        self._forwarder = forwarder
        self._outbox = outbox
        self._clock = clock
        self._wake = asyncio.Event()
        self._alarm = asyncio.Event()
        self._scanned = 0  # up to where the backlog has been looked at
        self.sender = Sender(options.name, forwarder, outbox, self.books, cursor, self.kind_of, clock)
        self._rate = Rate(options.backfill_per_s, clock)
        self._reader = Backlog(outbox, log, cursor, self.kind_of, self.tally, clock)
        self.in_order = InOrder(options, forwarder, outbox, log, cursor, self._reader, self.sender, self._wake, clock)
        self._alarm_pause = Backoff(longest_s=ALARM_PAUSE_S)
        self._search = AlarmSearch(outbox, log, cursor, self.tally, clock, self._alarm.set)
        outbox.settled_by[log][options.name] = cursor.settled
        if hold is not None and "reading" in options.kinds:
            hold.subscribe(self._feed, self._overtake)
        else:
            outbox.subscribe(log, self._feed)
        outbox.before_flush.append(self._collect)

    def backlog(self) -> int:
        """Records that are in its log and not settled, also those of which it hears in a moment."""
        log, tail = self._outbox.logs[self.log], self.cursor.tail
        held = max(0, log.tail - tail - log.holes.count(tail, log.tail))
        return self.cursor.backlog(log.head) + held

    # -- what comes in ------------------------------------------------------------------------------------------------

    def kind_of(self, stored: Stored) -> Kind | None:
        """As what this forwarder sends a record; None when it is not for it."""
        if self._every_reading and stored.record.kind == "reading":  # nearly always
            return "reading"
        options = self.options
        kind = kind_of(stored.record, options.kinds, options.devices)
        return None if options.wants is not None and kind is not None and not options.wants(stored.record) else kind

    def _feed(self, batch: list[Stored]) -> None:
        cursor, kind_of, overtaking = self.cursor, self.kind_of, self.in_order.overtaking
        if overtaking is not None and not cursor.is_live:
            self._feed_backlog(batch, overtaking)
            return
        run: list[Stored] = []  # of one kind, one behind the other
        take = cursor.feed_run
        for stored in batch:
            record, pos = stored.record, stored.pos
            kind = kind_of(stored)
            is_new, ready = pos >= cursor.tail, kind != "reading" or not record.pending
            if not is_new:
                self._reader.answered(pos)
            if kind is not None and not record.alarm and (ready or is_new):
                mine = cursor.feed_answered if not is_new else cursor.feed_run if ready else cursor.wait_run
                if run and (mine != take or pos != run[-1].pos + 1):
                    take(run)
                    run = []
                take = mine
                run.append(stored)
                continue
            if run:
                take(run)
                run = []
            self.tally.skipped += cursor.feed(stored, wanted=kind is not None, ready=ready)
            if record.alarm:
                self._alarm.set()
        if run:
            take(run)
        if overtaking is not None and not cursor.is_live:  # more than memory holds
            overtaking.forget()
        self._wake.set()

    def _feed_backlog(self, batch: list[Stored], overtaking: Overtaking) -> None:
        """What comes while a relay has a backlog: some of it may go first."""
        for stored in batch:
            wanted, is_new = self.kind_of(stored) is not None, stored.pos >= self.cursor.tail
            self.tally.skipped += self.cursor.feed(stored, wanted=wanted, ready=True)
            if wanted and is_new:
                overtaking.feed(stored)
        self._wake.set()

    def _overtake(self, stored: Stored) -> None:
        """An alarm that is on disk and is fed later, with what came with it."""
        if self.kind_of(stored) is not None:
            self.cursor.overtake(stored)
            self._alarm.set()

    def _collect(self, flush: Flush) -> None:
        changes = self.cursor.changes()
        if changes is not None:
            flush.settled[self.options.name, self.log] = changes

    # -- connection ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, work, and again after a pause whenever the far side goes. Never returns."""
        await self.books.load()
        while True:
            try:
                await self._open()
                self.books.set_up(up=True, detail=self._forwarder.note or "")
                await self._work()
            except Unavailable as e:
                self.books.set_up(up=False, detail=str(e))
            except Exception as e:
                self.books.set_up(up=False, detail=f"defect: {type(e).__name__}")
                raise
            finally:
                self.in_order.stop_live([])
                await self._forwarder.close()
            await self._clock.sleep(self.sender.connect_pause.next_s())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(HANG_S):
                await self._forwarder.open()
        except TimeoutError:
            raise Unavailable(f"no connection within {HANG_S:.0f} s") from None

    async def _work(self) -> None:
        """All lanes, until one of them finds that the far side is gone."""
        ahead = Ahead(self._next_of_backlog, self.sender.release)
        if self.cursor.ordered:
            work = {"in order": self.in_order.run}
        else:
            self.cursor.start_live()
            self._scanned = 0
            work = {"live": self._live, "alarms": self._alarm_lane}
            work |= {"backfill": partial(self._backfill, ahead), "read ahead": ahead.run}
            work |= {"alarms in the log": self._search.run}
        work |= {"set aside": self._set_aside}
        work |= {"connection": self._mind_connection, "hang check": self._mind_hanging}
        try:
            raise await together({f"{self.options.name} {what}": run for what, run in work.items()}, Unavailable)
        finally:
            ahead.give_back()

    async def _mind_hanging(self) -> None:
        while True:
            await self._clock.sleep(HANG_CHECK_S)
            under_way = self.sender.under_way
            if under_way and self._clock.boot_ns() - min(under_way) > HANG_S * 1e9:
                raise Unavailable(f"no answer within {HANG_S:.0f} s")

    async def _mind_connection(self) -> None:
        """Notice a lost connection also when nothing is being sent; sends under way first say what they know."""
        try:
            await self._forwarder.gone()
        except Unavailable:
            for _ in filter(lambda _: self.sender.under_way, range(100)):
                await asyncio.sleep(0)
            raise

    # -- lanes --------------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            batch = self.cursor.take_live(self._forwarder.max_batch)
            if batch:
                await self.sender.send(batch, late=False, urgency=LIVE)
                continue
            self._wake.clear()
            await self._wake.wait()

    async def _backfill(self, ahead: Ahead) -> None:
        while True:
            if not await self.sender.send(await ahead.take(), late=True, urgency=BACKLOG):
                await self._clock.sleep(self.sender.backlog_pause.next_s())

    async def _next_of_backlog(self) -> list[Stored]:
        """The next records of the backlog; nothing where there was nothing, after a wait."""
        gap = self.cursor.gap(max(self._outbox.logs[self.log].head, self._scanned))
        if gap is None:
            if not self._scanned:
                await self._clock.sleep(IDLE_S)
            self._scanned = 0  # what was kept meanwhile is looked at again from the start
            return []
        if not self._in_window():
            await self._clock.sleep(WINDOW_CHECK_S)
            return []
        most = await self._rate.allow(self._forwarder.max_batch)
        batch, self._scanned = await self._reader.take(*gap, most, self.sender.backlog_pause)
        self._rate.spend(len(batch))
        return batch

    def _in_window(self) -> bool:
        """Whether the backlog may go out now. With a clock that nobody has set it may: hours mean nothing then."""
        if not self.options.windows or not self._clock.synced():
            return True
        now = time.localtime(self._clock.wall_ns() // 1_000_000_000)
        return is_open(self.options.windows, now.tm_wday, now.tm_hour * 60 + now.tm_min)

    async def _alarm_lane(self) -> None:
        """Alarms, also those in the backlog: before everything else."""
        cursor, most = self.cursor, self._forwarder.max_batch
        while True:
            batch, late = cursor.take_alarms(most), False
            gap = None if batch else cursor.alarm_gap(self._outbox.logs[self.log].head)
            if gap is not None:
                (batch, _), late = await self._reader.take(*gap, most, self._alarm_pause), True
            elif not batch:
                self._alarm.clear()
                await self._alarm.wait()
            if batch and await self.sender.send(batch, late=late, urgency=ALARM):
                self._alarm_pause.reset()
            elif batch:
                await self._clock.sleep(self._alarm_pause.next_s())

    async def _set_aside(self) -> None:
        """What a person has tried again; and a look at what may have come into the log by other ways."""
        while True:
            await self._retry_set_aside()
            self._wake.set()
            await self._clock.sleep(IDLE_S)

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
            else:
                await self.books.settle_due(one, await self.sender.send_one(one, kind))
