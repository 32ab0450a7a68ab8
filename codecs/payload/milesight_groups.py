"""Milesight: decoders of the first years that were written for several models at once. Source and shape: milesight.py.

They have names of their own for the same channels (actility/device-catalog 53ef3f3, vendors/milesight-iot/drivers:
am300-series, em500-smt, ts30x, ws52x).
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import Fields, Value
from torhaus.codecs.payload.milesight_channels import BATTERY, CLIMATE, TEMPERATURE, Channels, named, row

_MAGNET: Final = {0: "closed", 1: "opened"}
_ALARM: Final = {0: "threshold release", 1: "threshold", 2: "mutation"}
_STORED_ALARM: Final = {1: "threshold", 2: "threshold release", 3: "mutation", 4: None}
_TAILS: Final = ("_chn1", "_chn2")


def _stored(data: bytes, pos: int, out: Fields) -> int:
    """A stored reading of both inputs: time, four bits each that say what the value is, the values."""
    cursor = Cursor(data)
    cursor.pos = pos
    prefix = f"history_{sum(name.endswith('_timestamp') for name in out)}_"
    at, kinds = cursor.ule(4), cursor.u8()
    out[f"{prefix}timestamp"] = Value(at, "s")
    for kind, tail in zip((kinds >> 4, kinds & 0x0F), _TAILS, strict=True):
        raw = int.from_bytes(cursor.take(2), "little", signed=True)
        if kind in _STORED_ALARM:
            out[f"{prefix}temperature{tail}"] = Value(raw / 10, "Cel")
            alarm = _STORED_ALARM[kind]
            if alarm is not None:
                out[f"{prefix}temperature{tail}_alarm"] = Value(alarm)
        elif kind in {5, 6}:
            out[f"{prefix}magnet{tail}"] = Value(_MAGNET.get(raw, "opened"))
            if kind == 5:
                out[f"{prefix}magnet{tail}_alarm"] = Value("threshold")
    return cursor.pos


def _inputs() -> Channels:
    channels: dict[str, tuple[Step, ...] | Special] = {"01 75": BATTERY, "20 ce": _stored}
    for n, tail in enumerate(_TAILS, 3):
        value = f"temperature{tail} i16 /10 Cel"
        alarm = named(f"temperature{tail}_alarm u8", _ALARM)
        channels[f"{n:02x} 67"] = row(value)
        channels[f"{n:02x} 00"] = row(field(f"magnet{tail} u8", {0: "closed"}, otherwise="opened"))
        channels[f"{0x80 + n:02x} 67"] = row(value, alarm)
        channels[f"{0x90 + n:02x} d7"] = row(value, f"temperature{tail}_change i16 /100 K", alarm)
    return channels


MODELS: Final[dict[str, Channels]] = {
    "am300-series": {
        **CLIMATE,
        "01 75": row("battery_level u8 %"),
        "05 00": row(field("pir u8", {1: "trigger"}, otherwise="idle")),
        "06 cb": row("illumination u8"),
        "07 7d": row("co2 u16 [ppm]"),
        "08 7d": row("tvoc u16"),
        "09 73": row("pressure u16 /10 hPa"),
        "0a 7d": row("hcho u16 /100 mg/m3"),
        "0b 7d": row("pm2_5 u16 ug/m3"),
        "0c 7d": row("pm10 u16 ug/m3"),
        "0d 7d": row("o3 u16 /100 [ppm]"),
        "0e 01": row(field("beep u8", {1: "yes"}, otherwise="no")),
    },
    "em500-smt": {
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 68": row("humidity u8 /2 %"),
        "04 ca": row("humidity i16 /100 %"),
        "05 7f": row("ec u16 uS/cm"),
    },
    "ts30x": _inputs(),
    "ws52x": {
        "03 74": row("voltage u16 /10 V"),
        "04 80": row("power u32 W"),
        "05 81": row("factor u8 %"),
        "06 83": row("power_sum u32 W.h"),
        "07 c9": row("current u16 mA"),
        "08 70": row(field("state u8", {1: "open", 0x11: "open"}, otherwise="close")),
        "ff 3f": row(field("outage u8", {0xFF: 1, 0: 0})),
    },
}
