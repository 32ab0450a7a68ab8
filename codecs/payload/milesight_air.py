"""Milesight: indoor air (AM), climate, contacts and leaks (EM300, EM320, GS301). Source and shape: milesight.py."""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.milesight_channels import (
    BATTERY,
    CLIMATE,
    HUMIDITY,
    MUTATION,
    STATUS,
    TEMPERATURE,
    Channels,
    enabled,
    guarded,
    history,
    named,
    row,
)

_AIR: Final = ("temperature i16 /10 Cel", "humidity u8 /2 %")
_PIR: Final = {0: "idle", 1: "trigger"}
_LEAK: Final = {0: "normal", 1: "leak"}
_MAGNET: Final = {0: "close", 1: "open"}

_LINE: Final[Channels] = {"ff 0b": row(named("device_status u8", {0: "offline", 1: "online"}))}
_AM300: Final[Channels] = {
    **CLIMATE,
    **STATUS,
    "05 00": row(named("pir u8", _PIR)),
    "06 cb": row("light_level u8"),
    "07 7d": row("co2 u16 [ppm]"),
    "08 7d": row("tvoc u16 /100"),  # an index
    "08 e6": row("tvoc u16 ug/m3"),
    "09 73": row("pressure u16 /10 hPa"),
    "0e 01": row(named("buzzer_status u8", {0: "off", 1: "on"})),
}
_PM: Final[Channels] = {"0b 7d": row("pm2_5 u16 ug/m3"), "0c 7d": row("pm10 u16 ug/m3")}


def _air_history(*more: str) -> Channels:
    """0x20 with the index of organic compounds, 0x21 with their concentration."""
    head = ("temperature i16 /10 Cel", "humidity u16 /2 %", named("pir u8", _PIR), "light_level u8", "co2 u16 [ppm]")
    return {
        "20 ce": history(*head, "tvoc u16 /100", "pressure u16 /10 hPa", *more),
        "21 ce": history(*head, "tvoc u16 ug/m3", "pressure u16 /10 hPa", *more),
    }


_PMS: Final = ("pm2_5 u16 ug/m3", "pm10 u16 ug/m3")
_AM307: Final[Channels] = {**_AM300, **_air_history()}
_AM308: Final[Channels] = {**_AM300, **_PM, **_air_history(*_PMS)}
_AM319_HCHO: Final[Channels] = {
    **_AM300, **_LINE, **_PM, "0a 7d": row("hcho u16 /100 mg/m3"), **_air_history(*_PMS, "hcho u16 /100 mg/m3"),
}  # fmt: skip
_AIR_WELL: Final = _air_history(_PMS[0], "hcho u16 /1000 [ppm]")
_AM319_WELL: Final[Channels] = {
    **_AM300,
    **_LINE,
    "0b 7d": row(_PMS[0]),
    "0f 7d": row("hcho u16 /1000 [ppm]"),
    "22 ce": _AIR_WELL["20 ce"],
    "23 ce": _AIR_WELL["21 ce"],
}
_AM319_O3: Final[Channels] = {
    **_AM300,
    **_PM,
    "0d 7d": row("o3 u16 /100 [ppm]"),
    **_air_history(*_PMS, "o3 u16 /100 [ppm]"),
}
_AM100: Final[Channels] = {
    **CLIMATE,
    "05 6a": row("activity u16"),
    "06 65": row("illumination u16 lx"),
    "07 7d": row("co2 u16 [ppm]"),
    "08 7d": row("tvoc u16 [ppb]"),
    "09 73": row("pressure u16 /10 hPa"),
}
_AM102: Final[Channels] = {
    **CLIMATE,
    "20 ce": history(*_AIR),
    "ff 18": (*row("none skip1"), *enabled("sensor_enable u8", "temperature", "humidity")),
}

_GPIO: Final = {0: "low", 1: "high"}
_GPIO_ALARM: Final = {0: "gpio alarm release", 1: "gpio alarm"}
_WATER_ALARMS: Final = {
    0: "none",
    1: "water outage timeout alarm",
    2: "water outage timeout alarm release",
    3: "water flow timeout alarm",
    4: "water flow timeout alarm release",
    5: "gpio alarm",
    6: "gpio alarm release",
}
_WATER_ALARM: Final = {number: word for number, word in _WATER_ALARMS.items() if 1 <= number <= 4}
_WATER: Final = ("water_conv u16 /10", "pulse_conv u16 /10", "water f32 .2")
_PULSE: Final[Channels] = {
    "01 75": BATTERY,
    "05 00": row(named("gpio u8", _GPIO)),
    "05 c8": row("pulse u32"),
    "05 e1": row(*_WATER),
    "85 00": row(named("gpio u8", _GPIO), named("gpio_alarm u8", _GPIO_ALARM)),
    "85 e1": row(*_WATER, named("water_alarm u8", _WATER_ALARM)),
}

_GPIO_TYPES: Final = {1: "gpio", 2: "counter"}
_STORED_AT: Final = row("#_timestamp u32 s")
_STORED_CLIMATE: Final = row("#_temperature i16 @4 /10 Cel", "#_humidity u8 /2 %")
_STORED_LEVEL: Final = row(named("#_gpio u8 @8", _GPIO))
_STORED_PULSE: Final = row("#_pulse u32 @9")
_STORED_ALARM: Final = row(named("#_alarm u8 @7", _WATER_ALARMS))
_STORED_GPIO: Final = row(named("#_gpio u8 @9", _GPIO))
_STORED_WATER: Final = row("#_water_conv u16 @10 /10", "#_pulse_conv u16 /10", "#_water f32 .2")


def stored_input(
    size: int, *, has_climate: bool = True, types: Mapping[int, str] = _GPIO_TYPES, otherwise: str | None = "unknown"
) -> Special:
    """A stored reading of an input that is a level (mode 1) or counts pulses (mode 2); 18 bytes with its alarm."""
    mode_at = 7 if size == 13 else 8
    level, pulse = (_STORED_LEVEL, _STORED_PULSE) if size == 13 else (_STORED_GPIO, _STORED_WATER)
    always = [_STORED_AT, *([_STORED_CLIMATE] if has_climate else []), *([_STORED_ALARM] if size == 18 else [])]
    by_mode = {1: [level], 2: [pulse]}

    def read(data: bytes, pos: int, out: Fields) -> int:
        if pos + size > len(data):
            raise DecodeError(RejectReason.SHORT, f"history at offset {pos} is cut off")
        place = 0
        while f"history_{place}_timestamp" in out:
            place += 1
        mode = data[pos + mode_at]
        for steps in (*always, *by_mode.get(mode, [])):
            run(steps, data, pos, out, f"history_{place}")
        kind = types.get(mode, otherwise)
        if kind is not None:
            out[f"history_{place}_gpio_type"] = Value(kind)
        return pos + size

    return read


_SENSOR: Final = {0xFFFE: "polarizing", 0xFFFF: "device error"}
_CALIBRATED: Final = {0: "success", 1: "sensor version not match", 2: "i2c communication error"}
_CALIBRATION: Final = {0: "factory", 1: "manual"}


def _gas_calibration(gas: str, divisor: int) -> tuple[Step, ...]:
    name = f"{gas}_calibration_result"
    return row(
        named(f"{name}_type u8", _CALIBRATION), f"{name}_calibration_value i16 /{divisor} [ppm]",
        named(f"{name}_result u8", _CALIBRATED),
    )  # fmt: skip


_GAS: Final = {0: _gas_calibration("nh3", 100), 1: _gas_calibration("h2s", 1000)}


def _calibration(data: bytes, pos: int, out: Fields) -> int:
    """Which gas, then its result; of others there is nothing to tell."""
    steps = _GAS.get(data[pos] if pos < len(data) else -1, row("calibration_result skip4"))
    return run(steps, data, pos + 1, out)


def _slope(axis: str) -> Line:
    return field(
        f"angle_{axis} i16 deg",
        makes=lambda raw: {f"angle_{axis}": (raw >> 1) / 100, f"threshold_{axis}": "trigger" if raw & 1 else "normal"},
    )


_LIQUID: Final = {0: "uncalibrated", 1: "full", 2: "critical liquid level alert", 255: "error"}
_TILT: Final = {0: "normal", 1: "trigger"}
MODELS: Final[dict[str, Channels]] = {
    "am100-series": _AM100,
    **dict.fromkeys(("am102", "am102l"), _AM102),
    **dict.fromkeys(("am307", "am307l"), _AM307),
    **dict.fromkeys(("am308", "am308l"), _AM308),
    **dict.fromkeys(("am319-hcho", "am319-hcho-ir", "am319l-hcho-ir"), _AM319_HCHO),
    "am319-hcho-well": _AM319_WELL,
    **dict.fromkeys(("am319-o3", "am319l-o3"), _AM319_O3),
    "em300-th": {**CLIMATE, "20 ce": history(*_AIR, "end skip1")},
    "em300-mcs": {
        **CLIMATE,
        "06 00": row(named("magnet_status u8", _MAGNET)),
        "20 ce": history(*_AIR, named("magnet_status u8", _MAGNET)),
    },
    **{
        key: {
            **CLIMATE,
            "05 00": row(named("leakage_status u8", _LEAK)),
            "20 ce": history(*_AIR, named("leakage_status u8", _LEAK)),
        }
        for key in ("em300-sld", "em300-zld")
    },
    "em300-mld": {
        "01 75": BATTERY,
        "05 00": row(named("leakage_status u8", _LEAK)),
        "20 ce": history("climate skip3", named("leakage_status u8", _LEAK)),
    },
    "em300-di": {**CLIMATE, **_PULSE, "20 ce": stored_input(13), "21 ce": stored_input(18)},
    "em300-di-hall": {**_PULSE, "21 ce": stored_input(18, has_climate=False)},
    "em300-cl": {
        "01 75": BATTERY,
        "03 ed": row(named("liquid u8", _LIQUID)),
        "04 ee": row(named("calibration_result u8", {0: "failed", 1: "success"})),
        "83 ed": row(
            named("liquid u8", _LIQUID),
            named("liquid_alarm u8", {0: "critical liquid level alarm release", 1: "critical liquid level alarm"}),
        ),
    },
    "em310-tilt": {
        "01 75": BATTERY,
        "03 cf": row(
            "angle_x i16 /100 deg",
            "angle_y i16 /100 deg",
            "angle_z i16 /100 deg",
            named("threshold_x u8 0:1", _TILT),
            named("threshold_y = 1:1", _TILT),
            named("threshold_z = 2:1", _TILT),
        ),
    },
    "em320-tilt": {"01 75": BATTERY, "03 d4": row(_slope("x"), _slope("y"), _slope("z"))},
    "em320-th": {**CLIMATE, "20 ce": history(*_AIR)},
    "em500-co2": {
        **CLIMATE,
        "05 7d": row("co2 u16 [ppm]"),
        "06 73": row("pressure u16 /10 hPa"),
        "83 d7": row(
            "temperature i16 /10 Cel", "temperature_mutation i16 /10 K", named("temperature_alarm u8", MUTATION)
        ),
        "20 ce": history("co2 u16 [ppm]", "pressure u16 /10 hPa", *_AIR),
    },
    "gs301": {
        "01 75": BATTERY,
        "02 67": TEMPERATURE,
        "03 68": HUMIDITY,
        "04 7d": row(guarded("nh3 u16 /100 [ppm]", "nh3_sensor_status", _SENSOR)),
        "05 7d": row(guarded("h2s u16 /100 [ppm]", "h2s_sensor_status", _SENSOR)),
        "06 7d": row(guarded("h2s u16 /1000 [ppm]", "h2s_sensor_status", _SENSOR)),
        "07 ea": _calibration,
        "ff 7c": row("sensor_id text43"),
    },
}
