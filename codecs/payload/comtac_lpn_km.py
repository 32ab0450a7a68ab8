"""Comtac LPN KM: sixteen inputs (contacts, counters), their changes with time, and the device's settings.

Source: the decoder that comtac published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0),
vendor/comtac/lpn-km.js. Most significant byte first; names are the vendor's in lower snake case.

    each      device 0x10 (two bytes from 0x80 on) | version 0 | state | battery 1 to 254 | …
    FPort 3   what follows (1 time, 2 inputs, 4 counters) | [time 32] | [0 | inputs 16] | [number | value 24] …
    FPort 20  time 32 | (kind, number | cause, state | seconds later 16) …
    FPort 21  (count | time 32 | (number | cause, state | value 24) …) …
    FPort 22  time 32
    FPort 100 (setting | length | value) …
    FPort 101 nothing more
"""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_DEVICE: Final = 0x10
_VERSION: Final = 0
_LEVELS: Final = 253
_STATES: Final = (
    "configuration_error", "buffer_overflow", "time_synced", "battery_powered", "tx_credits_consumed",
    "device_restarted", "low_supply_voltage", "confirmation_timeout",
)  # fmt: skip
_SETTINGS: Final = (
    "di_label", "ds_default_supply_mode", "ds_buffered_operation", "ds_buffered_operation_span", "ds_payload_format",
    "ds_static_payload_config", "ts_meas_int_dc", "ts_meas_int_bat", "ts_timesync_int", "is_enable", "is_invert",
    "is_delay_enable", "is_delay_rising", "is_delay_falling", "is_wiper_enable", "is_wiper_confirmation_timeout",
    "is_deflutter_enable", "is_deflutter_interval", "is_deflutter_count", "is_double_enable",
    "is_double_intermediate_state_timeout_enable", "is_double_intermediate_state_timeout", "is_counter_enable",
    "is_counter_mode", "is_counter_scaling", "es_rising_enable", "es_falling_enable", "es_blocked_changed",
    "es_cyclic_di_enable", "es_di_confirmed", "es_cyclic_di_interval", "es_cyclic_cnt_enable", "es_cnt_confirmed",
    "es_cyclic_cnt_timedate_weekday_sel", "es_cyclic_cnt_timedate_weekday", "es_cyclic_cnt_time_hour",
    "es_cyclic_cnt_time_minute", "es_cyclic_cnt_time_interval", "es_priority", "es_delay", "acs_enable",
    "acs_alarm_delay", "acs_motion_det_sel", "acs_key_switch_sel", "acs_door_contact_sel", "os_enable", "os_invert",
    "os_mode", "os_wiper_time",
)  # fmt: skip
"""A setting's number is its place."""
_UNITS: Final = {
    "ds_buffered_operation_span": "s", "ts_meas_int_dc": "ms", "ts_meas_int_bat": "ms", "ts_timesync_int": "h",
    "es_cyclic_cnt_time_interval": "min", "es_delay": "ms",
}  # fmt: skip
_LABEL: Final = 0
_SINGLE: Final = 0x10
_DOUBLE: Final = 0x20
_CAUSES: Final = (("event", 0x20), ("interrogation", 0x40), ("cyclic", 0x80))


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG, SYNTAX or UNKNOWN_TYPE."""
    if not 0 < len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG if data else RejectReason.SHORT, f"{len(data)} bytes")
    read = _PORTS.get(3 if fport is None else fport)
    if read is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    cursor = Cursor(data)
    out: Fields = {}
    _head(cursor, out)
    read(cursor, out)
    return out


def _head(cursor: Cursor, out: Fields) -> None:
    device = cursor.u8()
    if device & 0x80:
        device += cursor.u8() << 8
    version = cursor.u8()
    if device != _DEVICE or version != _VERSION:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"device {device}, version {version}")
    out["device_info_device_id"] = Value(device)
    out["device_info_device_version"] = Value(version)
    out["device_info_device_designation"] = Value("LPN-KM")
    out["device_info_device_manufacturer"] = Value("comtac AG")
    state = cursor.u8()
    for n, name in enumerate(_STATES):
        out[f"device_device_status_{name}"] = Value(bool(state >> n & 1))
    level = cursor.u8()
    word = {0: "external", 255: "error"}.get(level)
    out["device_battery_level"] = Value(word) if word else Value(int((level - 1) * 100 / _LEVELS + 0.5), "%")


def _fixed(cursor: Cursor, out: Fields) -> None:
    """What the device was told to send: it says what."""
    parts = cursor.u8()
    for name, bit in (("timestamp", 1), ("digital_inputs", 2), ("counter_values", 4)):
        out[f"config_{name}"] = Value(bool(parts & bit))
    if parts & 1:
        out["timestamp"] = Value(cursor.ube(4), "s")
    if parts & 2:
        cursor.u8()
        out["digital_inputs"] = Value(f"{cursor.ule(2):x}")
    n = 0
    while parts & 4 and cursor.left:
        number, value = cursor.u8() & 0x0F, cursor.ube(3)
        out[f"counter_values_{n}_id"] = Value(number)
        out[f"counter_values_{n}_value"] = Value(value)
        n += 1


def _cause(out: Fields, name: str, bits: int) -> None:
    for cause, bit in _CAUSES:
        out[f"{name}_cot_{cause}"] = Value(bool(bits & bit))


def _inputs(cursor: Cursor, out: Fields) -> None:
    """Changes of inputs, or of pairs of them."""
    begin = cursor.ube(4)
    n = 0
    while cursor.left:
        kind, bits, later = cursor.u8(), cursor.u8(), cursor.ube(2)
        if not kind & (_SINGLE | _DOUBLE):
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"input of kind {kind:#04x}")
        name = f"digital_inputs_{n}"
        is_single = bool(kind & _SINGLE)
        out[f"{name}_info_type"] = Value("singlePointInfo" if is_single else "doublePointInfo")
        out[f"{name}_info_id"] = Value(kind & 0x0F)
        _cause(out, name, bits)
        out[f"{name}_status_blocked"] = Value(bool(bits & 4))
        out[f"{name}_status_state"] = Value(bits & (1 if is_single else 3))
        out[f"{name}_timestamp"] = Value(begin + later, "s")
        n += 1


def _counters(cursor: Cursor, out: Fields) -> None:
    n = 0
    while cursor.left:
        count, at = cursor.u8(), cursor.ube(4)
        for _ in range(count):
            number, bits, value = cursor.u8() & 0x0F, cursor.u8(), cursor.ube(3)
            name = f"counters_{n}"
            out[f"{name}_info_type"] = Value("counter")
            out[f"{name}_info_id"] = Value(number)
            _cause(out, name, bits)
            out[f"{name}_status_overflow"] = Value(bool(bits & 1))
            out[f"{name}_status_reset"] = Value(bool(bits & 2))
            out[f"{name}_timestamp"] = Value(at, "s")
            out[f"{name}_value"] = Value(value)
            n += 1


def _time(cursor: Cursor, out: Fields) -> None:
    out["timestamp"] = Value(cursor.ube(4), "s")


def _parameters(cursor: Cursor, out: Fields) -> None:
    """Settings: numbers of up to two bytes, the label as text, lists as they are sent."""
    while cursor.left:
        number, raw = cursor.u8(), cursor.take(cursor.u8())
        name = _SETTINGS[number] if number < len(_SETTINGS) else str(number)
        value: str | int = raw.hex()
        if number == _LABEL:
            value = raw.decode("ascii", "replace")
        elif 0 < len(raw) <= 2:
            value = int.from_bytes(raw, "big")
        out[f"parameter_{name}"] = Value(value, None if isinstance(value, str) else _UNITS.get(name))


def _nothing(cursor: Cursor, out: Fields) -> None:
    del cursor, out


_PORTS: Final[dict[int, Callable[[Cursor, Fields], None]]] = {
    3: _fixed,
    20: _inputs,
    21: _counters,
    22: _time,
    100: _parameters,
    101: _nothing,
}
