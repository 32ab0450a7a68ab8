"""A pipeline with an outbox in memory around it."""

from collections import Counter

from tests.daemon.clocks import FakeClock
from torhaus.codecs.lorawan.session import Session
from torhaus.codecs.model import Frame, Radio, Reception, Reject, RejectReason, Stamp
from torhaus.codecs.registry import Decode, load
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.outbox.record import Record
from torhaus.daemon.outbox.store import MAIN, RELAY, STRANGERS, Reporter
from torhaus.daemon.pipeline import Pipeline
from torhaus.daemon.watch import DriverState, Watch
from torhaus.drivers.base import Done, GatewayStats

ELSYS, LPP = Sensor(1), Sensor(2, "cayenne_lpp")


class Store(Reporter):
    """An outbox in memory. What is put stays with the commit that follows it until `settle`."""

    def __init__(self) -> None:
        self.report = self
        self.room = True
        self.room_for_strangers = True
        self.room_for_relays = True
        self.records: dict[str, list[tuple[Stamp, Record]]] = {MAIN: [], STRANGERS: [], RELAY: []}
        self.size = 0
        self.refused_records: Counter[str] = Counter()
        self.waiting: list[Done] = []
        self.windows_s: list[float] = []

    def has_room(self, log: str = MAIN) -> bool:
        return {MAIN: self.room, STRANGERS: self.room_for_strangers, RELAY: self.room_for_relays}[log]

    def put(self, log: str, records: list[tuple[Stamp, Record]], size: int) -> None:
        assert records
        self.records[log] += records
        self.size += size

    def commit(self, done: Done | None, window_s: float = 0.0) -> None:
        self.windows_s.append(window_s)
        if done is not None:
            self.waiting.append(done)

    def refused(self, records: int, reason: str) -> None:
        self.refused_records[reason] += records

    def settle(self, *, stored: bool) -> None:
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done(stored)

    @property
    def main(self) -> list[Record]:
        return [r for _, r in self.records[MAIN]]

    @property
    def relay(self) -> list[Record]:
        return [r for _, r in self.records[RELAY]]

    @property
    def strangers(self) -> list[Record]:
        return [r for _, r in self.records[STRANGERS]]


def device_of(sensor: Sensor, codec: str | None = None, script: str | None = None) -> Device:
    keys = sensor._keys
    chosen = None if script else codec or sensor.codec
    return Device(sensor.name, sensor.dev_eui, chosen, script, Session(keys, sensor.dev_addr))


class Stage:
    """A pipeline with everything around it."""

    def __init__(
        self, devices: list[Device] | None = None, codec: Decode | None = None, alarms: Alarms | None = None
    ) -> None:
        self.store = Store()
        self.clock = FakeClock()
        self.watch = Watch(self.clock.wall_ns())
        self.watch.drivers["roof"] = DriverState()
        devices = [device_of(ELSYS), device_of(LPP)] if devices is None else devices
        self.network = Network(devices, "EU868")
        self.pipeline = Pipeline(
            self.store,  # type: ignore[arg-type]
            self.network,
            devices,
            lambda name: codec if codec is not None and name == "bad" else load(name),
            self.watch,
            self.clock,
            alarms,
            windows_s={"patient": 5.0},
        )
        self.host = self.pipeline.host("roof")
        self.told: list[bool] = []

    def deliver(self, *frames: Frame, rejects: list[Reject] | None = None, stats: GatewayStats | None = None) -> None:
        self.host.deliver(list(frames), rejects or [], self.told.append, stats)

    def frame(self, phy: bytes, stranger: RejectReason | None = None) -> Frame:
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception("aa555a0000000101")])
        return Frame("roof", phy, self.clock.stamp(), radio, None, stranger)

    def telegram(self, data: bytes, device: str | None) -> Frame:
        return Frame("roof", data, self.clock.stamp(), None, device)


def uplink(sensor: Sensor, fcnt: int) -> bytes:
    sensor.fcnt = fcnt
    return sensor.uplink()
