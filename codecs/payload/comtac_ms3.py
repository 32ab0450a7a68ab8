"""Comtac MS-3: light, climate, acceleration, rotation, magnetic field and position.

Source: akenza-io/device-type-library (MIT), types/comtac/MS-3.

    what is on | state | battery | light | humidity | temperature 2 | acceleration 3 times 2 | rotation 3 times 2
    | magnetic field 3 times 2 | latitude 4 | longitude 4 | altitude 2
"""

from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason

MAX_PAYLOAD: Final = 255
_OFF: Final = 0x7FFFFFFF
_ON: Final = ("rs485", "gps", "acc", "mag", "mic", "bright", "temp_hum")
_STATE: Final = ("tx_on_event", "mag_actual", "ext_con", "booster", "ext_supply", "dip3", "dip2", "dip1")


def _bits(at: int, names: tuple[str, ...]) -> tuple[Special, ...]:
    """One bit each, the last name is the lowest."""
    return tuple(
        field(f"{name} u8 @{at} {bit}:1", {0: False, 1: True})
        for bit, name in zip(range(len(names) - 1, -1, -1), names, strict=True)
    )


_READINGS: Final = row(
    *_bits(0, _ON), *_bits(1, _STATE), "battery_voltage u8 /100 +1 V", "light u8", "humidity u8 %",
    "temperature i16 /10 Cel", *(f"acc_{axis} i16 /1000 [g]" for axis in "xyz"),
    *(f"gyro_{axis} i16 /10 deg/s" for axis in "xyz"), *(f"magn_{axis} i16 /1000" for axis in "xyz"),
)  # fmt: skip
_POSITION: Final = row("latitude i32 /1000000 deg", "longitude i32 /1000000 deg", "altitude i16 /100 m")


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT or LONG."""
    if len(data) > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
    del fport
    out: Fields = {}
    pos = run(_READINGS, data, 0, out)
    found: Fields = {}
    run(_POSITION, data, pos, found)
    if found["latitude"].value != _OFF / 1_000_000 and found["longitude"].value != _OFF / 1_000_000:
        out |= found
    return out
