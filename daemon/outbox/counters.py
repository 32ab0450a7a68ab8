"""What state.db keeps of counters: their last value in a reading that is on disk. Used on the writer thread only."""

import sqlite3
import zlib
from collections.abc import Mapping
from typing import Final

import msgspec

COUNTED: Final = "counters"
"""Name under which the snapshot keeps the position below which the readings of the main log are in it."""
MAX_FACTS: Final = 1 << 16


class Counted(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One counter: what it said, and when (wall clock, and whether that was right)."""

    value: float | int
    at_ns: int
    is_synced: bool
    unit: str | None = None


DeviceCounters = dict[str, Counted]
"""Of one device, by field."""

_decode: Final = msgspec.json.Decoder(DeviceCounters).decode


def save(conn: sqlite3.Connection, counters: Mapping[str, DeviceCounters]) -> None:
    """Write these devices, within the caller's transaction."""
    for device, found in counters.items():
        text = msgspec.json.encode(found).decode()
        conn.execute("INSERT OR REPLACE INTO device_counters VALUES (?, ?, ?)", (device, text, _crc(device, text)))


def load(conn: sqlite3.Connection) -> dict[str, DeviceCounters]:
    """By device. What was changed on disk is not there: such a counter begins anew."""
    found: dict[str, DeviceCounters] = {}
    for device, text, crc in conn.execute("SELECT device, facts, crc FROM device_counters"):
        if len(text) <= MAX_FACTS and _crc(device, text) == crc:
            try:
                found[device] = _decode(text)
            except msgspec.DecodeError:
                continue
    return found


def _crc(device: str, text: str) -> int:
    return zlib.crc32(f"{device}/{text}".encode())
