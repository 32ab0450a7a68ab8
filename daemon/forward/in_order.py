"""The only lane of a forwarder whose order must hold whatever the far side refuses for now.

What lies in the log goes first, then, with nothing left there, what comes in. In a relay in order of each DevAddr, what
has nobody to overtake in the backlog goes beside it (overtaking.py).
"""

import asyncio

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.backlog import Backlog
from torhaus.daemon.forward.base import Forwarder, Options
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.order import cut
from torhaus.daemon.forward.overtaking import Overtaking
from torhaus.daemon.forward.sender import Sender
from torhaus.daemon.forward.turns import LIVE
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import Outbox


class InOrder:
    """One lane. `wake` is set whenever something has come."""

    def __init__(
        self,
        options: Options,
        forwarder: Forwarder,
        outbox: Outbox,
        log: str,
        cursor: Cursor,
        reader: Backlog,
        sender: Sender,
        wake: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._forwarder = forwarder
        self._is_strict = options.order == "strict"
        self._is_relay = options.is_relay
        self._outbox = outbox
        self._log = log
        self._cursor = cursor
        self._reader = reader
        self._sender = sender
        self._wake = wake
        self._clock = clock
        self.overtaking: Overtaking | None = None
        if options.is_relay and options.order == "device":
            self.overtaking = Overtaking(cursor, is_known=cursor.gap(outbox.logs[log].head) is None)

    async def run(self) -> None:
        """Never returns. Raises Unavailable."""
        held: list[Stored] = []  # in hand, in order, not sent yet
        chosen: list[Stored] = []
        late = False
        overtaking = self.overtaking
        if overtaking is not None:
            overtaking.is_open = True
        try:
            while True:
                if overtaking is not None and overtaking.ahead:
                    await self._send_ahead(overtaking)
                if not held:
                    held, late = await self._next()
                chosen, held = cut(held, strict=self._is_strict, relay=self._is_relay)
                if chosen and not await self._sender.send(chosen, late=late, urgency=LIVE):
                    await self._clock.sleep(self._sender.backlog_pause.next_s())
                if any(s.pos not in self._cursor.settled for s in chosen):
                    self.stop_live(chosen + held)  # nothing goes before what is still to be taken
                    self._sender.release(held)
                    held = []
                chosen = []
        finally:
            self.stop_live(chosen + held)
            if overtaking is not None:
                overtaking.stop()
            self._sender.release(held)

    def stop_live(self, in_hand: list[Stored]) -> None:
        """What is in memory is left to the backlog, and `in_hand` will be."""
        if self.overtaking is not None:
            self.overtaking.waits(s for s in in_hand if s.pos not in self._cursor.settled)
            self.overtaking.waits(self._cursor.live)
        self._cursor.stop_live()

    async def _send_ahead(self, overtaking: Overtaking) -> None:
        chosen = overtaking.take(self._forwarder.max_batch)
        try:
            await self._sender.send(chosen, late=False, urgency=LIVE)
        finally:
            overtaking.sent(chosen)

    async def _next(self) -> tuple[list[Stored], bool]:
        """What comes next, and whether it was in the log; nothing where there was nothing, after a wait."""
        cursor, overtaking = self._cursor, self.overtaking
        gap, waiting = cursor.gap(self._outbox.logs[self._log].head), cursor.first_waiting()
        if gap is not None and gap[0] < waiting:
            self.stop_live([])
            if overtaking is not None:
                overtaking.found(gap[0])
            end, most = min(gap[1], waiting), self._forwarder.max_batch
            batch, _ = await self._reader.take(gap[0], end, most, self._sender.backlog_pause)
            return batch, True
        if overtaking is not None and overtaking.ahead:
            return [], False
        if waiting == cursor.tail and not cursor.is_live:
            if overtaking is not None:
                overtaking.drained()
            cursor.start_live()
        batch = cursor.take_live(self._forwarder.max_batch)
        if not batch:
            self._wake.clear()
            await self._wake.wait()
        return batch, False

    def forget(self) -> None:
        """Something may have come into the backlog that was not fed."""
        if self.overtaking is not None:
            self.overtaking.forget()
