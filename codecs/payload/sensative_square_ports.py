"""Sensative Squares and Pucks: what the radio says of itself, by FPort. Source and shape: sensative_square.py.

Hardware addresses of access points are what the tracker is for: they are given as they are sent.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.compact import row as big_endian_row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.sensative_square_outputs import APPLICATIONS

_HALF_CIRCLE: Final = 2048
_BUILD_TYPES_SINCE: Final = 1665684561
_CUSTOMIZATION: Final = ("None", "Applied", "Error", "Dirty")
_ACCESS_POINT_BYTES: Final = 7
_GNSS_HEAD_BYTES: Final = 10
_GNSS_PART_BYTES: Final = 6
_FORWARDED: Final = range(32, 40)


def _date(raw: int) -> str:
    """Seconds of the Unix epoch as date and time, UTC."""
    return datetime.fromtimestamp(raw, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _lengths(data: bytes, *wanted: int) -> None:
    if len(data) not in wanted:
        reason = RejectReason.SHORT if len(data) < max(wanted) else RejectReason.LONG
        raise DecodeError(reason, f"{len(data)} bytes, must be {' or '.join(map(str, wanted))}")


_STATISTICS: Final = big_endian_row(
    "idd_days_running u16",
    "idd_startup_count u16",
    "idd_first_join_day u16",
    "idd_first_joined_day u16",
    "idd_lora_startup_count u16",
    "idd_lora_mlme_count u16",
    "idd_lora_mlme_fail_count u16",
    "idd_lora_mcps_count u16",
    "idd_lora_mcps_fail_count u16",
    "idd_join_count u16",
    "idd_watchdog_count u8",
    "idd_crash_count u8",
    "idd_days_joined u16",
    field("idd_first_device_time u32", convert=_date),
    field("idd_last_device_time u32", convert=_date),
    "idd_vm_exec_count u32",
    "idd_crash_store_count u8",
    "idd_gnss_found_sv_lpf u8 /10",
    "idd_gnss_snr_lpf u16 /10 dB",
    "idd_gnss_snr_max_lpf u16 /10 dB",
    field("idd_lora_rssi_lpf u16 dB[mW]", convert=lambda raw: (raw - 0x10000) / 10),
    "idd_lora_snr_lpf u16 /10 dB",
    "idd_wifi_gws_lpf u8 /10",
    "idd_gnss_valid_sv_lpf u8 /10",
    endian="little",
)


def _statistics(data: bytes) -> Fields:
    out: Fields = {}
    run(_STATISTICS, data, 0, out)
    return out


def _crash(data: bytes) -> Fields:
    cursor = Cursor(data)
    return {"crash_index": Value(cursor.ube(2)), "crash_bytes": Value(cursor.rest().hex())}


def _power(data: bytes) -> Fields:
    if len(data) != 1:
        return {"pwr_data": Value(data.hex())}
    return {"network_powered": Value(int(data[0] == 0)), "battery_percent": Value(data[0], "%")}


def _link(data: bytes) -> Fields:
    """How the device hears: three bytes, or two when the data rate is adapted."""
    _lengths(data, 2, 3)
    cursor = Cursor(data)
    name = "link_control_link_control"
    index = cursor.u8() if len(data) == 3 else -1
    return {
        f"{name}_index": Value(index),
        f"{name}_dl_rssi": Value(cursor.i8(), "dB[mW]"),
        f"{name}_dl_snr": Value(cursor.i8(), "dB"),
        "link_control_adr": Value(int(index < 0)),
    }


def _customization(data: bytes) -> Fields:
    _lengths(data, 1, 9)
    cursor = Cursor(data)
    whole, application = (cursor.ube(4), cursor.ube(4)) if len(data) == 9 else (0, 0)
    status = cursor.u8()
    return {
        "customization_status": Value(_CUSTOMIZATION[status] if status < len(_CUSTOMIZATION) else "Unknown"),
        "customization_customized_app_crc": Value(application),
        "customization_customization_crc": Value(whole),
    }


def _mesh(data: bytes) -> Fields:
    """An uplink of another device, passed on."""
    cursor = Cursor(data)
    serial, age, fport = cursor.ube(4), cursor.ube(4), cursor.u8()
    return {
        "mesh_serial": Value(serial),
        "mesh_age": Value(age, "s"),
        "mesh_port": Value(fport),
        "mesh_hex": Value(cursor.take(cursor.u8()).hex()),
    }


def _rules(data: bytes) -> Fields:
    """Which application runs: checksum of its rules, then when it was built and from which version."""
    cursor = Cursor(data)
    checksum = cursor.ube(4)
    out: Fields = {"rules_crc32": Value(checksum)}
    if checksum in APPLICATIONS:
        out["app_name"] = Value(APPLICATIONS[checksum])
    if cursor.left < 4:
        return out
    built = cursor.ube(4)
    out["build_date"] = Value(_date(built & ~3))
    out["build_type"] = Value(built & 3 if built & ~3 > _BUILD_TYPES_SINCE else 0)
    if cursor.left >= 4:
        out["build_git_version"] = Value(cursor.rest().decode("ascii", "replace"))
    return out


def _assistance(cursor: Cursor, out: Fields) -> None:
    """The position that helps the receiver: twelve bits for half the circle."""
    out["gnss_assistance_latitude"] = Value(90 * cursor.ibe(2) / _HALF_CIRCLE, "deg")
    out["gnss_assistance_longitude"] = Value(180 * cursor.ibe(2) / _HALF_CIRCLE, "deg")


def _gnss(data: bytes) -> Fields:
    """A message for a solver of positions, or a part of one: whoever solves it puts the parts together."""
    cursor = Cursor(data)
    is_head = bool(data[0] & 0x80)
    if len(data) < (_GNSS_HEAD_BYTES if is_head else _GNSS_PART_BYTES):
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes of a position")
    words = cursor.ube(2)
    out: Fields = {}
    if not is_head:
        out["gnss_stream_offset"] = Value(words & 0x3FFF)
        out["gnss_capture_gps_time"] = Value(cursor.ube(4), "s")
        out["gnss_incomplete_hex"] = Value(cursor.rest().hex())
        return out
    size = words & 0x1FFF
    out["gnss_autonomous"] = Value(words >> 13 & 1)
    out["gnss_stream_size"] = Value(size)
    out["gnss_capture_gps_time"] = Value(cursor.ube(4), "s")
    if words & 0x4000:
        _assistance(cursor, out)
    else:
        out["gnss_assistance_latitude"] = out["gnss_assistance_longitude"] = Value(0, "deg")
    if cursor.left:
        cursor.u8()
    rest = cursor.rest()
    is_whole = len(rest) == size - 1
    out["gnss_complete_hex"] = Value(rest.hex() if is_whole else "")
    out["gnss_incomplete_hex"] = Value("" if is_whole else rest.hex())
    return out


def _gnss_state(data: bytes) -> Fields:
    _lengths(data, 2, 12, 16)
    cursor = Cursor(data)
    if len(data) == 2:
        return {"gnss_almanac_chunk_checksum": Value(cursor.ube(2))}
    out: Fields = {
        "gnss_assistance_position_timestamp": Value(_date(cursor.ube(4))),
        "gnss_almanac_timestamp": Value(_date(cursor.ube(4))),
    }
    _assistance(cursor, out)
    if cursor.left:
        out["gnss_device_time"] = Value(_date(cursor.ube(4)))
    return out


def _access_points(data: bytes) -> Fields:
    cursor = Cursor(data)
    out: Fields = {"wifi_age": Value(cursor.ube(4), "s")}
    if cursor.left % _ACCESS_POINT_BYTES:
        raise DecodeError(RejectReason.SYNTAX, f"{cursor.left} bytes, not a number of access points")
    for n in range(cursor.left // _ACCESS_POINT_BYTES):
        out[f"wifi_wifi_access_points_{n}_signal_strength"] = Value(cursor.u8() - 256, "dB[mW]")
        out[f"wifi_wifi_access_points_{n}_mac_address"] = Value(cursor.take(6).hex(":"))
    return out


def _forwarded(fport: int) -> Callable[[bytes], Fields]:
    return lambda data: {f"forward_port{fport}_data": Value(data.hex())}


PORTS: Final[dict[int, Callable[[bytes], Fields]]] = {
    3: _crash,
    4: _statistics,
    5: _power,
    6: _link,
    7: _customization,
    8: _mesh,
    15: _rules,
    21: _gnss,
    22: _gnss_state,
    23: _access_points,
    24: _access_points,
    **{fport: _forwarded(fport) for fport in _FORWARDED},
}
