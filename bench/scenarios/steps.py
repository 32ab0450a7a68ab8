"""What each step of an uplink costs in CPU time, in one process, without sockets and disk: other work disturbs little.

A trick of the hot path that is lost shows here first, and in which step. Steps are taken as the daemon takes them: for
all uplinks of one turn of the loop, then the next step.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from bench.frames import Traffic, offsets
from bench.scenario import BenchError, Figures
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.keys import keys_1_0
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.model import Frame
from torhaus.codecs.registry import load
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.forward.base import Context, Item
from torhaus.daemon.forward.flight import Batch, Flight
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.forward.mqtt_config import Config, Renderer
from torhaus.daemon.forward.render import render_all
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.mqtt import wire
from torhaus.daemon.outbox.record import Record, Stored, pack, seed, unpack
from torhaus.daemon.outbox.store import Reporter
from torhaus.daemon.pipeline import Pipeline
from torhaus.daemon.watch import Watch
from torhaus.drivers.base import Delivery

TURN: Final = 32
"""Datagrams in one turn of the loop, on a busy site."""
COMMIT: Final = 256
"""Uplinks in one commit."""
DRIVER: Final = "radio"
T = TypeVar("T")
U = TypeVar("U")


class Costs:
    """CPU time by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def of(self, step: str, work: Callable[[], T]) -> T:
        """Do it, and note what it took."""
        began = time.process_time()
        done = work()
        self.seconds[step] = self.seconds.get(step, 0.0) + time.process_time() - began
        return done


class Nowhere(Reporter):
    """An outbox that takes everything and keeps it in memory."""

    def __init__(self) -> None:
        self.report = self
        self.records: list[tuple[Any, Record]] = []
        self.told: list[Callable[[bool], None]] = []

    def has_room(self, _: str = "main") -> bool:
        """Always."""
        return True

    def put(self, _: str, records: list[tuple[Any, Record]], __: int) -> None:
        """Kept."""
        self.records += records

    def commit(self, done: Callable[[bool], None] | None, _: float = 0.0) -> None:
        """Told by the bench."""
        if done is not None:
            self.told.append(done)


def steps(count: int, devices: int) -> Figures:
    """Microseconds of CPU time an uplink, step by step and together."""
    return asyncio.run(_steps(count, devices))


async def _steps(count: int, devices: int) -> Figures:
    data = memoryview(Traffic(count, devices).file().read_bytes())
    edges = offsets(data)
    datagrams = [bytes(data[edges[i] : edges[i + 1] - 2]) for i in range(count)]
    clock, nowhere, costs = SystemClock(), Nowhere(), Costs()
    sensors = [Sensor(i) for i in range(devices)]
    known = [
        Device(s.name, s.dev_eui, "elsys", None, Session(SessionKeys(keys_1_0(s.nwk_s_key, s.app_s_key)), s.dev_addr))
        for s in sensors
    ]
    watch = Watch(clock.wall_ns(), clock)
    watch.driver(DRIVER)
    pipeline = Pipeline(nowhere, Network(known, "EU868"), known, load, watch, clock)  # type: ignore[arg-type]
    sender = _Sender()
    for begin in range(0, count, COMMIT):
        for turn in range(begin, min(begin + COMMIT, count), TURN):
            came = datagrams[turn : min(turn + TURN, begin + COMMIT)]
            at = clock.stamp()
            pushes = costs.of("parse_us", lambda came=came: _parsed(came))  # type: ignore[misc]
            deliveries: list[Delivery] = [
                ([Frame(DRIVER, phy, at, radio) for phy, radio in p.frames], [], p, None) for p in pushes
            ]
            costs.of("accept_us", lambda d=deliveries: pipeline.accept_all(DRIVER, d, _nothing))  # type: ignore[misc]
        records, nowhere.records = nowhere.records, []
        told, nowhere.told = nowhere.told, []
        packed = costs.of("pack_us", lambda r=records, b=begin: pack(r, b, b, seed("bench", "boot")))  # type: ignore[misc]
        costs.of("told_us", lambda told=told: [done(True) for done in told])  # type: ignore[misc]
        stored = [Stored(begin + i, "bench", begin + i, "boot", at, r) for i, (at, r) in enumerate(records)]
        costs.of("send_us", lambda s=stored: sender.send(s))  # type: ignore[misc]
        costs.of("unpack_us", lambda p=packed, b=begin: unpack(p, b, b, "bench", "boot"))  # type: ignore[misc]
    if sum(watch.readings.values()) != count or sender.taken != count:
        raise BenchError(f"{sum(watch.readings.values())} readings and {sender.taken} messages of {count} uplinks")
    figures = {step: seconds / count * 1e6 for step, seconds in costs.seconds.items()}
    return {"cpu_us": sum(v for step, v in figures.items() if step != "unpack_us")} | figures


def _parsed(datagrams: list[bytes]) -> list[gwmp.Push]:
    headers = [gwmp.parse_header(datagram) for datagram in datagrams]
    return [gwmp.parse_push(d, h.gateway) for d, h in zip(datagrams, headers, strict=True)]


def _nothing(*_: object) -> None:
    """Nobody waits for an acknowledgement."""


def _as_reading(_: Stored) -> Kind:
    return "reading"


class _Sender:
    """Messages, topics, packets and the broker's answers."""

    def __init__(self) -> None:
        self.taken = 0
        self._renderer = Renderer(Config(name="broker", url="mqtt://127.0.0.1"), Context("bench", "1"))
        self._decoder = wire.Decoder()
        self._flight = Flight(0)
        self._flight.window = COMMIT

    def send(self, batch: list[Stored]) -> None:
        """One batch, to the last PUBACK."""
        items = [Item(m) for m in render_all(batch, "bench", {}, _as_reading, late=False)]
        topic_of, payload_of = self._renderer.topic_of, self._renderer.payload

        def render(index: int, packet_id: int) -> bytes:
            message = items[index].message
            return wire.encode_publish(
                topic_of(message),
                payload_of(message),
                packet_id,
                content_type="application/json",
                utf8=True,
                user_properties=[("id", message.id), ("late", "0")],
            )

        flight = self._flight
        flight.add(Batch(len(items), render, asyncio.get_running_loop().create_future()))
        first = flight.last_id
        while flight.take(0.0):
            pass
        ids = [(first + i) % 0xFFFF + 1 for i in range(len(items))]
        answers = b"".join([wire.encode_puback(packet_id) for packet_id in ids])
        taken = self._decoder.leading_acks(answers)
        flight.settle_taken(taken)
        self.taken += len(taken)
