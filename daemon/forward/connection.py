"""One connection that sends messages, pipelined, and settles each by its acknowledgement, whatever the protocol.

It ends once and for ever, with a reason. How long an acknowledgement may take, and that a silent peer is noticed, is
seen to here; what a protocol says in bytes is its subclass's: daemon/mqtt/session.py, daemon/nats/session.py.
"""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from typing import Any, Final, Generic, TypeVar, cast

from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.flight import Batch, Flight, Receipts, Render
from torhaus.daemon.forward.unreachable import why
from torhaus.drivers.broker import printable

_CLOSE_S: Final = 2.0
"""How long a close waits for the last bytes to leave."""

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux only."""

Greeting = TypeVar("Greeting")
"""What the far side says first, by which the connection is known to be ready."""


class SessionLost(Exception):  # noqa: N818 - a state of the far side, not a defect
    """There is no connection. `code` is the far side's reason code where it gave one."""

    def __init__(self, text: str, code: int | None = None) -> None:
        self.code = code
        super().__init__(text)


class Connection(asyncio.Protocol, Generic[Greeting]):
    """See the module. `timeout_s` holds for each acknowledgement, which is called `receipt` in messages."""

    receipt = "acknowledgement"
    peer = "server"
    ping = "ping"

    def __init__(self, flight: Flight, timeout_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self.lost: SessionLost | None = None
        self._loop = loop
        self._flight = flight
        self._timeout_s = timeout_s
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._greeting: asyncio.Future[Greeting] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._paused = False
        self._pinged = self._heard = self._sent = False
        self._keepalive_timer: asyncio.TimerHandle | None = None
        self._receipt_timer: asyncio.TimerHandle | None = None

    @property
    def last_id(self) -> int:
        """The id used last: the next session goes on from there."""
        return self._flight.last_id

    async def publish(self, count: int, render: Render, *, alone: bool = False, urgency: int = 0) -> Receipts:
        """Send `count` messages and wait for their acknowledgements.

        Sends as many at once as the far side allows, in the order of indices, a lower `urgency` number first; `alone`
        one by one with nothing beside it. Never raises: `Receipts.lost` says so. When cancelled, the rest is not sent.
        """
        batch = Batch(count, render, self._loop.create_future(), alone=alone, urgency=urgency)
        if self.lost is not None:
            batch.give_up(str(self.lost), self.lost.code)
        elif count:
            self._flight.add(batch)
            self._pump()
            try:
                await batch.done
            finally:
                batch.next = batch.count
        return batch.receipts

    async def close(self) -> None:
        """End in order. Never raises."""
        if self._transport is None:
            return
        if self.lost is None:
            goodbye = self._goodbye()
            if goodbye:
                self._transport.write(goodbye)
            self._end(SessionLost("closed"), abort=False)
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.shield(self.closed)
        except TimeoutError:
            self._transport.abort()

    def abandon(self) -> None:
        """Give up at once."""
        self._end(SessionLost("abandoned"))

    # what a protocol says

    def _goodbye(self) -> bytes:
        """Sent before an orderly end."""
        return b""

    def _ping(self) -> bytes:
        """What a living peer answers."""
        raise NotImplementedError

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")

    def eof_received(self) -> None:
        """The transport closes itself after this."""
        self._end(SessionLost(f"{self.peer} closed the connection"), abort=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was in flight is reported as such."""
        self._end(SessionLost(f"connection lost: {printable(str(exc))}" if exc else "connection lost"))
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not read: nothing more is rendered."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on where it stopped."""
        self._paused = False
        self._pump()

    # inside

    def _pump(self) -> bool:
        """Fill the window; coalesced into few writes. Whether there was anything to write."""
        written = False
        while not self._paused and self.lost is None and self._transport is not None:
            data = self._flight.take(self._loop.time())
            if not data:
                break
            self._sent = True
            if self._receipt_timer is None:
                self._receipt_timer = self._loop.call_later(self._timeout_s, self._look_at_oldest)
            self._transport.write(data)
            written = True
        return written

    def _acknowledge_now(self) -> None:
        """Let the kernel acknowledge at once what was read (tcp(7): not sticky).

        Brokers write each receipt by itself, often with Nagle's algorithm on: all after the first then wait for our TCP
        acknowledgement, which Linux delays by 40 ms unless there is something to send.
        """
        if _QUICKACK is not None and self._socket is not None:
            with contextlib.suppress(OSError):  # closed meanwhile, or not TCP: it is a hint
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _look_at_oldest(self) -> None:
        """No acknowledgement for `timeout_s`: this is no receipt, and the connection is not to be trusted."""
        self._receipt_timer = None
        oldest = self._flight.oldest()
        if oldest is None or self.lost is not None:
            return
        due = oldest + self._timeout_s
        if due <= self._loop.time():
            self._end(SessionLost(f"no {self.receipt} within {self._timeout_s:g} s"))
        else:
            self._receipt_timer = self._loop.call_at(due, self._look_at_oldest)

    def _keep_alive(self, interval: float) -> None:
        """Every 0.4 of the keep-alive: a ping unless there was traffic both ways; no answer by the next time is death.

        So the gap between two packets of ours stays below the keep-alive (MQTT 5.0, 3.1.2.10).
        """
        if self._pinged and not self._heard:
            self._end(SessionLost(f"no answer to {self.ping}"))
            return
        self._pinged = not (self._heard and self._sent)
        self._heard = self._sent = False
        if self._pinged and self._transport is not None:
            self._transport.write(self._ping())
        self._keepalive_timer = self._loop.call_later(interval, self._keep_alive, interval)

    def _end(self, lost: SessionLost, *, abort: bool = True) -> None:
        """The connection is over. The first reason counts."""
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()
        if self.lost is not None:
            return
        self.lost = lost
        for timer in (self._keepalive_timer, self._receipt_timer):
            if timer is not None:
                timer.cancel()
        if not self._greeting.done():
            self._greeting.set_exception(lost)
            self._greeting.exception()  # taken: nobody may be waiting any more
        self._flight.give_up(str(lost), lost.code)


async def until_lost(connection: Connection[Any] | None) -> None:
    """Wait for the end of the connection. Raises Unavailable then, with the reason."""
    if connection is not None:
        await asyncio.shield(connection.closed)
    raise Unavailable(str(connection.lost) if connection is not None and connection.lost else "connection lost")


async def establish(
    connection: Connection[Any], steps: Coroutine[Any, Any, None], timeout_s: float, where: str
) -> None:
    """Take the steps to a connection that is ready; it is given up where one fails. Raises SessionLost."""
    try:
        async with asyncio.timeout(timeout_s):
            await steps
    except BaseException as error:
        connection.abandon()
        if isinstance(error, TimeoutError):
            raise SessionLost(f"no connection within {timeout_s:g} s") from None
        if isinstance(error, OSError):  # ssl.SSLError is one
            raise SessionLost(f"cannot connect to {where}: {why(error)}") from None
        raise
