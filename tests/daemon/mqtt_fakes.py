"""Records, configs and listeners for the tests of the MQTT forwarders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import msgspec

from torhaus.codecs.model import Value
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.forward.base import Context, Forwarder, Item, Outcome
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.mqtt import Config, open_forwarder

CONTEXT = Context("rathaus", "0.1.0")
VERSIONS = ["5", "3.1.1"]


def item(n: int, *, late: bool = False, device: str | None = "flur") -> Item:
    fields = {"temperature": Value(20 + n / 10, "Cel")}
    at = "2026-11-23T09:53:25.400Z"
    return Item(
        Message(f"rathaus/3f2a91c0/{n}", "reading", "rathaus", at, "synced", late, device=device, fields=fields)
    )


def config(port: int, **values: object) -> Config:
    return msgspec.convert({"name": "city", "url": f"mqtt://127.0.0.1:{port}", **values}, Config)


def settled(outcome: Outcome, count: int) -> None:
    """Each index is in one list, or in none (kept)."""
    named = [*outcome.accepted, *outcome.rejected, *outcome.kept]
    assert len(named) == len(set(named))
    assert set(named) <= set(range(count))


@asynccontextmanager
async def opened(port: int, **values: object) -> AsyncIterator[Forwarder]:
    forwarder = open_forwarder(config(port, **values), CONTEXT)
    await forwarder.open()
    try:
        yield forwarder
    finally:
        await forwarder.close()


@asynccontextmanager
async def listening(port: int, topic: str = "torhaus/#") -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(topic, qos=1)
        yield client


async def take(client: aiomqtt.Client, count: int) -> list[aiomqtt.Message]:
    return [await anext(client.messages) for _ in range(count)]


def quiet(broker: Broker, **values: object) -> Forwarder:
    return open_forwarder(config(broker.port, status_topic="", **values), CONTEXT)
