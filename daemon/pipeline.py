"""The readings path on one page: what a driver delivers becomes records, the records are put, the driver is told."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import msgspec

from torhaus.codecs.model import DecodeError, Fields, Frame, Reject, RejectReason, Served, Stamp
from torhaus.codecs.registry import Decode
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.clock import Clock
from torhaus.daemon.driver_host import DriverHost, DriverWatch, call_each
from torhaus.daemon.lora.gateways import Gateway
from torhaus.daemon.lora.merge import Merging
from torhaus.daemon.lora.network import Device, Network
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.outbox.store import MAIN, RELAY, STRANGERS, Outbox
from torhaus.daemon.turn import Turn, as_heard, refused
from torhaus.drivers.base import Answer, Delivery, Done, GatewayStats

RECORD_BYTES: Final = 500
"""About what a record weighs besides its raw bytes, for the bound on what waits for a commit."""
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
        return DriverHost(self.accept_all, self._watch, self._clock, driver)

    def accept(
        self, driver: str, frames: list[Frame], rejects: list[Reject], done: Done | None, stats: GatewayStats | None
    ) -> None:
        """Turn one delivery into records and put them; `done` follows the commit."""
        self.accept_all(driver, [(frames, rejects, done, stats)], call_each)

    def accept_all(self, driver: str, deliveries: list[Delivery], answer: Answer) -> None:
        """Turn what came in one turn of the loop into records and put them; `answer` follows the commit.

        A defect met on one delivery costs that one its acknowledgement, and no other anything.
        """
        turn = Turn(answer)
        heard: list[Frame] = []
        for delivery in deliveries:
            try:
                turn = self._take(driver, delivery, turn, heard)
            except Exception as e:  # noqa: BLE001 - the others must not be lost: packet forwarders send only once
                self._watch.defect("pipeline", e)
        if heard:
            self._watch.frames(driver, len(heard), heard[-1].at)
            if heard[0].radio is not None:
                self._watch.heard(driver, heard)
        self._put(driver, turn)

    def _take(self, driver: str, delivery: Delivery, turn: Turn, heard: list[Frame]) -> Turn:
        """One delivery, into `turn` or by itself. Returns the turn that the next one may join."""
        frames, rejects, ticket, stats = delivery
        if self.waits is not None:
            done = None if ticket is None else partial(turn.answer, [ticket])
            if self.waits(driver, frames, rejects, done, stats):
                return turn
        outbox, relayed = self._outbox, self.relayed
        if not outbox.has_room() or (relayed is not None and not outbox.has_room(RELAY)):
            outbox.report.refused(len(frames) + len(rejects) + (stats is not None), "backlog")
            if ticket is not None:
                turn.answer([ticket], False)
            return turn
        main, strangers, relay = turn.main, turn.strangers, turn.relay
        before = len(main), len(relay), len(turn.advances), turn.size_bytes
        heard += frames
        for frame in frames:
            turn.size_bytes += RECORD_BYTES + len(frame.data)
            try:
                if frame.radio is not None:
                    record, strange = self._uplink(driver, frame, turn)
                else:
                    record, strange = self._telegram(driver, frame)
            except Exception as e:  # noqa: BLE001 - our own fault on one frame costs neither its bytes nor its neighbours
                detail = self._defect(driver, "", e)
                record, strange = refused(frame, None, None, RejectReason.DEFECT, detail, None), True
            if not strange:
                main.append((frame.at, record))
            if relayed is not None and frame.radio is not None and frame.stranger is None and relayed(record):
                relay.append((frame.at, as_heard(record)))
            if strange or record.reason is not None:  # a forwarder of readings lets go of it: the bytes stay here
                strangers.append((frame.at, record))
        if not (strangers or rejects or stats is not None or turn.copies_of or relay):
            if ticket is not None:
                turn.tickets.append(ticket)
            return turn
        alone = turn.split(*before)
        if ticket is not None:
            alone.tickets.append(ticket)
        try:
            self._others(driver, alone, rejects, stats)
        except Exception as e:  # noqa: BLE001 - what there is of it is put, and not acknowledged
            self._watch.defect("pipeline", e)
            alone.is_whole = False
        self._put(driver, turn)  # in the order in which they came
        self._put(driver, alone)
        return Turn(turn.answer)

    def _others(self, driver: str, turn: Turn, rejects: list[Reject], stats: GatewayStats | None) -> None:
        """What is no frame: what the driver refused, and what a gateway says of itself."""
        for r in rejects:
            turn.size_bytes += RECORD_BYTES + len(r.data)
            self._watch.rejected(driver, "", r.reason)
            event: dict[str, float | int | str] | None = {"source": r.source} if r.source else None
            record = Record("frame", driver, reason=r.reason.value, detail=r.detail, event=event, raw=r.data)
            turn.strangers.append((self._clock.stamp(), record))
        if stats is not None:
            values = stats.values | {"gateway": stats.gateway}
            log = turn.strangers if stats.stranger else turn.main
            log.append((stats.at, Record("event", driver, event=values)))
            if self.relayed is not None and not stats.stranger:
                turn.relay.append((stats.at, Record("event", driver, event=values)))
            self._watch.reported(driver, stats)

    def _put(self, driver: str, turn: Turn) -> None:
        outbox, size = self._outbox, turn.size_bytes
        if turn.main:
            outbox.put(MAIN, turn.main, size)
        if turn.relay:
            outbox.put(RELAY, turn.relay, size)
        if turn.strangers and outbox.has_room(STRANGERS):
            outbox.put(STRANGERS, turn.strangers, size)
        elif turn.strangers:
            outbox.report.refused(len(turn.strangers), "strangers_backlog")
            turn.is_whole = False
        elif not (turn.main or turn.relay or turn.is_awaited()):
            return
        told = partial(self._told, turn) if turn.is_awaited() else None
        outbox.commit(told, self._windows_s.get(driver, 0.0))

    def turned(self, eui: str, gateway: Gateway) -> None:
        """A gateway came or went: an event for central services, if the configuration names it.

        Not for relays: network servers are told in their own ways, and would take it for a gateway's report.
        """
        if gateway.listed and self._outbox.has_room():
            event: dict[str, float | int | str] = {"gateway": eui, "state": "online" if gateway.online else "offline"}
            self._outbox.put(MAIN, [(self._clock.stamp(), Record("event", gateway.driver, event=event))], RECORD_BYTES)
            self._outbox.commit(None)

    def _told(self, turn: Turn, stored: bool) -> None:
        self._network.settle(turn.advances, stored=stored)
        turn.told(stored)

    def _uplink(self, driver: str, frame: Frame, turn: Turn) -> tuple[Record, bool]:
        up = self._network.receive(frame)
        device = up.device
        if up.advance is not None:
            turn.advances.append(up.advance)
        if up.copy_of is not None:
            turn.copies_of.append(up.copy_of)
        if up.reason is not None:
            if up.reason is not RejectReason.DUPLICATE or self.merging is None or not self.merging.copy(frame, up):
                self._watch.rejected(driver, "lorawan", up.reason)
            return refused(frame, device, up.dev_eui, up.reason, up.detail, up.lora), up.stranger
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
            return refused(frame, None, None, RejectReason.UNKNOWN_DEVICE, None, None), True
        return self._decode(frame, device, frame.data, None), False

    def _from_server(self, driver: str, frame: Frame, served: Served) -> tuple[Record, bool]:
        """What a network server elsewhere has checked and decrypted, or says of a device."""
        device, radio, lora = self._by_eui.get(served.dev_eui), served.radio, None
        if radio is not None:  # without the DevAddr: the counters that are kept by it are those of our own sessions
            dr = self._network.data_rate(radio)
            lora = Lora(radio.freq_hz, radio.modulation, radio.datarate, radio.coderate, dr, rx=radio.rx)
            lora.fcnt, lora.fport, lora.confirmed = served.fcnt, served.fport, served.confirmed
        if device is None:
            self._watch.rejected(driver, "", RejectReason.UNKNOWN_DEVICE)
            record = refused(frame, None, served.dev_eui, RejectReason.UNKNOWN_DEVICE, None, lora)
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

    def _decode(self, frame: Frame, device: Device, payload: bytes | None, lora: Lora | None) -> Record:
        codec, raw = device.codec, frame.data
        if device.script is not None and payload is not None:
            record = Record("frame", frame.driver, device.name, device.dev_eui, "script", None, None, None, lora)
            record.raw, record.payload, record.pending = raw, payload, True
            return record
        reason = detail = None
        if payload is not None and codec is not None:  # otherwise MAC commands only, or bytes that stay raw
            try:
                decode = self._decoders[codec] if lora else self._own.get(device.name, self._decoders[codec])
                fields: Fields = decode(payload, lora.fport if lora else None)
                _encode(fields)  # what cannot be stored must be found here: it is refused like anything else
            except DecodeError as e:
                self._watch.rejected(frame.driver, codec, e.reason)
                reason, detail = e.reason.value, e.detail
            except Exception as e:  # noqa: BLE001 - a codec's defect: kept raw like any refusal, and told
                reason, detail = RejectReason.DEFECT.value, self._defect(frame.driver, codec, e)
            else:
                alarm = self._alarms is not None and self._alarms.is_alarm(device.name, fields)
                self._watch.decoded(codec, device.name, frame.at)
                return Record(  # by position, and once: half the cost of one that is filled in
                    "reading",
                    frame.driver,
                    device.name,
                    device.dev_eui,
                    codec,
                    fields,
                    None,
                    None,
                    lora,
                    None,
                    raw,
                    None,
                    False,
                    alarm,
                )
        return Record("frame", frame.driver, device.name, device.dev_eui, codec, None, reason, detail, lora, None, raw)
