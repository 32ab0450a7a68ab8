"""Orders that wait in a stream, and orders by request: on disk before they are acknowledged."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.daemon.clocks import FakeClock
from tests.daemon.mqtt_fakes import item
from tests.daemon.nats_fakes import Centre, build, centre
from tests.daemon.nats_server import NatsServer
from tests.daemon.test_forward_order_commands import Desk, order
from tests.peers import advance, nats_server, run, until
from torhaus.daemon.forward.base import Context
from torhaus.daemon.forward.nats import NatsForwarder
from torhaus.daemon.forward.order_commands import AT_ONCE
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.nats.pull import PATIENCE_S, RETRY_S

BY_REQUEST = {"command_subject": "torhaus.{site}.command.down"}
WAITING = {"command_stream": "ORDERS"}


@asynccontextmanager
async def listening(port: int, desk: Desk, **values: Any) -> AsyncIterator[NatsForwarder]:
    downlinks = Downlinks(lambda _: None)
    downlinks.orders = desk.orders
    made = build(port, Context("rathaus", "1", downlinks, desk.clock), **values)
    await made.open()
    task = asyncio.create_task(made.gone())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
        await made.close()


async def add_orders(c: Centre) -> None:
    await c.add_stream("ORDERS", subjects=["orders.>"], retention="workqueue")
    durable = {"durable_name": "torhaus-rathaus", "ack_policy": "explicit", "ack_wait": 30 * 10**9}
    await c.api(
        "CONSUMER.DURABLE.CREATE.ORDERS.torhaus-rathaus", stream_name="ORDERS", config=durable | {"max_deliver": -1}
    )


async def left(c: Centre) -> int:
    count: int = (await c.api("STREAM.INFO.ORDERS"))["state"]["messages"]
    return count


async def until_left(c: Centre, count: int) -> None:
    while await left(c) != count:
        pass


def test_by_request_the_answer_says_what_became_of_it(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        desk = Desk()
        async with asyncio.timeout(20), centre(port) as c, listening(port, desk, **BY_REQUEST) as made:
            await c.add_stream(subjects=["torhaus.*.*.reading"])

            async def ask(data: bytes) -> dict[str, str]:
                answer: dict[str, str] = json.loads((await c.request("torhaus.rathaus.command.down", data)).payload)
                return answer

            first = await ask(order("a"))
            (queued,) = desk.scene.queue.open()
            assert first == {"result": "queued", "id": queued.id}
            assert await ask(order("a")) == {"result": "repeated", "id": queued.id}
            refused = await ask(order("b", device="x"))
            assert (refused["result"], refused["reason"]) == ("refused", "unknown_device")
            assert (await ask(b"{"))["reason"] == "malformed"
            assert (await ask(bytes(70_000)))["reason"] == "malformed", "one too long ends nothing"
            assert (await made.send([item(0)])).accepted == [0], "records go out beside"
            assert made.commands == {("down", "queued"): 1, ("down", "repeated"): 1, ("down", "refused"): 3}

    with nats_server(tmp_path) as port:
        run(main(port))


def test_what_waits_in_a_stream_is_taken_when_it_is_on_disk(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        desk = Desk()
        async with asyncio.timeout(30), centre(port) as c:
            await add_orders(c)
            for n in range(AT_ONCE + 3):
                await c.request("orders.rathaus", order(str(n)))
            desk.scene.works = False
            async with listening(port, desk, **WAITING):
                await until(lambda: desk.orders.refused["not_stored"])
                assert await left(c) == AT_ONCE + 3
            desk.scene.works = True
            async with listening(port, desk, **WAITING) as made:
                # the first ones are under way to the connection that is lost: they come again after ack_wait
                await until(lambda: desk.scene.queue.count() == 3)
                await until_left(c, AT_ONCE)
                await c.request("orders.rathaus", order("x", device="nobody"))
                await until(lambda: made.commands["down", "refused"])
                await until_left(c, AT_ONCE)
                assert made.note is None

    with nats_server(tmp_path) as port:
        run(main(port))


def test_a_consumer_that_is_not_there_is_said_and_asked_for_again(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        desk = Desk()
        assert isinstance(desk.clock, FakeClock)
        async with asyncio.timeout(30), centre(port) as c, listening(port, desk, **WAITING) as made:
            for _ in range(20):
                await asyncio.sleep(0)
            advance(PATIENCE_S + 1)
            await until(lambda: desk.clock.sleeping)
            assert made.note == "no commands: nobody answers; is there such a consumer?"
            await add_orders(c)
            await c.request("orders.rathaus", order())
            desk.clock.advance(RETRY_S)
            await until(lambda: desk.scene.queue.count() == 1)
            assert made.note is None

    with nats_server(tmp_path) as port:
        run(main(port))


def test_a_subscription_that_is_refused_is_said() -> None:
    async def main() -> None:
        async with NatsServer(forbidden="torhaus.rathaus.command") as server:
            async with listening(server.port, Desk(), **BY_REQUEST) as made:
                assert made.note is not None
                assert "no commands: Permissions Violation for Subscription" in made.note
                assert (await made.send([item(0)])).accepted == [0]
            async with NatsServer() as other, listening(other.port, Desk(), command_subject="") as made:
                assert len(other.subscribed) == 1, "nothing is subscribed to that is not asked for"

    run(main())


def test_what_is_no_order_is_not_acknowledged() -> None:
    """Somebody who may write to our inbox cannot have us publish elsewhere, nor block us."""

    async def main() -> None:
        desk = Desk()
        async with NatsServer() as server, listening(server.port, desk, **WAITING) as made:
            await until(lambda: server.messages)
            inbox = server.messages[0].reply
            assert server.messages[0].subject == "$JS.API.CONSUMER.MSG.NEXT.ORDERS.torhaus-rathaus"
            assert json.loads(server.messages[0].payload) == {"batch": AT_ONCE, "no_wait": True}
            for reply in (b"", b"elsewhere "):
                server.say(b"MSG %b 2 %b2\r\n{}\r\n" % (inbox.encode(), reply))
            server.say(b"HMSG %b 2 16 16\r\nNATS/1.0 408\r\n\r\n\r\n" % inbox.encode())
            await until(lambda: len(server.messages) == 2)
            assert server.messages[1].subject == server.messages[0].subject, "asked again"
            assert json.loads(server.messages[1].payload) == {"batch": AT_ONCE, "expires": 30 * 10**9}
            ack = b"$JS.ACK.ORDERS.c.1.1.1.1.0"
            for n in range(AT_ONCE + 1):
                data = order(str(n))
                server.say(b"MSG %b 2 %b %d\r\n%b\r\n" % (inbox.encode(), ack, len(data), data))
            await until(lambda: sum(m.payload == b"+ACK" for m in server.messages) >= AT_ONCE)
            assert {m.subject for m in server.messages[2:]} <= {ack.decode(), server.messages[0].subject}
            assert made.commands["down", "queued"] >= AT_ONCE

    run(main())
