"""Orders for downlinks: what they may say, and every refusal in words."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.queue_scene import EUI, OTHER, QueueScene
from tests.fuzz.mutate import mutants
from torhaus.codecs.lorawan.region import region
from torhaus.daemon.lora.orders import MAX_ORDER_BYTES, Order, OrderRefused, Orders, parse_order
from torhaus.daemon.lora.queued_items import MAX_DEVICE
from torhaus.daemon.scripts.protocol import Encoded

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "order.schema.json"
NAMES = {EUI: "ventil", OTHER: "klappe"}
SEEDS = [
    b'{"device": "ventil", "fport": 10, "hex": "0102ff", "ref": "auftrag-7", "confirmed": true}',
    b'{"device": "a81758fffe0312ab", "json": {"level": [1, 2.5, null, "x"]}, "expires_s": 3600, "priority": 9}',
    b'{"device": "ventil", "fport": 223, "base64": "AQL/"}',
]


class Desk:
    """Orders with their queue."""

    def __init__(self, name: str = "EU868") -> None:
        self.scene = QueueScene()
        self.orders = Orders(self.scene.queue, region(name), NAMES, {OTHER: ("no_keys", "it has no keys")})

    async def place(self, needs_ref: bool = False, **facts: Any) -> Any:
        order = self.orders.parse(msgspec.json.encode({"device": "ventil", "fport": 10} | facts))
        return await self.orders.place(order, "local", needs_ref=needs_ref)

    async def refused(self, **facts: Any) -> tuple[str, str]:
        with pytest.raises(OrderRefused) as caught:
            await self.place(**facts)
        assert self.scene.queue.count() == 0 or caught.value.reason == "full"
        return caught.value.reason, str(caught.value)


def play(body: Callable[[Desk], Awaitable[None]], name: str = "EU868") -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await body(Desk(name))

    asyncio.run(main())


def test_the_committed_schema_is_that_of_the_struct() -> None:
    """Written anew with TORHAUS_WRITE_SCHEMA=1 in the environment."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "torhaus order for a downlink"}
    made = msgspec.json.format(msgspec.json.encode(schema | msgspec.json.schema(Order)), indent=2) + b"\n"
    if os.environ.get("TORHAUS_WRITE_SCHEMA"):
        SCHEMA.write_bytes(made)
    assert SCHEMA.read_bytes() == made


def test_by_name_or_deveui_in_hex_or_base64() -> None:
    async def body(desk: Desk) -> None:
        one = await desk.place(hex="0102FF", priority=3, confirmed=True, ref="a", expires_s=60)
        two = await desk.place(device="A8-17-58-FF-FE-03-12-AB", base64="AQL/")
        for placed in (one, two):
            assert (placed.item.payload, placed.item.fport, placed.is_new) == (b"\1\2\xff", 10, True)
        assert (one.ahead, two.ahead) == (0, 1)
        assert (one.item.priority, one.item.confirmed, one.item.ref, one.item.expires_s) == (3, True, "a", 60)
        empty = await desk.place(hex="")
        assert empty.item.payload == b""

    play(body)


def test_the_same_ref_is_queued_once() -> None:
    async def body(desk: Desk) -> None:
        one = await desk.place(hex="01", ref="a")
        two = await desk.place(hex="01", ref="a", needs_ref=True)
        assert (two.is_new, two.item.id) == (False, one.item.id)
        await desk.scene.queue.cancel(one.item.id)
        assert not (await desk.place(hex="02", ref="a")).is_new, "also when it is done with"
        assert (await desk.place(hex="02", ref="b")).is_new
        assert desk.scene.queue.count() == 1

    play(body)


def test_two_that_come_at_once_while_a_script_encodes() -> None:
    async def body(desk: Desk) -> None:
        async def slow(dev_eui: str, data: Any, fport: int | None) -> Encoded:
            await asyncio.sleep(0)
            return Encoded(b"\1", None)

        desk.orders.encode = slow
        found = await asyncio.gather(*(desk.place(json={"a": 1}, ref="x") for _ in range(3)))
        assert sorted(p.is_new for p in found) == [False, False, True]

    play(body)


def test_what_a_script_makes_of_it() -> None:
    async def body(desk: Desk) -> None:
        asked: list[Any] = []

        async def encode(dev_eui: str, data: Any, fport: int | None) -> Encoded:
            asked.append((dev_eui, data, fport))
            return Encoded(b"\7", 85, ["loud"])

        assert (await desk.refused(json=1))[0] == "encoder"
        desk.orders.encode = encode
        assert (await desk.refused(json=1))[1] == "FPort 10 was asked for, and the script says 85"
        placed = await desk.place(json={"level": 3}, fport=None)
        assert (placed.item.fport, placed.item.payload, placed.warnings) == (85, b"\7", ["loud"])
        assert asked[-1] == (EUI, {"level": 3}, None)
        assert (await desk.place(json=None, fport=85)).is_new, "null is something to say, too"

    play(body)


@pytest.mark.parametrize(
    ("facts", "reason", "words"),
    [
        ({"device": "nobody"}, "unknown_device", "nobody"),
        ({"device": "0" * 16}, "unknown_device", ""),
        ({"device": "klappe"}, "no_keys", "it has no keys"),
        ({"hex": None}, "malformed", "one of three ways"),
        ({"base64": "AQ=="}, "malformed", "one of three ways"),
        ({"hex": "0"}, "payload", "hex"),
        ({"hex": None, "base64": "A"}, "payload", "base64"),
        ({"hex": None, "base64": "AQ==\n"}, "payload", "base64"),
        ({"fport": None}, "fport", "missing"),
        ({"fport": 0}, "fport", "1 to 223"),
        ({"fport": 224}, "fport", "1 to 223"),
        ({"fport": -1}, "fport", "1 to 223"),
        ({"hex": "00" * 243}, "too_long", "243 bytes, and no data rate has room for more than 242"),
        ({"needs_ref": True}, "malformed", "ref"),
        ({"priority": 10}, "malformed", "priority"),
        ({"expires_s": 0}, "malformed", "expires_s"),
        ({"ref": "x" * 129}, "malformed", "ref"),
        ({"confirmed": 1}, "malformed", "confirmed"),
        ({"devise": 1}, "malformed", "devise"),
    ],
)
def test_refusals(facts: dict[str, Any], reason: str, words: str) -> None:
    async def body(desk: Desk) -> None:
        found = await desk.refused(**({"hex": "01"} | facts))
        assert found[0] == reason
        assert words in found[1]
        assert desk.orders.refused == {reason: 1}

    play(body)


def test_a_full_queue_and_a_disk_that_cannot_be_written() -> None:
    async def body(desk: Desk) -> None:
        desk.scene.works = False
        assert (await desk.refused(hex="01"))[0] == "not_stored"
        desk.scene.works = True
        for _ in range(MAX_DEVICE):
            await desk.place(hex="01")
        assert (await desk.refused(hex="01"))[0] == "full"
        assert desk.orders.refused == {"not_stored": 1, "full": 1}

    play(body)


def test_the_longest_payload_of_a_region() -> None:
    async def body(desk: Desk) -> None:
        assert desk.orders.most_bytes == 242
        assert (await desk.refused(hex="00" * 243))[0] == "too_long"

    play(body, "US915")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b"\xff", b'{"device": ""}', b"[" * 5000, b'{"device":"' + b"\xff" * 9]
)
def test_what_is_no_order(data: bytes) -> None:
    with pytest.raises(OrderRefused) as caught:
        parse_order(data)
    assert caught.value.reason == "malformed"
    assert len(str(caught.value)) <= 200


def test_a_very_long_one() -> None:
    with pytest.raises(OrderRefused, match="more than 16384 bytes"):
        parse_order(b'{"device": "' + b"x" * MAX_ORDER_BYTES)


def test_any_bytes_are_an_order_or_a_refusal_and_never_more_than_the_queue_holds() -> None:
    async def body(desk: Desk) -> None:
        rng, placed = random.Random(6), 0
        for data in mutants(SEEDS, 4000, 6):
            whole = data if rng.random() < 0.9 else data[: rng.randrange(len(data) + 1)]
            try:
                order = parse_order(whole)
                assert isinstance(order, Order)
                placed += (await desk.orders.place(order, "mqtt")).is_new
            except OrderRefused:
                continue
        assert 0 < desk.scene.queue.count() == min(placed, MAX_DEVICE)
        for item in desk.scene.queue.open():
            assert 1 <= item.fport <= 223
            assert len(item.payload) <= 242

    play(body)
