"""Load from simulated gateways on a real daemon, and the oracle: what must be true of all that arrived."""

import asyncio
import os
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

from tests.e2e.site import Site, Subscriber, wait_for
from torhaus.codecs.registry import load
from torhaus.daemon.demo.gateway import SimulatedGateway
from torhaus.daemon.demo.sensors import KINDS, Sensor

Key = tuple[str, int]
"""Device and uplink counter: what the senders know a record by."""


BROKER = "max_queued_messages 0"
"""Else mosquitto drops what a subscriber does not take at once, after its PUBACK."""


def rounds(default: int) -> int:
    """So many rounds, or as many as TORHAUS_CRASH_ROUNDS says."""
    return int(os.environ.get("TORHAUS_CRASH_ROUNDS", default))


def sensors(count: int, start: int = 0) -> list[Sensor]:
    """Devices of two kinds."""
    return [Sensor(start + i, "elsys" if i % 3 else "cayenne_lpp") for i in range(count)]


class Load:
    """Gateways that send without a pause, several frames a datagram; `acked` is what the daemon has answered for."""

    def __init__(
        self, site: Site, known: Sequence[Sensor], *, gateways: int = 4, frames: int = 4, seed: int = 0
    ) -> None:
        self.sent: set[Key] = set()
        self.acked: set[Key] = set()
        self._site = site
        self._known = known
        self._frames = frames
        self._rng = random.Random(seed)
        self._gateways = [SimulatedGateway(f"aa555a00000001{n:02x}", 1 + n % 2) for n in range(gateways)]

    async def __aenter__(self) -> Self:
        """Bind the gateways' sockets."""
        for gateway in self._gateways:
            await gateway.open("127.0.0.1", self._site.udp)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        for gateway in self._gateways:
            gateway.close()
        await asyncio.sleep(0)

    async def run(self, stop: asyncio.Event, timeout_s: float = 0.3) -> None:
        """Send until told to stop."""
        await asyncio.gather(*(self._send(n, stop, timeout_s) for n in range(len(self._gateways))))

    async def _send(self, n: int, stop: asyncio.Event, timeout_s: float) -> None:
        mine = [s for i, s in enumerate(self._known) if i % len(self._gateways) == n]
        while not stop.is_set():
            await self.push(n, self._rng.sample(mine, min(len(mine), self._rng.randint(1, self._frames))), timeout_s)

    async def push(self, n: int, some: Sequence[Sensor], timeout_s: float) -> bool:
        """One uplink of each of these in one datagram; whether it was acknowledged."""
        keys = {(s.name, s.fcnt) for s in some}
        self.sent |= keys
        if not await self._gateways[n].push_acked([s.uplink() for s in some], timeout_s):
            return False
        self.acked |= keys
        return True


def keys_of(bodies: Sequence[dict[str, Any]]) -> set[Key]:
    """What arrived, as the senders know it."""
    return {(b["device"], b["lora"]["fcnt"]) for b in bodies}


def wait_for_all(load_: Load, site: Site, sub: Subscriber, what: str = "every acknowledged uplink arrived") -> None:
    """Return when all that was acknowledged is there; where it does not come, say how far it has come."""
    try:
        wait_for(lambda: load_.acked <= keys_of(sub.bodies), what)
    except AssertionError as e:
        missing = sorted(load_.acked - keys_of(sub.bodies))
        raise AssertionError(f"{e}: {len(missing)} missing: {missing[:5]}; {site.status()['forwarders']}") from e


def assert_honest(
    bodies: Sequence[dict[str, Any]], load_: Load, known: Sequence[Sensor], *, in_order: bool = True
) -> None:
    """Every acknowledged uplink has arrived, unchanged; nothing else has; one id is one uplink for life; in order.

    Not `in_order` where the broker came before the subscriber: what nobody subscribes to is kept, and comes later.
    """
    by_name = {s.name: s for s in known}
    by_id: dict[str, Key] = {}
    lanes: dict[tuple[str, bool], list[int]] = {}
    for body in bodies:
        key = body["device"], body["lora"]["fcnt"]
        assert key in load_.sent, f"{body['id']}: nobody has sent {key}"
        assert_unchanged(body, by_name[body["device"]])
        if body["id"] not in by_id:
            lanes.setdefault((body["device"], body["late"]), []).append(body["lora"]["fcnt"])
        assert by_id.setdefault(body["id"], key) == key, f"{body['id']} is {by_id[body['id']]} and {key}"
    lost = load_.acked - set(by_id.values())
    assert not lost, f"{len(lost)} lost, of {len(load_.acked)}: {sorted(lost)[:5]}"
    assert len(set(by_id.values())) == len(by_id), "an uplink has two ids"
    for lane, counters in lanes.items() if in_order else ():
        assert all(a < b for a, b in pairwise(counters)), f"out of order: {lane}"


def assert_unchanged(body: dict[str, Any], sensor: Sensor) -> None:
    """The values are what the codec makes of what the sensor measured."""
    payload = sensor.payload(body["lora"]["fcnt"])
    expected = load(sensor.codec)(payload, KINDS[sensor.codec][1])
    got = {name: (f["value"], f.get("unit")) for name, f in body["fields"].items()}
    assert got == {name: (v.value, v.unit) for name, v in expected.items()}, body["id"]
