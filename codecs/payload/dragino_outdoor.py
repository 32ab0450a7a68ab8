"""Dragino outdoors: tracker, water flow, snow and level radar, weather station. Source and shape: dragino.py."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import ABSENT, Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_doors import BANDS, TRUE, Port, date, info, log

_TRACKER: Final = row(
    "latitude i32 /1000000 deg",
    "longitude i32 /1000000 deg",
    field("alarm_status u16 14:1", {0: False, 1: True}),
    "bat_v = 0:14 /1000 V",
    field("md u8 6:2", {0: "Disable", 1: "Move", 2: "Collide", 3: "User"}),
    field("lon = 5:1", {0: False, 1: True}),
    "fw = 0:5 +160",
)
_ANGLES: Final = row("roll i16 @11 /100 deg", "pitch i16 /100 deg")
_HEIGHT: Final = row("hdop u8 @15 /100", "altitude i16 /100 m")
_LOW_V: Final = 2.84
_OFF: Final = 268.0
"""Degrees: a receiver that is switched off says more."""


def _tracker(data: bytes, fields: Fields) -> None:
    if len(data) not in {11, 15, 18}:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, lgt92 sends 11, 15 or 18")
    run(_TRACKER, data, 0, fields)
    if len(data) == 18:
        run(_HEIGHT, data, 0, fields)
    if len(data) > 11:
        run(_ANGLES, data, 0, fields)
    north, east, volts = (fields[name].value for name in ("latitude", "longitude", "bat_v"))
    assert isinstance(north, int | float)
    assert isinstance(east, int | float)
    assert isinstance(volts, int | float)
    if (volts <= _LOW_V and north > _OFF and east > _OFF) or north == east == 0:
        del fields["latitude"], fields["longitude"]


def _digits(raw: int) -> int:
    """0x0123 as 123, as far as its digits go."""
    text = f"{raw:x}"
    count = next((n for n, c in enumerate(text) if c not in "0123456789"), len(text))
    return int(text[:count]) if count else ABSENT


_PULSES: Final = {1: 360, 2: 60}
_OTHER_PULSES: Final = 450
"""Pulses per litre, by what the device is set to count with."""


def _flow(pulses: int, setting: int) -> Decimal:
    per_litre = _PULSES.get(setting, _OTHER_PULSES)
    return Decimal(pulses / per_litre).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _water(data: bytes, fields: Fields) -> None:
    pulses = int.from_bytes(data[1:5], "big")
    fields["water_flow_value"] = Value(float(_flow(pulses, data[0] >> 2)), "L")
    fields["last_pulse" if data[5] == 1 else "total_pulse"] = Value(pulses)


def _water_event(entry: bytes) -> str:
    pulses = int.from_bytes(entry[3:7], "big")
    setting = entry[0] >> 2
    return f"{TRUE[entry[0] >> 1 & 1]},{setting},{entry[1]},{pulses},{_flow(pulses, setting)}"


_POINTS: Final = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
_WEATHER: Final[dict[int, tuple[Step, ...]]] = {
    0x00: row("bat u16 /10 V"),
    0x01: row("wind_speed u16 /10 m/s", "wind_speed_level u8"),
    0x02: row("wind_direction_angle u16 /10 deg", field("wind_direction u8", dict(enumerate(_POINTS)))),
    0x03: row("illumination u16 *10 lx"),
    0x04: row("rain_snow u8"),
    0x05: row("co2 u16 [ppm]"),
    0x06: row("tem i16 /10 Cel"),
    0x07: row("hum u16 /10 %"),
    0x08: row("pressure u16 /10 hPa"),
    0x09: row("rain_gauge u16 /10 mm"),
    0x0A: row("pm2_5 u16 ug/m3"),
    0x0B: row("pm10 u16 ug/m3"),
    0x0C: row("par u16 umol/m2/s"),
    0x0D: row("tsr u16 /10 W/m2"),
    **{0xA1 + n: row(f"a{n + 1} u16") for n in range(4)},
}
_ANSWERS: Final = 0xE0
"""First byte of answers to commands."""


def _weather(data: bytes, fields: Fields) -> None:
    """Kind, size, value, over and over. A size that goes beyond the end is that of the last value."""
    cursor = Cursor(data)
    if data[0] >= _ANSWERS:
        raise DecodeError(RejectReason.UNSUPPORTED, "an answer to a command")
    while cursor.left:
        kind, size = cursor.u8(), cursor.u8()
        steps = _WEATHER.get(kind)
        if steps is None:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"kind {kind:#04x} at offset {cursor.pos - 2}")
        run(steps, data, cursor.pos, fields)
        cursor.pos = min(cursor.pos + size, len(data))


def _wired(raw: bytes) -> str:
    return f"{raw[0]:x}{raw[1]:02x}{raw[2]:x}"


OUTDOOR: Final[dict[str, dict[int, Port]]] = {
    "lgt92": {2: ((11, 18), (), _tracker)},
    "lmds200": {
        2: (
            (7, 11),
            row(
                "bat u16 /1000 V", "dis1 u16 mm", "dis2 u16 mm", "dalarm_count u8 2:6", "distance_alarm = 1:1",
                "interrupt_alarm = 0:1",
            ),
            None,
        ),
        4: ((9, 11), row("tdc u24 s", "atdc u8 min", "alarm_min u16 mm", "alarm_max u16 mm", "interrupt u8"), None),
        5: (
            (7, 7),
            row(
                field("sensor_model u8", {0x0C: "LMDS200"}), field("ver u16", convert=_digits),
                field("frequency_band u8", dict(BANDS)), "sub_band u8", "bat u16 /1000 V",
            ),
            None,
        ),
    },
    "sw3l": {
        2: (
            (11, 11),
            row(
                field("alarm u8 1:1", TRUE), "calculate_flag = 2:6", "mod u8 @5",
                field("data_time u32 @7", convert=date),
            ),
            _water,
        ),
        3: log(_water_event),
        4: ((7, 11), row("tdc u24 s", "stop_timer u8 @4", "alarm_timer u16"), None),
        5: info(0x11, "SW3L"),
    },
    "wsc1-l": {
        2: ((4, 242), (), _weather),
        5: (
            (10, 10),
            row(
                field("node u8", {0x0D: "WSC1-L"}),
                field("version u16", convert=lambda raw: f"V.{raw >> 8}.{raw >> 4 & 0x0F}.{raw & 0x0F}"),
                field("frequency_band u8", {n: name.replace("_", "-") for n, name in BANDS.items() if n <= 10}),
                "sub_band u8",
                "bat u16 /1000 V",
                field("weather_sensor_types hex3", convert=_wired),
            ),
            None,
        ),
    },
}  # fmt: skip
