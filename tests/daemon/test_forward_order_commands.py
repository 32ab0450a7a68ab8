"""Orders from a broker: acknowledged when they are on disk, each ref once, refusals told."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.mqtt_fakes import config, listening
from tests.daemon.queue_scene import EUI, OTHER, QueueScene
from tests.fuzz.mutate import mutants
from tests.peers import mosquitto, run, until
from torhaus.codecs.lorawan.region import region
from torhaus.daemon.forward.base import Context, Forwarder
from torhaus.daemon.forward.mqtt import open_forwarder
from torhaus.daemon.forward.order_commands import AT_ONCE, RETRY_S, OrderCommands
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.orders import Orders

TOPIC = "torhaus/rathaus/command/down"
NAMES = {EUI: "ventil", OTHER: "klappe"}


class Desk:
    """Orders, and the commands that bring them."""

    def __init__(self) -> None:
        self.scene = QueueScene()
        self.orders = Orders(self.scene.queue, region("EU868"), NAMES, {OTHER: ("no_keys", "no keys")})
        self.refusals: list[tuple[str | None, dict[str, str]]] = []
        self.orders.on_refused = lambda eui, told: self.refusals.append((eui, told))
        self.clock = FakeClock()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.commands = OrderCommands(self.orders, "city", self.clock, self.counts)
        self.kept: list[int] = []

    def put(self, n: int, data: bytes) -> None:
        self.commands.put(TOPIC, data, lambda: self.kept.append(n))


def play(body: Callable[[Desk], Awaitable[None]]) -> None:
    async def main() -> None:
        desk = Desk()
        async with asyncio.timeout(20):
            task = asyncio.create_task(desk.commands.run())
            try:
                await body(desk)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.wait([task])

    asyncio.run(main())


def order(ref: str = "a", **more: Any) -> bytes:
    return json.dumps({"device": "ventil", "fport": 10, "hex": "01", "ref": ref} | more).encode()


def test_queued_repeated_refused() -> None:
    async def body(desk: Desk) -> None:
        for n, data in enumerate(
            [order(), order(), order("b", device="klappe"), order(""), b"{", order("c", device="x")]
        ):
            desk.put(n, data)
        await until(lambda: len(desk.kept) == 6)
        assert desk.kept == [*range(6)], "in the order of coming"
        assert desk.counts == {("down", "queued"): 1, ("down", "repeated"): 1, ("down", "refused"): 4}
        (item,) = desk.scene.queue.open()
        assert (item.ref, item.source) == ("a", "city")
        assert [(eui, told.get("ref"), told["reason"]) for eui, told in desk.refusals] == [
            (OTHER, "b", "no_keys"),
            (EUI, None, "malformed"),
            (None, None, "malformed"),
            (None, "c", "unknown_device"),
        ]
        assert desk.refusals[3][1]["asked_for"] == "x"

    play(body)


def test_not_acknowledged_before_it_is_on_disk() -> None:
    async def body(desk: Desk) -> None:
        desk.scene.works = False
        desk.put(0, order())
        await until(lambda: desk.clock.sleeping)
        assert desk.kept == []
        desk.scene.works = True
        desk.clock.advance(RETRY_S)
        await until(lambda: desk.kept)
        assert len(desk.scene.stored()) == 1

    play(body)


def test_more_than_was_agreed_is_dropped_and_forgotten_with_the_connection() -> None:
    desk = Desk()
    for n in range(AT_ONCE + 2):
        desk.put(n, order(str(n)))
    assert desk.counts == {("down", "dropped"): 2}
    desk.commands.forget()
    assert desk.commands._waiting.empty()


def test_any_bytes_are_dealt_with() -> None:
    async def body(desk: Desk) -> None:
        seeds = [order(), order("b", confirmed=True, priority=3), b'{"device": 1, "ref": {"a": []}}']
        for n, data in enumerate(mutants(seeds, 2000, 8)):
            desk.put(n, data)
            while not (desk.kept and desk.kept[-1] == n):  # noqa: ASYNC110 - the test's time-out is the limit
                await asyncio.sleep(0)
        for _, told in desk.refusals:
            assert all(isinstance(value, str) and len(value) <= 300 for value in told.values())

    play(body)


async def forwarder(port: int, orders: Orders | None, **values: object) -> Forwarder:
    downlinks = Downlinks(lambda _: None)
    downlinks.orders = orders
    context = Context("rathaus", "1", downlinks)
    topic = {"command_topic": "torhaus/{site}/command/down"} | values
    made = open_forwarder(config(port, status_topic="", **topic), context)
    await made.open()
    return made


async def stopped(made: Forwarder, *tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    await made.close()


def test_what_waited_at_the_broker_comes_and_what_was_not_kept_comes_again(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        desk = Desk()
        async with asyncio.timeout(20), listening(port) as centre:
            made = await forwarder(port, desk.orders)
            await made.close()
            await centre.publish(TOPIC, order("while away"), qos=1)
            desk.scene.works = False
            made = await forwarder(port, desk.orders)
            task = asyncio.create_task(made.gone())
            await until(lambda: desk.orders.refused["not_stored"])
            await stopped(made, task)  # cut off before it was acknowledged
            desk.scene.works = True
            made = await forwarder(port, desk.orders)
            task = asyncio.create_task(made.gone())
            await until(lambda: desk.scene.queue.count() == 1)
            await centre.publish(TOPIC, order("while away"), qos=1)
            await centre.publish(TOPIC, order("b"), qos=1, retain=True)
            await until(lambda: desk.scene.queue.count() == 2)
            await stopped(made, task)
            made = await forwarder(port, desk.orders)  # what is retained does not come again
            task = asyncio.create_task(made.gone())
            await centre.publish(TOPIC, order("c"), qos=1)
            await until(lambda: desk.scene.queue.count() == 3)
            assert [q.ref for q in desk.scene.queue.open()] == ["while away", "b", "c"]
            await until(lambda: made.commands == {("down", "queued"): 1})  # type: ignore[attr-defined]
            await stopped(made, task)

    with mosquitto(tmp_path) as port:
        run(main(port))


def test_a_subscription_that_is_refused_is_said(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic write torhaus/#\n")

    async def main(port: int) -> None:
        async with asyncio.timeout(20):
            made = await forwarder(port, Desk().orders)
            assert made.note is None or "no commands" in made.note  # mosquitto 2.0 accepts, and delivers nothing
            await stopped(made)

    with mosquitto(tmp_path, f"acl_file {acl}") as port:
        run(main(port))


def test_without_orders_nothing_is_subscribed(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with asyncio.timeout(20), aiomqtt.Client("127.0.0.1", port) as centre:
            for orders, topic in ((None, TOPIC), (Desk().orders, "")):
                made = await forwarder(port, orders, command_topic=topic)
                await centre.publish(TOPIC, order(), qos=1)
                task = asyncio.create_task(made.gone())
                await asyncio.sleep(0)
                await stopped(made, task)

    with mosquitto(tmp_path) as port:
        run(main(port))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"command_topic": "a/#"}, "command_topic: # is a wildcard"),
        ({"command_topic": "a", "protocol": "3.1.1"}, '"5"'),
    ],
)
def test_faulty_configurations(values: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config(1, **values)
