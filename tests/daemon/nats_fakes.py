"""Configs, records and a client that looks from the centre's side, for the tests of the NATS forwarder."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.daemon.nats_server import NatsServer
from torhaus.daemon.forward.base import Context
from torhaus.daemon.forward.nats import Config, NatsForwarder, open_forwarder
from torhaus.daemon.nats import wire

CONTEXT = Context("rathaus", "0.1.0")


def config(port: int, **values: Any) -> Config:
    return msgspec.convert({"name": "city", "urls": [f"nats://127.0.0.1:{port}"], **values}, Config)


def build(port: int, context: Context = CONTEXT, **values: Any) -> NatsForwarder:
    return open_forwarder(config(port, **values), context)


@asynccontextmanager
async def opened(port: int, **values: Any) -> AsyncIterator[NatsForwarder]:
    forwarder = build(port, **values)
    await forwarder.open()
    try:
        yield forwarder
    finally:
        await forwarder.close()


@asynccontextmanager
async def serving(**manners: Any) -> AsyncIterator[tuple[NatsServer, NatsForwarder]]:
    """A server with these manners, and a forwarder that is connected to it."""
    async with NatsServer(**manners) as server, opened(server.port) as forwarder:
        yield server, forwarder


def ids(payload: bytes) -> list[int]:
    """The numbers of the records in a message."""
    found = json.loads(payload)
    return [int(one["id"].rpartition("/")[2]) for one in (found if isinstance(found, list) else [found])]


class Centre:
    """Whoever sits at the centre: asks, and takes answers. Nothing of the daemon's session is in it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._reader = reader
        self._decoder = wire.Decoder(1 << 22)
        self._events: list[wire.Event] = []
        self._sids = 0

    async def next(self) -> wire.Event:
        while not self._events:
            data = await self._reader.read(1 << 16)
            assert data, "the server closed the connection"
            self._events += self._decoder.feed(data)
        return self._events.pop(0)

    async def message(self) -> wire.Msg:
        while True:
            event = await self.next()
            if isinstance(event, wire.Msg):
                return event
            assert not isinstance(event, wire.Err), event
            if isinstance(event, wire.Ping):
                self.writer.write(wire.PONG)

    async def subscribe(self, subject: str) -> None:
        self._sids += 1
        self.writer.write(wire.encode_sub(subject, self._sids) + wire.PING)
        while not isinstance(await self.next(), wire.Pong):
            pass

    async def request(self, subject: str, payload: bytes) -> wire.Msg:
        self.writer.write(wire.encode_publish(subject.encode(), b"centre.answer", payload))
        return await self.message()

    async def api(self, call: str, **values: Any) -> dict[str, Any]:
        """Ask JetStream; its answer. Fails where that is an error."""
        answer = await self.request(f"$JS.API.{call}", json.dumps(values).encode() if values else b"")
        found: dict[str, Any] = json.loads(answer.payload)
        assert "error" not in found, found
        return found

    async def add_stream(self, name: str = "TORHAUS", **values: Any) -> None:
        defaults = {"subjects": ["torhaus.>"], "retention": "limits", "storage": "file", "max_consumers": -1}
        limits = {"max_msgs": -1, "max_bytes": -1, "max_age": 0, "num_replicas": 1, "discard": "new"}
        await self.api(f"STREAM.CREATE.{name}", name=name, **(defaults | limits | values))

    async def stored(self, name: str = "TORHAUS") -> list[dict[str, Any]]:
        """Every message of a stream: subject, and what it says."""
        state = (await self.api(f"STREAM.INFO.{name}"))["state"]
        seqs = range(state["first_seq"], state["last_seq"] + 1) if state["messages"] else ()
        return [(await self.api(f"STREAM.MSG.GET.{name}", seq=seq))["message"] for seq in seqs]


@asynccontextmanager
async def centre(port: int, connect: bytes = b'{"verbose":false,"headers":true,"protocol":1}') -> AsyncIterator[Centre]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"CONNECT " + connect + b"\r\n")
    made = Centre(reader, writer)
    try:
        await made.subscribe("centre.answer")
        yield made
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
