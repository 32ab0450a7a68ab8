"""Forwarder `nats`: records to NATS JetStream, pipelined, each settled by the acknowledgement of its own message.

The protocol: daemon/nats/. A record's id is its `Nats-Msg-Id`: a stream drops what comes twice within its duplicate
window and acknowledges it all the same. Without a stream for a subject nothing counts as delivered.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import blake2b

import msgspec

from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable
from torhaus.daemon.forward.connection import SessionLost, until_lost
from torhaus.daemon.forward.flight import ProtocolError, Render
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.nats_config import Config
from torhaus.daemon.forward.order_commands import OrderCommands, Told
from torhaus.daemon.forward.parcels import Parcel
from torhaus.daemon.forward.payloads import CONTENT_TYPES, Payloads
from torhaus.daemon.forward.verdicts import Verdicts
from torhaus.daemon.nats import wire
from torhaus.daemon.nats.acks import Reasons
from torhaus.daemon.nats.pull import Pull
from torhaus.daemon.nats.session import Session, Settings, connect
from torhaus.daemon.nats.subject import MAX_SUBJECT_BYTES, Subjects, fill
from torhaus.daemon.supervise import together

__all__ = ["Config", "NatsForwarder", "open_forwarder"]


def open_forwarder(config: Config, context: Context) -> "NatsForwarder":
    """The forwarder for this config. Nothing is connected yet."""
    return NatsForwarder(config, context)


class NatsForwarder:
    """One NATS server or cluster. `commands`: orders for downlinks, by what became of them."""

    def __init__(self, config: Config, context: Context) -> None:
        self.max_batch = config.max_batch
        self.concurrency = config.concurrency
        self.note: str | None = None  # why no orders can come, if so
        self.commands: Counter[tuple[str, str]] = Counter()
        self._config = config
        self._context = context
        self._endpoints = config.endpoints()
        self._payloads = Payloads(config.format)
        self._subject_of = Subjects(config.subject).of
        self._verdicts = Verdicts(Reasons(), self._payloads, config.backlog_pack)
        fixed = {"Nats-Expected-Stream": config.expected_stream} if config.expected_stream else {}
        if config.headers:
            fixed["Content-Type"] = CONTENT_TYPES[config.format]
        lines = {late: {"Torhaus-Late": late, **fixed} if config.headers else fixed for late in ("0", "1")}
        self._live, self._late = (_lines(lines[late]) for late in ("0", "1"))
        self._backlog_subject = fill(config.backlog_subject, site=context.site, name=config.name).encode()
        self._session: Session | None = None
        wanted = config.command_subject or config.command_stream
        orders = context.downlinks.orders if context.downlinks is not None and wanted else None
        self._orders = OrderCommands(orders, config.name, context.clock, self.commands) if orders is not None else None
        self._pull: Pull | None = None

    async def open(self) -> None:
        """Connect to the first server that lets us in, beginning with the one that did last. Raises Unavailable."""
        await self.close()
        why: list[str] = []
        for _ in range(len(self._endpoints)):
            try:
                session = await self._connect()
            except (SessionLost, Unavailable) as error:
                self._endpoints.append(self._endpoints.pop(0))
                if str(error) not in why:
                    why.append(str(error))
                continue
            try:
                await self._take_orders(session)
            except SessionLost as lost:
                session.abandon()
                raise Unavailable(str(lost)) from None
            self._session = session
            return
        raise Unavailable("; ".join(why))

    async def _connect(self) -> Session:
        config, endpoint = self._config, self._endpoints[0]
        secrets, credentials = await config.secrets(endpoint)
        settings = Settings(
            host=endpoint.host,
            port=endpoint.port,
            name=f"torhaus-{self._context.site}-{config.name}",
            version=self._context.version,
            tls=secrets.tls,
            tls_first=config.tls_first,
            credentials=credentials,
            inbox_prefix=config.inbox_prefix,
            expected_stream=config.expected_stream,
            window=config.window,
            keepalive_s=config.keepalive_s,
            timeout_s=config.timeout_s,
        )
        return await connect(settings)

    async def _take_orders(self, session: Session) -> None:
        """Have orders come, where they are wanted. Raises SessionLost."""
        config, orders, self._pull, self.note = self._config, self._orders, None, None
        if orders is None:
            return
        orders.forget()
        about = {"site": self._context.site, "name": config.name}
        if config.command_stream:
            consumer = fill(config.command_consumer, **about)
            self._pull = Pull(session, config.command_stream, consumer, orders.take, self._context.clock, self._say)
            refused = await session.subscribe(self._pull.inbox, self._pull.came)
        else:
            refused = await session.subscribe(fill(config.command_subject, **about), partial(self._ordered, session))
        if refused is not None:
            self.note = f"no commands: {wire.printable(refused, 100)}"

    def _say(self, note: str | None) -> None:
        self.note = note

    def _ordered(self, session: Session, msg: wire.Msg) -> None:
        """An order by request: the answer says what became of it, once it is on disk."""
        orders = self._orders
        if orders is None or msg.status:
            return

        def tell(told: Told) -> None:
            if msg.reply:
                session.send(wire.encode_publish(msg.reply, b"", msgspec.json.encode(told)))

        if not orders.take(msg.payload, tell):
            tell(Told("refused", reason="busy", detail="too many orders at once: send it again"))

    async def send(self, batch: list[Item]) -> Outcome:
        """Publish, wait for all acknowledgements. Raises Unavailable when the connection was lost before the first."""
        session = self._session
        if session is None or session.lost is not None:
            raise Unavailable(str(session.lost) if session is not None and session.lost else "not connected")
        verdicts = self._verdicts
        alone = verdicts.alone(batch)
        urgency = 0 if batch and batch[0].message.alarm else 2 if batch and batch[0].message.late else 1
        parcels = verdicts.parcels(batch, alone=alone)
        render = self._render(session, batch) if parcels is None else self._render_parcels(session, batch, parcels)
        count = len(batch) if parcels is None else len(parcels)
        receipts = await session.publish(count, render, alone=alone, urgency=urgency)
        return verdicts.outcome(batch, parcels, receipts, alone=alone)

    async def gone(self) -> None:
        """Take orders until the connection is lost. Raises Unavailable."""
        session = self._session
        work: dict[str, Callable[[], Awaitable[None]]] = {"connection": lambda: until_lost(session)}
        if self._orders is not None:
            work["orders"] = self._orders.run
        if self._pull is not None:
            work["pull"] = self._pull.run
        raise await together(work, Unavailable)

    async def close(self) -> None:
        """Disconnect in order. Never raises."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _render(self, session: Session, batch: list[Item]) -> Render:
        """The hot path: one record as one message."""
        subject_of, payload_of, encode = self._subject_of, self._payloads.payload, wire.encode_publish_with
        live, late, inbox, most = self._live, self._late, session.inbox, session.max_payload

        def render(index: int, packet_id: int) -> bytes:
            message = batch[index].message
            subject = subject_of(message).encode()
            if len(subject) > MAX_SUBJECT_BYTES:
                raise ProtocolError(f"subject longer than {MAX_SUBJECT_BYTES:,} bytes")
            head = b"NATS/1.0\r\nNats-Msg-Id: %b\r\n%b\r\n" % (_msg_id(message), late if message.late else live)
            payload = payload_of(message)
            if len(head) + len(payload) > most:
                raise _too_large(len(head) + len(payload), most)
            return encode(subject, f"{inbox}.{packet_id}".encode(), head, payload)

        return render

    def _render_parcels(self, session: Session, batch: list[Item], parcels: list[Parcel]) -> Render:
        """Late records, several in a message. The same ones again are the same message."""
        single = self._render(session, [batch[p.indices[0]] for p in parcels])
        subject, late, inbox, most = self._backlog_subject, self._late, session.inbox, session.max_payload

        def render(index: int, packet_id: int) -> bytes:
            payload = parcels[index].payload
            if payload is None:
                return single(index, packet_id)
            digest = blake2b(payload, digest_size=16).hexdigest().encode()
            head = b"NATS/1.0\r\nNats-Msg-Id: %b\r\n%b\r\n" % (digest, late)
            if len(head) + len(payload) > most:
                raise _too_large(len(head) + len(payload), most)
            return wire.encode_publish_with(subject, f"{inbox}.{packet_id}".encode(), head, payload)

        return render


def _msg_id(message: Message) -> bytes:
    """A record may go to one stream as a reading and as a frame: these are no repeats of each other."""
    return (f"{message.id}#frame" if message.kind == "frame" else message.id).encode()


def _too_large(size: int, most: int) -> ProtocolError:
    return ProtocolError(f"message of {size} bytes with its headers; the server takes at most {most} (max_payload)")


def _lines(values: dict[str, str]) -> bytes:
    """Headers behind the first, each with its line end."""
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in values.items())
