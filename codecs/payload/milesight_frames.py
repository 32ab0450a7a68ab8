"""Milesight: devices with a frame of their own (GS524N, WT301, WT302). Pure.

    GS524N  version 4, protocol 4 | kind 4, event 4 | battery | concentration | temperature | checksum
    WT30x   head | command | length 16 | what | value(s) …   most significant byte first; what 15: all nine values

Source: as milesight.py; of the WT301 and WT302 the names of the decoder in actility/device-catalog (53ef3f3). The
GS524N's checksum is not described anywhere that was read: it is not checked.
"""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import ENABLE, OFF_ON, named

_SMOKE_SIZE: Final = 6
_EVENTS: Final = {
    1: "alarm", 2: "silent", 4: "low battery", 5: "failover", 7: "normal", 10: "removed", 11: "installed",
    14: "testing alarm with normal battery", 15: "testing alarm with low battery",
}  # fmt: skip
_SMOKE: Final = row(
    "version u8 4:4",
    "protocol = 0:4",
    named("type u8 4:4", {1: "smoke sensor"}),
    named("event = 0:4", _EVENTS),
    "battery u8 %",
    "concentration u8",
    "temperature i8 Cel",
)


def smoke(data: bytes) -> Fields:
    """A smoke detector. Raises DecodeError SHORT or LONG."""
    if len(data) != _SMOKE_SIZE:
        reason = RejectReason.SHORT if len(data) < _SMOKE_SIZE else RejectReason.LONG
        raise DecodeError(reason, f"{len(data)} bytes, must be {_SMOKE_SIZE}")
    out: Fields = {}
    run(_SMOKE, data, 0, out)
    return out


_COMMANDS: Final = {1: "control", 2: "request"}
_WHAT: Final = (
    "thermostat_status", "btn_lock_enable", "mode", "fan_speed", "temperature", "temperature_target", "card",
    "control_mode", "server_temperature", "all",
)  # fmt: skip
_HEAD: Final = row(
    "head u8",
    named("command u8", _COMMANDS),
    "data_length u16",
    named("type u8", dict(enumerate(_WHAT))),
)
_HEAD_SIZE: Final = 5
_ALL: Final = 15
_VALUES: Final[tuple[str | Line, ...]] = (
    named("thermostat_status u8", OFF_ON),
    named("btn_lock_enable u8", ENABLE),
    named("mode u8", {0: "cool", 1: "heat", 2: "fan"}),
    named("fan_speed u8", {0: "auto", 1: "high", 2: "medium", 3: "low"}),
    "temperature u8 /2 Cel",
    "target_temperature u8 /2 Cel",
    named("card_mode u8", {0: "remove", 1: "insert"}),
    named("control_mode u8", {0: "auto", 1: "manual"}),
    "server_temperature u8 /2 Cel",
)
_STEPS: Final = {n: row(line) for n, line in enumerate(_VALUES, 1)} | {_ALL: row(*_VALUES)}


def thermostat(data: bytes) -> Fields:
    """A WT301 or WT302. Raises DecodeError SHORT or UNKNOWN_TYPE.

    The vendor's decoder names the kind one higher than the value it reads: `type` is its word, the value is right.
    """
    out: Fields = {}
    pos = run(_HEAD, data, 0, out)
    what = data[_HEAD_SIZE - 1]
    steps = _STEPS.get(what)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"value {what}")
    size = int.from_bytes(data[2:4], "big")
    if len(data) < _HEAD_SIZE + size:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, {_HEAD_SIZE + size} are announced")
    run(steps, data, pos, out)
    if len(data) > _HEAD_SIZE + size:
        out["crc"] = Value(data[_HEAD_SIZE + size])
    return out


_OLD_NAMES: Final = {
    "btn_lock_enable": "btn_lock_enabled",
    "target_temperature": "temperature_target",
    "card_mode": "card",
}
_ENVELOPE: Final = frozenset({"head", "command", "data_length", "type", "crc"})


def thermostat_values(data: bytes) -> Fields:
    """The same without the frame and with the names of the vendor's older decoder."""
    return {_OLD_NAMES.get(name, name): value for name, value in thermostat(data).items() if name not in _ENVELOPE}


FRAMES: Final[dict[str, Callable[[bytes], Fields]]] = {
    "gs524n": smoke,
    "wt301": thermostat,
    "wt302": thermostat,
    "wt301-wt302": thermostat_values,
}
"""Model to decoder."""
