"""The readings path on one page: what a driver delivers becomes records, the records are put, the driver is told."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import msgspec

from torhaus.codecs.model import DecodeError, Fields, Frame, Reject, RejectReason, Served, Stamp
from torhaus.codecs.registry import EVENTS, Decode
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.clock import Clock
from torhaus.daemon.driver_host import DriverHost, DriverWatch
from torhaus.daemon.lora.gateways import Gateway
from torhaus.daemon.lora.merge import Merging
from torhaus.daemon.lora.network import Advance, Device, Network
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.store import MAIN, RELAY, STRANGERS, Outbox
from torhaus.drivers.base import Done, GatewayStats

RECORD_BYTES: Final = 500
"""About what a record weighs besides its raw bytes, for the bound on what waits for a commit."""
Derive = Callable[[str, str, Stamp, Fields], Fields]
"""Device, driver, time and fields of a reading to the values that are worked out of them."""
_encode: Final = msgspec.msgpack.Encoder().encode


class Watch(DriverWatch, Protocol):
    """Whom the pipeline tells what happened: metrics and log."""

    def frames(self, driver: str, count: int, at: Stamp) -> None:
        """A driver delivered so many frames."""
        ...

    def heard(self, driver: str, frames: list[Frame]) -> None:
        """They are frames of gateways."""
        ...

    def reported(self, driver: str, stats: GatewayStats) -> None:
        """A gateway reported of itself."""
        ...

    def rejected(self, driver: str, codec: str, reason: RejectReason) -> None:
        """Bytes or a frame were refused."""
        ...

    def decoded(self, codec: str, device: str, at: Stamp) -> None:
        """A frame became a reading."""
        ...

    def defect(self, name: str, error: BaseException) -> None:
        """Something that must not happen happened while a frame was looked at."""
        ...


class Fate:
    """What hangs on the commit of one delivery: counters, copies of frames still under way, the acknowledgement."""

    __slots__ = ("advances", "copies_of", "done", "is_whole")

    def __init__(self, done: Done | None) -> None:
        self.done = done
        self.advances: list[Advance] = []
        self.copies_of: tuple[Advance, ...] = ()
        self.is_whole = True  # everything of it was put

    def is_plain(self) -> bool:
        """Whether nothing hangs on it but the acknowledgement."""
        return self.is_whole and not self.advances and not self.copies_of


class Pipeline:
    """One for all drivers. `host(name)` gives each its own door."""

    def __init__(
        self,
        outbox: Outbox,
        network: Network,
        devices: list[Device],
        codec: Callable[[str], Decode],
        watch: Watch,
        clock: Clock,
        alarms: Alarms | None = None,
        windows_s: Mapping[str, float] | None = None,
    ) -> None:
        self.relayed: Callable[[Record], bool] | None = None  # whether a frame is for a network server, if there is one
        self.waits: Callable[..., bool] | None = None  # takes the deliveries that cannot be judged yet
        self.derive: Derive | None = None  # works further values out of a reading's, if any device wants that
        self.merging: Merging | None = None  # what puts together what several gateways hear, where that is wanted
        self._alarms = alarms or None
        self._windows_s = windows_s or {}  # by driver: how long its frames may wait for a commit
        self._outbox = outbox
        self._network = network
        self._devices = {d.name: d for d in devices}
        self._by_eui = {d.dev_eui: d for d in devices if d.dev_eui is not None}
        self._decoders = {d.codec: codec(d.codec) for d in devices if d.codec is not None}
        self._own: dict[str, Decode] = {}
        self._watch = watch
        self._clock = clock

    def bind(self, decoders: Mapping[str, Decode]) -> None:
        """Have the frames of these devices decoded by what their driver's configuration says of each.

        A device keeps the codec's name in its records; one that has no codec in the list of devices stays raw.
        """
        for name, decode in decoders.items():
            device = self._devices.get(name)
            if device is not None and device.codec is not None:
                self._own[name] = decode

    def host(self, driver: str, running: object = None) -> DriverHost:
        """What the driver of that name is run with. `running`: the driver itself, for what it knows of its devices."""
        self.bind(getattr(running, "decoders", {}))
        return DriverHost(self.accept, self._watch, self._clock, driver)

    def accept(
        self, driver: str, frames: list[Frame], rejects: list[Reject], done: Done | None, stats: GatewayStats | None
    ) -> None:
        """Turn one delivery into records and put them; `done` follows the commit."""
        if self.waits is not None and self.waits(driver, frames, rejects, done, stats):
            return
        outbox, watch, relayed = self._outbox, self._watch, self.relayed
        if not outbox.has_room() or (relayed is not None and not outbox.has_room(RELAY)):
            outbox.report.refused(len(frames) + len(rejects) + (stats is not None), "backlog")
            if done is not None:
                done(False)
            return
        main: list[tuple[Stamp, Record]] = []
        strangers: list[tuple[Stamp, Record]] = []
        relay: list[tuple[Stamp, Record]] = []
        fate = Fate(done)
        size = 0
        for frame in frames:
            size += RECORD_BYTES + len(frame.data)
            try:
                if frame.radio is not None:
                    record, strange = self._uplink(driver, frame, fate)
                else:
                    record, strange = self._telegram(driver, frame)
            except Exception as e:  # noqa: BLE001 - our own fault on one frame costs neither its bytes nor its neighbours
                detail = self._defect(driver, "", e)
                record, strange = self._refused(frame, None, None, RejectReason.DEFECT, detail, None), True
            if not strange:
                main.append((frame.at, record))
            if relayed is not None and frame.radio is not None and frame.stranger is None and relayed(record):
                relay.append((frame.at, _as_heard(record)))
            if strange or record.reason is not None:  # a forwarder of readings lets go of it: the bytes stay here
                strangers.append((frame.at, record))
        if rejects:
            at = self._clock.stamp()
            for r in rejects:
                size += RECORD_BYTES + len(r.data)
                watch.rejected(driver, "", r.reason)
                event: dict[str, float | int | str] | None = {"source": r.source} if r.source else None
                record = Record("frame", driver, reason=r.reason.value, detail=r.detail, event=event, raw=r.data)
                strangers.append((at, record))
        if stats is not None:
            values = stats.values | {"gateway": stats.gateway}
            (strangers if stats.stranger else main).append((stats.at, Record("event", driver, event=values)))
            if relayed is not None and not stats.stranger:
                relay.append((stats.at, Record("event", driver, event=values)))
            watch.reported(driver, stats)
        if frames:
            watch.frames(driver, len(frames), frames[-1].at)
            if frames[0].radio is not None:
                watch.heard(driver, frames)
        if main:
            outbox.put(MAIN, main, size)
        if relay:
            outbox.put(RELAY, relay, size)
        if strangers and outbox.has_room(STRANGERS):
            outbox.put(STRANGERS, strangers, size)
        elif strangers:
            outbox.report.refused(len(strangers), "strangers_backlog")
            fate.is_whole = False
        outbox.commit(done if fate.is_plain() else partial(self._told, fate), self._windows_s.get(driver, 0.0))

    def turned(self, eui: str, gateway: Gateway) -> None:
        """A gateway came or went: an event for central services, if the configuration names it.

        Not for relays: network servers are told in their own ways, and would take it for a gateway's report.
        """
        if gateway.listed and self._outbox.has_room():
            event: dict[str, float | int | str] = {"gateway": eui, "state": "online" if gateway.online else "offline"}
            self._outbox.put(MAIN, [(self._clock.stamp(), Record("event", gateway.driver, event=event))], RECORD_BYTES)
            self._outbox.commit(None)

    def _told(self, fate: "Fate", stored: bool) -> None:
        """The commit is over. Those of earlier deliveries were told before: what this one is a copy of has its fate."""
        self._network.settle(fate.advances, stored=stored)
        if fate.done is not None:
            fate.done(stored and fate.is_whole and all(a.stored for a in fate.copies_of))

    def _uplink(self, driver: str, frame: Frame, fate: "Fate") -> tuple[Record, bool]:
        up = self._network.receive(frame)
        device = up.device
        if up.advance is not None:
            fate.advances.append(up.advance)
        if up.copy_of is not None:
            fate.copies_of += (up.copy_of,)
        if up.reason is not None:
            if up.reason is not RejectReason.DUPLICATE or self.merging is None or not self.merging.copy(frame, up):
                self._watch.rejected(driver, "lorawan", up.reason)
            return self._refused(frame, device, up.dev_eui, up.reason, up.detail, up.lora), up.stranger
        assert device is not None
        if up.stranger:  # a join-request that is right: nothing to decode, and recordings of it can be sent by anybody
            return Record("frame", frame.driver, device.name, device.dev_eui, lora=up.lora, raw=frame.data), True
        return self._decode(frame, device, up.payload, up.lora), False

    def _telegram(self, driver: str, frame: Frame) -> tuple[Record, bool]:
        if frame.served is not None:
            return self._from_server(driver, frame, frame.served)
        device = self._devices.get(frame.device or "")
        if device is None:
            self._watch.rejected(driver, "", RejectReason.UNKNOWN_DEVICE)
            return self._refused(frame, None, None, RejectReason.UNKNOWN_DEVICE, None, None), True
        record = self._decode(frame, device, frame.data, None)
        if record.codec in EVENTS and record.fields is not None:
            event = {name: v.value for name, v in record.fields.items() if v.value is not None}
            record.kind, record.event, record.fields = "event", event, None
        return record, False

    def _from_server(self, driver: str, frame: Frame, served: Served) -> tuple[Record, bool]:
        """What a network server elsewhere has checked and decrypted, or says of a device."""
        device, radio, lora = self._by_eui.get(served.dev_eui), served.radio, None
        if radio is not None:  # without the DevAddr: the counters that are kept by it are those of our own sessions
            dr = self._network.data_rate(radio)
            lora = Lora(radio.freq_hz, radio.modulation, radio.datarate, radio.coderate, dr, rx=radio.rx)
            lora.fcnt, lora.fport, lora.confirmed = served.fcnt, served.fport, served.confirmed
        if device is None:
            self._watch.rejected(driver, "", RejectReason.UNKNOWN_DEVICE)
            record = self._refused(frame, None, served.dev_eui, RejectReason.UNKNOWN_DEVICE, None, lora)
            if served.event is not None:
                record.kind, record.event = "event", served.event
            return record, True
        if served.event is not None:
            return Record("event", driver, device.name, device.dev_eui, event=served.event), False
        return self._decode(frame, device, served.payload, lora), False

    def _defect(self, driver: str, codec: str, error: Exception) -> str:
        """Tell of a defect; what a refused record says about it."""
        self._watch.defect(f"codec {codec}" if codec else "pipeline", error)
        self._watch.rejected(driver, codec, RejectReason.DEFECT)
        return type(error).__name__

    def _refused(
        self,
        frame: Frame,
        device: Device | None,
        dev_eui: str | None,
        reason: RejectReason,
        detail: str | None,
        lora: Lora | None,
    ) -> Record:
        name = device.name if device else None
        return Record("frame", frame.driver, name, dev_eui, None, None, reason.value, detail, lora, None, frame.data)

    def _decode(self, frame: Frame, device: Device, payload: bytes | None, lora: Lora | None) -> Record:
        codec = device.codec
        record = Record("frame", frame.driver, device.name, device.dev_eui, codec, lora=lora, raw=frame.data)
        if payload is None:
            return record  # MAC commands only: nothing to decode, nothing wrong
        if device.fports and lora is not None and lora.fport not in device.fports:
            return record  # configuration, firmware and the like: kept raw, nothing wrong
        if device.script is not None:
            record.codec = "script"
            record.payload = payload
            record.pending = True
            return record
        if codec is None:
            return record
        try:
            decode = self._decoders[codec] if lora else self._own.get(device.name, self._decoders[codec])
            fields: Fields = decode(payload, lora.fport if lora else None)
            if frame.derived is not None:
                fields |= frame.derived
            if self.derive is not None:
                fields |= self.derive(device.name, frame.driver, frame.at, fields)
            _encode(fields)  # what cannot be stored must be found here: it is refused like anything else
        except DecodeError as e:
            self._watch.rejected(frame.driver, codec, e.reason)
            record.reason, record.detail = e.reason.value, e.detail
            return record
        except Exception as e:  # noqa: BLE001 - a codec's defect: kept raw like any refusal, and told
            record.reason, record.detail = RejectReason.DEFECT.value, self._defect(frame.driver, codec, e)
            return record
        record.kind, record.fields = "reading", fields
        if self._alarms is not None:
            record.alarm = self._alarms.is_alarm(device.name, fields)
        self._watch.decoded(codec, device.name, frame.at)
        return record


def _as_heard(record: Record) -> Record:
    """A frame as relays get it: what it means is no business of theirs."""
    r = record
    return Record("frame", r.driver, r.device, r.dev_eui, None, None, r.reason, None, r.lora, None, r.raw)
