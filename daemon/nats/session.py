"""One connection to a NATS server that publishes to JetStream, pipelined, and settles by its acknowledgements.

Source: NATS documentation, "Client Protocol" and "JetStream wire API reference". Acknowledgements come to an inbox of
this connection alone, by number, so that a late one can never hit a message that it was not meant for. There is no
buffer of what is to be sent later: a message is in flight, or it is not sent. A session ends once and for ever.
"""

import asyncio
import re
import secrets
import ssl
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.daemon.forward.connection import Connection, SessionLost, establish
from torhaus.daemon.forward.flight import MAX_WINDOW, Flight, ProtocolError
from torhaus.daemon.nats import wire
from torhaus.daemon.nats.acks import FORBIDDEN, TOO_LARGE, Ack, Receipts, read_ack
from torhaus.daemon.nats.credentials import Credentials, CredentialsError

__all__ = ["Session", "SessionLost", "Settings", "connect"]

MIN_PAYLOAD_BYTES: Final = 4096
"""A server that takes less is not to be believed: a year's readings would become dead letters over it."""
_IDS: Final = 1 << 53
_ACKS: Final = 1
_ORDERS: Final = 2
"""Numbers of the two subscriptions."""
_IN_CLEAR: Final = "server sent something in clear that should have been encrypted"
_MAX_ID_DIGITS: Final = 16
_VIOLATION: Final = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)
_HINTS: Final = (
    ("authorization violation", "check user, password, token or credentials"),
    ("authentication timeout", "check user, password, token or credentials"),
    ("expired", "the credentials have expired: get new ones"),
    ("maximum connections", "the server has as many connections as it takes"),
)

Listener = Callable[[wire.Msg], None]
"""Takes what comes for orders. Must not raise, nor wait."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to connect. Durations in seconds. `tls_first`: TLS begins before the server has said anything."""

    host: str
    port: int
    name: str
    version: str = ""
    tls: ssl.SSLContext | None = None
    tls_first: bool = False
    credentials: Credentials = Credentials()
    inbox_prefix: str = "_INBOX"
    expected_stream: str = ""
    window: int = MAX_WINDOW
    keepalive_s: int = 60
    timeout_s: float = 30.0  # for the connection, and for each acknowledgement


class Session(Connection[wire.Info]):
    """See the module. Made by `connect`. `inbox`: acknowledgements come to `inbox.<id>`."""

    ping = "PING"

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Flight(0, _IDS), settings.timeout_s, loop)
        self.inbox = f"{settings.inbox_prefix}.{secrets.token_hex(11)}"
        self.max_payload = 0
        self._settings = settings
        self._prefix = f"{self.inbox}.".encode()
        self._decoder = wire.Decoder()
        self._receipts = Receipts(self.inbox, _ACKS, settings.expected_stream)
        self._upgrading = self._leaving = False
        self._ready: asyncio.Future[None] = loop.create_future()
        self._asked: asyncio.Future[None] | None = None
        self._listener: Listener | None = None
        self._refusal: str | None = None

    # -- to a connection that is ready --------------------------------------------------------------------------------

    async def start(self) -> None:
        """From the INFO to the answer that says we are let in. Raises SessionLost."""
        info = await self._greeting
        settings = self._settings
        if not info.headers:
            raise SessionLost("server takes no headers, so that nothing could be recognised when it comes twice")
        self._take_limit(info)
        if settings.tls is not None and not settings.tls_first:
            await self._upgrade(info, settings.tls)
        elif settings.tls is None and info.tls_required:
            raise SessionLost("server demands TLS: use a url that begins with tls://")
        try:
            who = settings.credentials.answer(info.nonce)
            hello = wire.encode_connect(self._options(who))
        except (CredentialsError, ProtocolError) as error:
            raise SessionLost(f"no CONNECT can be made of this config: {error}") from None
        self._write(hello + wire.encode_sub(f"{self.inbox}.*", _ACKS) + wire.PING)
        await self._ready
        if self._refusal is not None:
            raise SessionLost(f"may not subscribe to {self._settings.inbox_prefix}.>, where acknowledgements come")
        self._flight.window = settings.window
        interval = 0.4 * settings.keepalive_s
        if self.lost is None:
            self._keepalive_timer = self._loop.call_later(interval, self._keep_alive, interval)

    def _options(self, who: dict[str, object]) -> dict[str, object]:
        return {
            "verbose": False,
            "pedantic": False,
            "tls_required": self._settings.tls is not None,
            "name": self._settings.name,
            "lang": "python-torhaus",
            "version": self._settings.version or "0",
            "protocol": 1,
            "echo": False,
            "headers": True,
            "no_responders": True,
            **who,
        }

    async def _upgrade(self, info: wire.Info, tls: ssl.SSLContext) -> None:
        """TLS behind the INFO, or no connection at all. Raises SessionLost, OSError."""
        if not (info.tls_required or info.tls_available):
            raise SessionLost("server offers no TLS on this port")
        if self._transport is None or self.lost is not None:
            raise self.lost or SessionLost("connection lost")
        transport = await self._loop.start_tls(self._transport, self, tls, server_hostname=self._settings.host)
        self._upgrading = False
        if transport is None or self.lost is not None:
            raise self.lost or SessionLost("connection lost")
        self._transport = transport

    async def subscribe(self, subject: str, listener: Listener) -> str | None:
        """Have what comes for `subject` taken by `listener`; why not, if the server refuses it. Raises SessionLost."""
        self._listener, self._refusal = listener, None
        self._asked = self._loop.create_future()
        self._write(wire.encode_sub(subject, _ORDERS) + wire.PING)
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.wait({self._asked, self.closed}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self._end(SessionLost(f"no answer to a subscription within {self._timeout_s:g} s"))
        self._asked = None
        if self.lost is not None:
            raise self.lost
        return self._refusal

    def send(self, data: bytes) -> None:
        """A message without receipt: answers, and what asks for orders. Nothing where the connection is lost."""
        self._sent = True
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and self.lost is None:
            self._transport.write(data)

    # -- asyncio.Protocol ---------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Settle, then send what the window has room for: one write for all."""
        self._heard = True
        if self._is_upgrading():
            self._end(SessionLost(_IN_CLEAR))
            return
        fault = None
        if not self._decoder.is_skipping:
            data = self._decoder.take_back(data)
            taken, end = self._receipts.leading(data)
            if taken:
                self._flight.settle_taken(taken)
                data = data[end:]
        try:
            events = self._decoder.feed(data) if data else []
        except wire.BrokenStreamError as error:
            events, fault = error.events, error.detail
        prefix, cut, settle = self._prefix, len(self._prefix), self._flight.settle
        stream = self._settings.expected_stream
        forbidden: dict[bytes, str] = {}
        for event in events:
            if type(event) is wire.Msg and event.sid == _ACKS:
                number = event.subject[cut:]
                if event.subject.startswith(prefix) and number.isdigit() and len(number) <= _MAX_ID_DIGITS:
                    settle(read_ack(int(number), event, stream))
            else:
                self._other(event, forbidden)
        if self._is_upgrading() and (len(events) > 1 or self._decoder.take_back(b"")):
            self._end(SessionLost(_IN_CLEAR))
        if forbidden:
            self._refuse(forbidden)
        if fault is not None:
            self._end(SessionLost(f"server does not speak NATS: {fault}"))
        elif self._leaving and self._flight.oldest() is None:
            self._end(SessionLost("server is shutting down (lame duck mode)"), abort=False)
        elif not (self._flight.due() and self._pump()) and self._flight.oldest() is not None:
            self._acknowledge_now()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _ping(self) -> bytes:
        return wire.PING

    def _is_upgrading(self) -> bool:
        """Whether the INFO has come and TLS has not begun: whoever speaks now is not to be trusted."""
        return self._upgrading

    def _other(self, event: wire.Event, forbidden: dict[bytes, str]) -> None:
        """Everything but acknowledgements."""
        if isinstance(event, wire.Msg):
            if event.sid == _ORDERS and self._listener is not None:
                self._listener(event)
            else:
                self._end(SessionLost("server sent a message that was not subscribed to"))
        elif isinstance(event, wire.Ping):
            self._write(wire.PONG)
        elif isinstance(event, wire.Pong):
            for waits in (self._ready, self._asked):
                if waits is not None and not waits.done():
                    waits.set_result(None)
        elif isinstance(event, wire.Err):
            self._complaint(event.text, forbidden)
        elif not self._greeting.done():
            self._greeting.set_result(event)
            if self._settings.tls is not None and not self._settings.tls_first:
                self._upgrading = True
        else:
            self._informed(event)

    def _informed(self, info: wire.Info) -> None:
        """The server's limits have changed, or it is about to stop: what is in flight is waited for, no more sent."""
        try:
            self._take_limit(info)
        except SessionLost as lost:
            self._end(lost)
        if info.ldm:
            self._leaving = True
            self._flight.window = 0

    def _take_limit(self, info: wire.Info) -> None:
        if info.max_payload < MIN_PAYLOAD_BYTES:
            raise SessionLost(f"server takes only {info.max_payload} bytes (max_payload), too few to be useful")
        self.max_payload = info.max_payload

    def _complaint(self, text: str, forbidden: dict[bytes, str]) -> None:
        """-ERR. Those about permissions leave the connection open; others end it."""
        found = _VIOLATION.match(text)
        if found is not None and found[1].lower() == "publish":
            forbidden[found[2].encode("utf-8", "replace")] = text
        elif found is not None:
            self._refusal = text
        else:
            lower = text.lower()
            hint = next((f"; {hint}" for part, hint in _HINTS if part in lower), "")
            code = TOO_LARGE if "maximum payload" in lower else None
            self._end(SessionLost(f"server says: {wire.printable(text)}{hint}", code))

    def _refuse(self, forbidden: dict[bytes, str]) -> None:
        """What is in flight to these subjects gets no other answer."""
        for packet_id, batch, index in self._flight.entries():
            subject = batch.render(index, packet_id).split(b" ", 2)[1]
            if subject in forbidden:
                self._flight.settle(Ack(packet_id, FORBIDDEN, forbidden[subject]))

    def _end(self, lost: SessionLost, *, abort: bool = True) -> None:
        super()._end(lost, abort=abort)
        if not self._ready.done():
            self._ready.set_exception(self.lost or lost)
            self._ready.exception()  # taken: nobody may be waiting any more


async def connect(settings: Settings) -> Session:
    """A session that may publish. Raises SessionLost."""
    loop = asyncio.get_running_loop()
    session = Session(settings, loop)

    async def steps() -> None:
        tls = settings.tls if settings.tls_first else None
        await loop.create_connection(lambda: session, settings.host, settings.port, ssl=tls)
        await session.start()

    await establish(session, steps(), settings.timeout_s, f"{settings.host}:{settings.port}")
    return session
