"""Comtac LPN TD-1 tracker: state, battery, temperature, then a position by satellites or access points in reach.

Source: the decoder that comtac published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0),
vendor/comtac/lpn-td1.js.

    FPort 3    1 | position 3, ping 3, full 1, test 1 | battery | temperature | [1 | position] | [2 | access points]
    FPort 100  1 | what of | battery | temperature | settings

Hardware addresses of access points are what the tracker is for: they are given as they are sent.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_VERSION: Final = 1
_POSITIONS: Final = dict(
    enumerate(("NONE", "GPS OK", "GPS NOK", "WIFI OK", "WIFI NOK", "GPS AND WIFI OK", "GPS AND WIFI NOK"))
)
_PINGS: Final = dict(enumerate(("NORMAL", "MIDRANGE", "LONGRANGE", "EVENT")))
_STATE: Final = (
    field("bat_voltage u8 /200 +3 V", {255: "ERROR"}),
    field("temp i8 Cel", {127: "ERROR"}),
)
_HEAD: Final = row(
    "version skip1",
    field("pos_status u8 5:3", _POSITIONS, otherwise="unknown"),
    field("ping_type = 2:3", _PINGS, otherwise="unknown"),
    field("bat_full = 1:1", makes=lambda raw: {"bat_full": True} if raw & 2 else {}),
    field("connection_test = 0:1", makes=lambda raw: {"connection_test": True} if raw & 1 else {}),
    *_STATE,
)
_COUNTS: Final = (("CFG INIT", 1), ("CFG GET", 2), ("CFG SET", 4))
_SETTINGS: Final = row(
    "version skip1",
    field("cfg_status u8", convert=lambda raw: "".join(f"/{word}" for word, bit in _COUNTS if raw & bit)),
    *_STATE,
    "app_main_vers u8",
    "app_minor_vers u8",
    "ping_interval u16 min",
    "long_range_trigger u8",
    "mid_range_trigger u8",
    "rejoin_trigger u16 min",
)
_FIXES: Final = row("gps_fixes u8", "min_wifi_detects u8")
_GPS: Final = row("gps_lat i32 /1000000 deg", "gps_long i32 /1000000 deg")
_FAR: Final = 15


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG, SYNTAX or UNKNOWN_TYPE."""
    if not 4 <= len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.SHORT if len(data) < 4 else RejectReason.LONG, f"{len(data)} bytes")
    if fport not in {3, 100, None}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    if data[0] != _VERSION:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"version {data[0]} of the payload")
    out: Fields = {}
    if fport == 100:
        pos = run(_SETTINGS, data, 0, out)
        run(_FIXES, data, pos, out)
        return out
    cursor = Cursor(data)
    cursor.pos = run(_HEAD, data, 0, out)
    while cursor.left:
        kind = cursor.u8()
        if kind == 1:
            cursor.pos = run(_GPS, data, cursor.pos, out)
            quality = cursor.u8()
            error = quality >> 4
            out["gps_epe"] = Value("> 150 meters" if error == _FAR else f"{error * 10}-{error * 10 + 10} meters")
            out["gps_sat"] = Value(quality & 0x0F)
        elif kind == 2:
            for n in range(1, (cursor.u8() & 0x0F) + 1):
                out[f"mac{n}"] = Value(cursor.take(6).hex(":"))
                out[f"rssi{n}"] = Value(-cursor.u8(), "dB[mW]")
        else:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"part {kind} at offset {cursor.pos - 1}")
    return out
