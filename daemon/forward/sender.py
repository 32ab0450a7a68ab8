"""Sends batches of one forwarder, has them settled, and finds the record on which a forwarder fails."""

import asyncio
from collections.abc import Mapping
from typing import Final

from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.backlog import KindOf
from torhaus.daemon.forward.base import Forwarder, Item, Outcome, Unavailable
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.message import Kind, Message
from torhaus.daemon.forward.render import render, render_all
from torhaus.daemon.forward.settle import Settlement
from torhaus.daemon.forward.turns import BACKLOG, Turns
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import SetAside
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.supervise import Backoff

DEFECTS_IN_A_ROW: Final = 16
"""So many records become dead letters over a forwarder's defect, none arriving in between; then it is the forwarder
itself that is broken, and everything is kept."""


class Sender:
    """Between the lanes and one forwarder."""

    def __init__(
        self,
        name: str,
        forwarder: Forwarder,
        outbox: Outbox,
        books: Settlement,
        cursor: Cursor,
        kind_of: KindOf,
        clock: Clock,
    ) -> None:
        self.connect_pause = Backoff()
        self.backlog_pause = Backoff()
        self.under_way: list[int] = []  # when each send began, boot time
        self.commands: Mapping[tuple[str, str], int] = getattr(forwarder, "commands", {})
        """What a network server asked for, by command and result, where the forwarder takes commands."""
        self._name = name
        self._forwarder = forwarder
        self._outbox = outbox
        self._books = books
        self._cursor = cursor
        self._kind_of = kind_of
        self._clock = clock
        self._turns = Turns(forwarder.concurrency)
        self._defects = 0

    def _message(self, stored: Stored, kind: Kind, *, late: bool) -> Message:
        return render(stored, self._outbox.site, self._outbox.boots, kind=kind, late=late)

    def _items(self, batch: list[Stored], *, late: bool) -> list[Item]:
        messages = render_all(batch, self._outbox.site, self._outbox.boots, self._kind_of, late=late)
        tries = self._books.tries if self._books.has_tries() else None
        if tries is None:
            return [Item(m) for m in messages]
        return [Item(m, tries(s.pos)) for m, s in zip(messages, batch, strict=True)]

    async def _call(self, items: list[Item], urgency: int) -> Outcome:
        async with self._turns.turn(urgency):
            began = self._clock.boot_ns()
            self.under_way.append(began)
            try:
                return await self._forwarder.send(items)
            finally:
                self.under_way.remove(began)

    async def send_one(self, one: SetAside, kind: Kind) -> Outcome:
        """Try a record that had been set aside once more. Raises Unavailable."""
        try:
            return await self._call([Item(self._message(one.stored, kind, late=True), one.tries)], BACKLOG)
        except Unavailable:
            raise
        except Exception as e:  # noqa: BLE001 - it stays aside; its pauses grow
            logs.error("defect", e, component=f"forwarder {self._name}")
            return Outcome(kept={0: _defect(e)})

    async def send(self, batch: list[Stored], *, late: bool, urgency: int) -> bool:
        """Send and settle. False when the far side took nothing of it. Raises Unavailable."""
        try:
            items = self._items(batch, late=late)
            outcome = await self._call(items, urgency)
        except (Unavailable, asyncio.CancelledError):
            self.release(batch)
            raise
        except Exception as e:  # noqa: BLE001 - a defect met on one record must not stop the others, nor be met for ever
            return await self._after_defect(batch, e, late=late, urgency=urgency)
        moved = self._books.settle(batch, outcome, late=late)
        note = self._forwarder.note or ""
        answered = sum(map(len, (outcome.accepted, outcome.rejected, outcome.kept, outcome.dropped))) >= len(batch)
        self._books.tally.detail = next(iter(outcome.kept.values()), note if answered else "no receipt in time")
        if moved:
            self._defects = 0
            self.connect_pause.reset()
            self.backlog_pause.reset()
        return moved

    async def _after_defect(self, batch: list[Stored], error: Exception, *, late: bool, urgency: int) -> bool:
        """Find the record on which the forwarder fails by sending halves; it becomes a dead letter."""
        if len(batch) > 1:
            middle = len(batch) // 2
            try:
                moved = await self.send(batch[:middle], late=late, urgency=urgency)
            except BaseException:
                self.release(batch[middle:])
                raise
            return await self.send(batch[middle:], late=late, urgency=urgency) or moved
        self._defects += 1
        if self._defects > DEFECTS_IN_A_ROW:
            self.release(batch)
            raise Unavailable(_defect(error))
        logs.error("defect", error, component=f"forwarder {self._name}")
        return self._books.settle(batch, Outcome(rejected={0: _defect(error)}), late=late)

    def release(self, batch: list[Stored]) -> None:
        """Give back what was in hand."""
        for s in batch:
            self._cursor.give_back(s)


def _defect(error: Exception) -> str:
    return f"defect: {type(error).__name__}: {error}"[:200]
