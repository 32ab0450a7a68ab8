"""Sensative Strips (Comfort, Guard, Drip, Presence): a history number, then channel and value, over and over.

Source: the decoder that Sensative published in actility/device-catalog (53ef3f3), vendors/sensative/drivers/strips
(MIT): reports, history, settings and their names.

    FPort 1   number of the newest report 16 | channel | value | … bit 7 of a channel: it is in history
    FPort 2   number of the first report 16 | age in seconds 32 | channel | value …
    FPort 11  2 | setting | value 32 …, or 3 | status: answers to settings

Names are the vendor's in lower snake case. Of FPort 2 every report is `history_<n>_<name>`
with `history_<n>_age`.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_IN_HISTORY: Final = 0x80
_STATUS: Final = ("OK", "Bad setting", "Bad payload length", "Value not accepted", "Unknown command")


def _flag(line: str) -> Special:
    return field(f"{line} u8", convert=bool)


def _limits(name: str) -> tuple[Special, Special]:
    return (
        field(f"{name}_high u8", convert=lambda raw: bool(raw & 1)),
        field(f"{name}_low =", convert=lambda raw: bool(raw & 2)),
    )


CHANNELS: Final[dict[int, tuple[Step, ...]]] = {
    0: (),
    1: row("battery_report u8 %"),
    2: row("temp_report i16 /10 Cel"),
    3: row(*_limits("temp_alarm")),
    4: row("average_temp_report i16 /10 Cel"),
    5: row(*_limits("average_temp_alarm")),
    6: row("humidity_report u8 /2 %"),
    7: row("lux_report u16 lx"),
    8: row("lux_report2 u16 lx"),
    9: row(_flag("door_report")),
    10: row(_flag("door_alarm")),
    11: row(_flag("tamper_report")),
    12: row(_flag("tamper_alarm")),
    13: row("flood_report u8 %"),
    14: row(_flag("flood_alarm")),
    15: row(_flag("foil_alarm")),
    16: row(_flag("user_switch1_alarm")),
    17: row("door_count_report u16"),
    18: row(_flag("presence_report")),
    19: row("ir_proximity_report u16"),
    20: row("ir_close_proximity_report u16"),
    21: row(_flag("close_proximity_alarm")),
    22: row("disinfect_alarm u8"),
    80: row("temp_hum_report_humidity u8 /2 %", "temp_hum_report_temp i16 /10 Cel"),
    81: row("avg_temp_hum_report_humidity u8 /2 %", "avg_temp_hum_report_temp i16 /10 Cel"),
    82: row(_flag("temp_door_report_door"), "temp_door_report_temp i16 /10 Cel"),
    110: row("check_inconfirmed_version hex4", "check_inconfirmed_idddata hex4"),
    112: row("capacitance_flood_report u16"),
    113: row("capacitance_pad_report u16"),
    114: row("capacitance_end_report u16"),
}
"""What stands behind each channel's number."""


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    if not 2 <= len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.SHORT if len(data) < 2 else RejectReason.LONG, f"{len(data)} bytes")
    read = {None: _reports, 1: _reports, 2: _history, 11: _answers}.get(fport)
    if read is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    return read(data)


def _report(data: bytes, pos: int, out: Fields) -> int:
    """One channel and its value; returns the place behind it."""
    if pos >= len(data):
        raise DecodeError(RejectReason.SHORT, "a report without channel")
    channel = data[pos] & ~_IN_HISTORY
    steps = CHANNELS.get(channel)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"channel {channel} at offset {pos}")
    if channel == 0:
        out["empty_report"] = Value(0)
    return run(steps, data, pos + 1, out)


def _reports(data: bytes) -> Fields:
    start = int.from_bytes(data[:2], "big")
    out: Fields = {"history_start": Value(start)}
    pos, number = 2, start
    while pos < len(data):
        found: Fields = {}
        is_kept = data[pos] & _IN_HISTORY
        try:
            pos = _report(data, pos, found)
        except DecodeError as refusal:
            if refusal.reason is not RejectReason.UNKNOWN_TYPE or len(out) == 1:
                raise
            out["rest"] = Value(data[pos:].hex())  # its length is not known; what stands before it is good
            return out
        out.update(found)
        if is_kept:
            out[f"{next(iter(found))}_history_position"] = Value(number)
            number = (number - 1) & 0xFFFF
    return out


def _history(data: bytes) -> Fields:
    cursor = Cursor(data)
    out: Fields = {"history_start": Value(cursor.ube(2))}
    n = 0
    while cursor.left:
        age = cursor.ube(4)
        found: Fields = {}
        cursor.pos = _report(data, cursor.pos, found)
        out[f"history_{n}_age"] = Value(age, "s")
        out.update({f"history_{n}_{name}": value for name, value in found.items()})
        n += 1
    return out


def _answers(data: bytes) -> Fields:
    cursor = Cursor(data)
    out: Fields = {}
    while cursor.left:
        kind = cursor.u8()
        if kind == 2:
            setting = cursor.u8()
            out[f"setting_{setting}"] = Value(cursor.ube(4))
        elif kind == 3:
            status = cursor.u8()
            out["status_code_value"] = Value(status)
            out["status_code_status"] = Value(_STATUS[status] if status < len(_STATUS) else "unknown")
        else:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"answer {kind}")
    return out
