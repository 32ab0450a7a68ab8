"""What holds for every forwarder in the registry. A new one joins by existing; FAR_SIDES says what it sends to here."""

import asyncio
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.forward_fakes import reading, site
from tests.daemon.gwmp_server import GATEWAY, GwmpServer
from tests.daemon.nats_server import NatsServer
from torhaus.codecs.model import Reception, Value
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.forward.base import Context, Forwarder, Item, Options, Outcome, Unavailable
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.registry import FORWARDERS, is_relay, load
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.outbox.record import Lora

CONTEXT = Context("rathaus", "0.1.0")

every_forwarder = pytest.mark.parametrize("type_", sorted(FORWARDERS))
every_other = pytest.mark.parametrize("type_", [name for name in sorted(FORWARDERS) if not is_relay(load(name))])
"""Those that take any record."""


class FarSide(msgspec.Struct):
    """Where a forwarder sends in these tests: its keys for `[[forwarder]]`, what has arrived, keys of a wrong place.

    `is_relay`: it takes only frames, and all that arrives is their PHYPayloads.
    """

    keys: dict[str, object]
    arrived: Callable[[], list[Any]]
    nowhere: dict[str, object]
    is_relay: bool = False

    def item(self, n: int) -> Item:
        return heard(n) if self.is_relay else item(n)

    def expected(self, items: list[Item]) -> list[Any]:
        return [i.message.raw if self.is_relay else i.message for i in items]


@asynccontextmanager
async def file(tmp_path: Path) -> AsyncIterator[FarSide]:
    path = tmp_path / "far" / "side.jsonl"
    (tmp_path / "plain").touch()
    yield FarSide(
        {"path": str(path)},
        lambda: [msgspec.json.decode(line, type=Message) for line in path.read_bytes().splitlines()],
        {"path": str(tmp_path / "plain" / "side.jsonl")},
    )


@asynccontextmanager
async def mqtt(tmp_path: Path) -> AsyncIterator[FarSide]:
    del tmp_path
    async with Broker() as closed:
        port = closed.port
    async with Broker() as broker:
        yield FarSide(
            {"url": f"mqtt://127.0.0.1:{broker.port}"},
            lambda: [
                msgspec.json.decode(m.payload, type=Message)
                for m in broker.messages
                if not m.topic.endswith("/status") and m.reason_code == 0
            ],
            {"url": f"mqtt://127.0.0.1:{port}"},
        )


@asynccontextmanager
async def gwmp(tmp_path: Path) -> AsyncIterator[FarSide]:
    del tmp_path
    keys: dict[str, object] = {"gateway": [{"local": GATEWAY}], "ack_timeout_s": 1}
    async with GwmpServer() as closed:
        nowhere = f"127.0.0.1:{closed.port}"
    async with GwmpServer() as server:
        there = {**keys, "server": f"127.0.0.1:{server.port}"}
        yield FarSide(there, lambda: server.phys, {**keys, "server": nowhere}, is_relay=True)


@asynccontextmanager
async def chirpstack(tmp_path: Path) -> AsyncIterator[FarSide]:
    del tmp_path
    async with Broker() as closed:
        port = closed.port
    async with Broker() as broker:
        yield FarSide(
            {"url": f"mqtt://127.0.0.1:{broker.port}"},
            lambda: [
                b64decode(msgspec.json.decode(m.payload)["phyPayload"])
                for m in broker.messages
                if m.topic == f"eu868/gateway/{GATEWAY}/event/up" and m.reason_code == 0
            ],
            {"url": f"mqtt://127.0.0.1:{port}"},
            is_relay=True,
        )


@asynccontextmanager
async def nats(tmp_path: Path) -> AsyncIterator[FarSide]:
    del tmp_path
    async with NatsServer() as closed:
        port = closed.port
    async with NatsServer() as server:
        yield FarSide(
            {"urls": [f"nats://127.0.0.1:{server.port}"]},
            lambda: [msgspec.json.decode(m.payload, type=Message) for m in server.messages if m.is_acked],
            {"urls": [f"nats://127.0.0.1:{port}"]},
        )


FAR_SIDES: dict[str, Callable[[Path], AbstractAsyncContextManager[FarSide]]] = {
    "chirpstack": chirpstack,
    "file": file,
    "gwmp": gwmp,
    "mqtt": mqtt,
    "nats": nats,
}


def test_every_forwarder_has_a_far_side_here() -> None:
    assert set(FAR_SIDES) == set(FORWARDERS)


def build(type_: str, keys: dict[str, object]) -> Forwarder:
    module = load(type_)
    config = msgspec.convert({"name": "city", "type": type_, **keys}, module.Config)
    forwarder: Forwarder = module.open_forwarder(config, CONTEXT)
    return forwarder


def item(n: int, **values: Any) -> Item:
    fields = {"temperature": Value(20 + n / 10, "Cel")}
    defaults: dict[str, Any] = {"device": "flur", "fields": fields, "raw": b"\x00\xff"}
    at = "2026-11-23T09:53:25.400Z"
    return Item(Message(f"rathaus/3f2a91c0/{n}", "reading", "rathaus", at, "synced", False, **(defaults | values)))


def heard(n: int) -> Item:
    """A frame as a relay gets it, received just now."""
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", rx=[Reception(GATEWAY, -97, 7.5, tmst_us=n)])
    raw = b"\x40" + n.to_bytes(4, "little") + b"\0\x01\0\x01xmic!"
    at = rfc3339(time.time_ns())
    return Item(Message(f"rathaus/3f2a91c0/{n}", "frame", "rathaus", at, "synced", False, lora=lora, raw=raw))


def check(outcome: Outcome, count: int) -> None:
    """Each index in one list at most, and in the batch."""
    named = [*outcome.accepted, *outcome.rejected, *outcome.kept]
    assert len(named) == len(set(named))
    assert set(named) <= set(range(count))


def with_far_side(type_: str, tmp_path: Path, body: Callable[[FarSide], Any]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), FAR_SIDES[type_](tmp_path) as far:
            await body(far)

    asyncio.run(main())


@every_forwarder
def test_it_has_config_and_a_door(type_: str, tmp_path: Path) -> None:
    async def body(far: FarSide) -> None:
        module = load(type_)
        assert module.__doc__
        with pytest.raises(msgspec.ValidationError, match="no_such_key"):
            build(type_, {**far.keys, "no_such_key": 1})
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"name": "city", "type": f"not {type_}", **far.keys}, module.Config)
        config = msgspec.convert({"name": "city", "type": type_, **far.keys}, module.Config)
        with pytest.raises(AttributeError):
            config.name = "other"
        forwarder = build(type_, far.nowhere)  # to be built touches nothing
        assert forwarder.max_batch >= 1
        assert forwarder.concurrency >= 1

    with_far_side(type_, tmp_path, body)


@every_forwarder
def test_what_it_accepts_has_arrived(type_: str, tmp_path: Path) -> None:
    async def body(far: FarSide) -> None:
        forwarder = build(type_, far.keys)
        await forwarder.open()
        sent = [far.item(n) for n in range(min(forwarder.max_batch, 300))]
        outcome = await forwarder.send(sent)
        check(outcome, len(sent))
        assert sorted(outcome.accepted) == list(range(len(sent)))
        assert far.arrived() == far.expected(sent)
        await forwarder.close()
        assert len(far.arrived()) == len(sent)

    with_far_side(type_, tmp_path, body)


@every_other
def test_every_kind_of_message_arrives_as_it_is(type_: str, tmp_path: Path) -> None:
    async def body(far: FarSide) -> None:
        forwarder = build(type_, far.keys)
        await forwarder.open()
        batch = [
            item(
                0,
                fields={"text": Value("Ärger + # / \u0000 $SYS \U0001f600"), "flag": Value(True), "gone": Value(None)},
            ),
            item(1, device=None, fields=None, reason="short", detail="3 bytes"),
            item(2, device=None, raw=None, fields=None, event={"rxnb": 1, "ackr": 99.5, "time": "x"}),
            item(3, raw=bytes(60_000)),
        ]
        outcome = await forwarder.send(batch)
        assert sorted(outcome.accepted) == [0, 1, 2, 3]
        assert far.arrived() == [i.message for i in batch]
        await forwarder.close()

    with_far_side(type_, tmp_path, body)


@every_forwarder
def test_it_opens_again_and_closes_again(type_: str, tmp_path: Path) -> None:
    async def body(far: FarSide) -> None:
        forwarder = build(type_, far.keys)
        await forwarder.close()
        for n in range(3):
            await forwarder.open()
            await forwarder.open()
            assert (await forwarder.send([far.item(n)])).accepted == [0]
            await forwarder.close()
            await forwarder.close()
            with pytest.raises(Unavailable):
                await forwarder.send([far.item(n)])
        assert far.arrived() == far.expected([far.item(n) for n in range(3)])

    with_far_side(type_, tmp_path, body)


@every_forwarder
def test_a_far_side_that_is_not_there_is_unavailable(type_: str, tmp_path: Path) -> None:
    async def body(far: FarSide) -> None:
        forwarder = build(type_, far.nowhere)
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                await forwarder.open()
            assert str(caught.value)
            assert "\n" not in str(caught.value)
            with pytest.raises(Unavailable):
                await forwarder.send([far.item(0)])
            await forwarder.close()

    with_far_side(type_, tmp_path, body)


@every_other
@pytest.mark.parametrize("live", [False, True])
def test_under_the_runner_everything_arrives_once_but_the_poison(type_: str, tmp_path: Path, live: bool) -> None:
    """A record that cannot be written costs itself alone."""

    async def body(far: FarSide) -> None:
        async with site(tmp_path / "store") as s:
            forwarder = build(type_, far.keys)
            for_all = forwarder.send

            async def send(batch: list[Item]) -> Outcome:
                for one in batch:
                    if one.message.id.endswith("/13"):
                        one.message.event = {"text": "\udcff"}  # no UTF-8 for it
                return await for_all(batch)

            forwarder.send = send  # type: ignore[method-assign]
            records = [reading(n) for n in range(60)]
            if not live:
                await s.put(records)
            runner: Runner = await s.start(forwarder)  # type: ignore[arg-type]
            assert isinstance(runner.options, Options)
            if live:
                await s.until(lambda: runner.tally.up, step_s=0)
                await s.put(records)
            await s.until(lambda: runner.cursor.backlog(0) == 0, step_s=0.001)
            arrived = far.arrived()
            assert sorted(int(m.id.rpartition("/")[2]) for m in arrived) == [n for n in range(60) if n != 13]
            assert {m.late for m in arrived} == {not live}
            assert (runner.tally.accepted, runner.tally.rejected) == (59, 1)

    with_far_side(type_, tmp_path, body)
