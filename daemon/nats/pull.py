"""Takes what waits for us in a stream: asks a consumer for a few messages at a time, and acknowledges each.

Source: NATS documentation, "JetStream wire API reference", `$JS.API.CONSUMER.MSG.NEXT`: an answer is a message whose
reply subject acknowledges it, or a status (404 and 408: nothing there; 409: not now; 503: nobody serves such requests).
There is no answer at all where there is no such consumer.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.order_commands import AT_ONCE, Told
from torhaus.daemon.nats.session import Session
from torhaus.daemon.nats.wire import Msg, encode_publish, printable

EXPIRES_S: Final = 30.0
"""How long a request waits at the server for messages."""
PATIENCE_S: Final = 10.0
"""So much longer nothing may come before it is asked again."""
RETRY_S: Final = 30.0
"""How long until it is asked again after a refusal."""
ACK: Final = b"+ACK"
TERM: Final = b"+TERM"
_NOTHING_THERE: Final = frozenset((100, 404, 408))

Take = Callable[[bytes, Callable[[Told], None]], bool]
Say = Callable[[str | None], None]


class Pull:
    """One consumer, over one session. `say` is told why no messages can be had, None when they can."""

    def __init__(self, session: Session, stream: str, consumer: str, take: Take, clock: Clock, say: Say) -> None:
        self.inbox = f"{session.inbox}o"
        self._session = session
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}".encode()
        self._take = take
        self._clock = clock
        self._say = say
        self._left = 0  # messages asked for that have not come
        self._open = 0  # those that have, and are not on disk yet
        self._stopped: str | None = None
        self._again = asyncio.Event()

    def came(self, msg: Msg) -> None:
        """A message, or a status."""
        reply = msg.reply
        if not reply.startswith(b"$JS.ACK."):
            if msg.status:  # else sent to our inbox by somebody else: there is nothing to acknowledge
                self._left = 0
                if msg.status not in _NOTHING_THERE:
                    self._stopped = _why(msg)
                self._look()
            return
        self._say(None)
        self._left -= 1
        if self._take(msg.payload, lambda told: self._answer(reply, told)):
            self._open += 1
        # else there were more than asked for: what is not acknowledged comes again

    async def run(self) -> None:
        """Ask, again and again, until cancelled: first for what is there, which shows whether anybody answers."""
        waits = False
        while True:
            self._again.clear()
            self._left, self._stopped = AT_ONCE, None
            how = {"expires": int(EXPIRES_S * 1e9)} if waits else {"no_wait": True}
            request = msgspec.json.encode({"batch": AT_ONCE, **how})
            self._session.send(encode_publish(self._subject, self.inbox.encode(), request))
            try:
                async with asyncio.timeout(PATIENCE_S + (EXPIRES_S if waits else 0)):
                    await self._again.wait()
            except TimeoutError:
                if self._left == AT_ONCE:
                    self._stopped = "nobody answers; is there such a consumer?"
                self._left = 0
                if self._open:
                    await self._again.wait()  # a disk in trouble, and no fault of the server's
            waits = self._stopped is None
            if self._stopped is not None:
                self._say(f"no commands: {printable(self._stopped, 100)}")
                await self._clock.sleep(RETRY_S)

    def _answer(self, reply: bytes, told: Told) -> None:
        """On disk, or refused for good: the stream need not send it again."""
        self._session.send(encode_publish(reply, b"", TERM if told.result == "refused" else ACK))
        self._open -= 1
        self._look()

    def _look(self) -> None:
        """Ask for more when all that were asked for are done with: there is room for no others."""
        if self._left <= 0 and self._open <= 0:
            self._again.set()


def _why(msg: Msg) -> str:
    return "no consumer, or no JetStream (503)" if msg.status == 503 else f"{msg.status} {msg.description}"
