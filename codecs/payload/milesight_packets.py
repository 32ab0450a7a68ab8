"""Milesight: what all devices of the newer form have besides their values. Shape: milesight_rooms.py.

What they say of themselves, in numbers, and stored packets: `ed`, a kind and a time; what stands behind it, up to the
next `ed`, is `history_<n>_<name>`. Source: as milesight.py, of the CTH01, TS601, TS602 and WT102.
"""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.tags import Item, Special, run_tags
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import Channels, dotted, released, row

MAX_NAME: Final = 64
"""As long as the names of scripts' values may be."""
PACKET: Final = 0xED
STORED: Final = frozenset({"cth01", "ts601", "ts602", "wt102", "wt102-v1"})
"""Models that have stored packets."""
_UNITS: Final = {0: "seconds_of_time", 1: "minutes_of_time"}


def done(name: str) -> Special:
    """A command that was carried out: there is no value."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        del data
        out[name] = Value(1)
        return pos

    return read


def interval(name: str) -> Special:
    """A number of seconds or minutes, and which of them."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        cursor = Cursor(data)
        cursor.pos = pos
        unit = cursor.u8()
        out[f"{name}_unit"] = Value(unit)
        if unit in _UNITS:
            out[f"{name}_{_UNITS[unit]}"] = Value(cursor.ule(2), "s" if unit == 0 else "min")
        return cursor.pos

    return read


def packets(items: Mapping[int, Item | Special]) -> Special:
    """Stored packets of a device that has these keys."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        n = sum(name.startswith("history_") and name.endswith("_timestamp") for name in out)
        cursor = Cursor(data)
        cursor.pos = pos + 1  # the kind, which says nothing
        stored: Fields = {"timestamp": Value(cursor.ule(4), "s")}
        behind = run_tags(data, cursor.pos, 1, items, stored, is_strict=False, until=PACKET)
        out.update((f"history_{n}_{name}", value) for name, value in stored.items())
        return behind

    return read


ABOUT: Final[Channels] = {
    "b7": row("set_time_timestamp u32 s"),
    "b8": done("synchronize_time"),
    "b9": done("query_device_status"),
    "ba": row("retrieve_historical_data_by_time_time u32 s"),
    "bb": row(
        "retrieve_historical_data_by_time_range_start_time u32 s",
        "retrieve_historical_data_by_time_range_end_time u32 s",
    ),
    "bc": done("stop_historical_data_retrieval"),
    "bd": done("clear_historical_data"),
    "bf": done("reset"),
    "c7": row("time_zone i16 min"),
    "c8": row("device_status u8"),
    "c9": row("random_key u8"),
    "d8": row("product_frequency_band text16"),
    "d9": row("oem_id hex2"),
    "da": row(
        field("version_hardware_version hex2", convert=dotted),
        field("version_firmware_version hex6", convert=released),
    ),
    "db": row("product_sn hex8"),
    "dd": row("product_pn text32"),
    "de": row("product_name text32"),
    "df": row(field("tsl_version hex2", convert=dotted)),
    "ee": done("all_configurations_request_by_device"),
    "ff": row("check_sequence_number_reply_sequence_number u8"),
}
