"""Comtac LPN CM-4: temperature and humidity, one or eight of each.

Source: the decoder that comtac published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0),
vendor/comtac/lpn-cm4.js.

    FPort 3    1 | about 2 | battery | 3 | temperature 2, humidity   or   | 4 | eight of both, the newest first
    FPort 100  1 | about 2 | battery | settings
    FPort 101  1 | about 2 | battery | version 2
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

MAX_PAYLOAD: Final = 255
_VERSION: Final = 1
_NO_VALUE: Final = 250
"""Degrees or percent."""
_COUNTS: Final = {3: 1, 4: 8}
_HEAD: Final = row("head skip3", "bat_level u8 /2 %")
_MEASURED: Final = row("temp_now_# i16 /100 Cel", "hum_now_# u8 %")
_SETTINGS: Final = row(
    "meas_rate u16 min", "history_trigger u8", "temp_offset i16 /100 K", "temp_max i8 Cel", "temp_min i8 Cel",
    "hum_offset i8 %", "hum_max u8 %", "hum_min u8 %",
)  # fmt: skip
_INFO: Final = row("app_main_vers u8", "app_minor_vers u8")


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    if not 4 <= len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.SHORT if len(data) < 4 else RejectReason.LONG, f"{len(data)} bytes")
    if fport not in {3, 100, 101, None}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    if data[0] != _VERSION:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"version {data[0]} of the payload")
    out: Fields = {}
    pos = run(_HEAD, data, 0, out)
    if fport in {100, 101}:
        run(_SETTINGS if fport == 100 else _INFO, data, pos, out)
        return out
    cursor = Cursor(data)
    cursor.pos = pos
    while cursor.left:
        kind = cursor.u8()
        count = _COUNTS.get(kind)
        if count is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"part {kind} at offset {cursor.pos - 1}")
        for n in range(count):
            cursor.pos = run(_MEASURED, data, cursor.pos, out, str(n))
            for name in (f"temp_now_{n}", f"hum_now_{n}"):
                if out[name].value == _NO_VALUE:
                    out[name] = Value("INVALID")
    return out
