"""What a frame of a known device says: its record, decoded where there is a codec."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from torhaus.codecs.model import DecodeError, Fields, Frame, Radio, RejectReason, Served, Stamp
from torhaus.codecs.registry import EVENTS, Decode
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.fixes import CODEC, Fixes
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import Lora, Record
from torhaus.daemon.turn import refused

Derive = Callable[[str, str, Stamp, Fields], Fields]
"""Device, driver, time and fields of a reading to the values that are worked out of them."""
_encode: Final = msgspec.msgpack.Encoder().encode


class ReadingWatch(Protocol):
    """Whom this tells what became of frames."""

    def rejected(self, driver: str, codec: str, reason: RejectReason) -> None:
        """Bytes or a frame were refused."""
        ...

    def undecodable(self, device: str, why: str) -> None:
        """A device's payload was refused by its codec."""
        ...

    def decoded(self, codec: str, device: str, at: Stamp) -> None:
        """A frame became a reading."""
        ...

    def defect(self, name: str, error: BaseException) -> None:
        """Something that must not happen happened while a frame was looked at."""
        ...


class Readings:
    """The devices and their codecs. `data_rate` knows the index of a data rate in the site's region."""

    def __init__(
        self,
        devices: list[Device],
        codec: Callable[[str], Decode],
        watch: ReadingWatch,
        alarms: Alarms | None,
        data_rate: Callable[[Radio], int | None],
    ) -> None:
        self.derive: Derive | None = None  # works further values out of a reading's, if any device wants that
        self.fixes = Fixes()
        self._alarms = alarms or None
        self._devices = {d.name: d for d in devices}
        self._by_eui = {d.dev_eui: d for d in devices if d.dev_eui is not None}
        self._decoders = {name: codec(name) for name in {d.codec for d in devices} if name is not None}
        self._own: dict[str, Decode] = {}
        self._watch = watch
        self._data_rate = data_rate

    def bind(self, decoders: Mapping[str, Decode]) -> None:
        """Have the frames of these devices decoded by what their driver's configuration says of each.

        A device keeps the codec's name in its records; one that has no codec in the list of devices stays raw.
        """
        for name, decode in decoders.items():
            device = self._devices.get(name)
            if device is not None and device.codec is not None:
                self._own[name] = decode

    def of_telegram(self, driver: str, frame: Frame) -> tuple[Record, bool]:
        """The record of a frame that did not come over the air, and whether it is a stranger's."""
        if frame.served is not None:
            return self._from_server(driver, frame, frame.served)
        device = self._devices.get(frame.device or "")
        if device is None:
            self._watch.rejected(driver, "", RejectReason.UNKNOWN_DEVICE)
            return refused(frame, None, None, RejectReason.UNKNOWN_DEVICE, None, None), True
        record = self.decode(frame, device, frame.data, None)
        if record.codec in EVENTS and record.fields is not None:
            event = {name: v.value for name, v in record.fields.items() if v.value is not None}
            record.kind, record.event, record.fields = "event", event, None
        return record, False

    def _from_server(self, driver: str, frame: Frame, served: Served) -> tuple[Record, bool]:
        """What a network server elsewhere has checked and decrypted, or says of a device."""
        device, radio, lora = self._by_eui.get(served.dev_eui), served.radio, None
        if radio is not None:  # without the DevAddr: the counters that are kept by it are those of our own sessions
            dr = self._data_rate(radio)
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
        return self.decode(frame, device, served.payload, lora), False

    def decode(self, frame: Frame, device: Device, payload: bytes | None, lora: Lora | None) -> Record:
        """The record of a frame of this device: a reading, or the frame and why it is none."""
        codec, raw = device.codec, frame.data
        if payload is not None and device.fports and lora is not None and lora.fport not in device.fports:
            payload = None  # configuration, firmware and the like: kept raw, nothing wrong
        if payload == b"" and device.script is None and (lora is not None or frame.served is not None):
            payload = None  # a sign of life: LoRaWAN frames without data are normal
        if device.script is not None and payload is not None:
            record = Record("frame", frame.driver, device.name, device.dev_eui, "script", None, None, None, lora)
            record.raw, record.payload, record.pending = raw, payload, True
            return record
        reason = detail = None
        if payload is not None and codec is not None:  # otherwise MAC commands only, or bytes that stay raw
            try:
                decode = self._decoders[codec] if lora else self._own.get(device.name, self._decoders[codec])
                fields: Fields = decode(payload, lora.fport if lora else None)
                if frame.derived is not None:
                    fields |= frame.derived
                    if codec == CODEC:
                        self.fixes.heard(device.name, frame.at, fields)
                if self.derive is not None:
                    fields |= self.derive(device.name, frame.driver, frame.at, fields)
                _encode(fields)  # what cannot be stored must be found here: it is refused like anything else
            except DecodeError as e:
                self._watch.rejected(frame.driver, codec, e.reason)
                reason, detail = e.reason.value, e.detail
                self._watch.undecodable(device.name, reason)
            except Exception as e:  # noqa: BLE001 - a codec's defect: kept raw like any refusal, and told
                reason, detail = RejectReason.DEFECT.value, defect_in(self._watch, frame.driver, codec, e)
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


def defect_in(watch: ReadingWatch, driver: str, codec: str, error: Exception) -> str:
    """Tell of a defect; what a refused record says about it."""
    watch.defect(f"codec {codec}" if codec else "pipeline", error)
    watch.rejected(driver, codec, RejectReason.DEFECT)
    return type(error).__name__
