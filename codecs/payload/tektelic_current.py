"""Tektelic: models whose current decoder has other names than the first one (Agro, Tundra). Shape: tektelic.py.

Source: actility/device-catalog (53ef3f3), vendors/tektelic/drivers. What the probes of the soil sensor measure is given
as sent and, as the published decoder works it out, as moisture (bar), temperature and tension (kPa).
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import ABSENT, Step
from torhaus.codecs.model import Scalar

_ALARM: Final = {0: "No Alarm", 255: "Alarm"}
_DRIEST_HZ: Final = 1399
_WETTEST_HZ: Final = 1341
_STEP_HZ: Final = 5
_TENSIONS: Final = ((293, 200), (485, 100), (600, 75), (770, 55), (1110, 35), (2820, 15), (4330, 9), (6430, 0))
"""Frequency of a Watermark probe, and the tension at that frequency; between two it falls evenly."""
_SLOPES: Final = (0.5208, 0.2174, 0.1176, 0.05884, 0.01170, 0.003974, 0.004286)
_THERMISTOR: Final = (-33.01, 217.4, -538.6, 628.1, -378.9, 102.9)


def _said(line: str, words: Mapping[int, Scalar]) -> Line:
    return field(line, words, otherwise="Invalid")


def _dryness(raw: int) -> Scalar:
    """Of the probe of gypsum, in ten steps."""
    if raw > _DRIEST_HZ:
        return "Dry"
    return "Wet" if raw <= _WETTEST_HZ else min(12, max(1, (1401 - raw) // _STEP_HZ + 1)) / 10


def tension(raw: int) -> int:
    """Of a Watermark probe, kPa."""
    for ((low, most), (high, _)), slope in zip(pairwise(_TENSIONS), _SLOPES, strict=True):
        if low <= raw < high or raw == high == _TENSIONS[-1][0]:
            return math.floor(most - (raw - low) * slope + 0.5)
    return 0 if raw > _TENSIONS[-1][0] else _TENSIONS[0][1]


def _probe(raw: int) -> Scalar:
    return round(-32.46 * math.log(raw) + 236.36, 1) if raw else ABSENT


def _thermistor(raw: int) -> float:
    volts = raw / 1000
    total = 0.0
    for factor in _THERMISTOR:
        total = total * volts + factor
    return round(total, 1)


def _watermark(n: int) -> tuple[Step, ...]:
    return row(f"watermark{n}_frequency u16 Hz", field(f"watermark{n}_tension = kPa", convert=tension))


AGRO: Final[Mapping[str, tuple[Step, ...]]] = {
    "00 ba": row(_said("eos_alert u8 7:1", {0: "No Alarm", 1: "Alarm"}), "battery_voltage = 0:7 /100 +2.5 .2 V"),
    "00 d3": row("rem_batt_capacity u8 0:7 %"),
    "00 bd": row("rem_batt_days u16 d"),
    "01 04": row("input1_frequency u16 Hz", field("input1_frequency_to_moisture = bar", convert=_dryness)),
    "02 02": row("input2_voltage u16 /1000 V", field("input2_voltage_to_temp = Cel", convert=_probe)),
    **{
        f"0{n} 02": row(f"input{n}_voltage u16 /1000 V", field(f"input{n}_voltage_to_temp = Cel", convert=_thermistor))
        for n in (3, 4)
    },
    **{f"0{n} 67": row(f"input{n}_temperature i16 /10 Cel") for n in (3, 4)},
    "05 04": _watermark(1),
    "06 04": _watermark(2),
    "09 65": row("light_intensity u16 lx"),
    "09 00": row(_said("light_detected u8", _ALARM)),
    "0a 71": row(*(f"accelerometer_data_{axis}axis i16 /1000 [g]" for axis in "xyz")),
    "0a 00": row(_said("orientation_alarm u8", _ALARM)),
    "0b 67": row("ambient_temperature i16 /10 Cel"),
    "0b 68": row("relative_humidity u8 /2 %"),
    "0c 67": row("mcu_temperature i16 /10 Cel"),
    "0d 73": row("rfu_2 u16 /10"),
}
TUNDRA: Final[Mapping[str, tuple[Step, ...]]] = {
    "00 ff": row("battery_voltage i16 /100 V"),
    "00 d3": row("rem_batt_capacity u8 %"),
    "00 bd": row("rem_batt_days u16 d"),
    "0b 67": row("mcu_temperature i16 /10 Cel"),
    "03 67": row("ambient_temperature i16 /10 Cel"),
    "04 68": row("relative_humidity u8 /2 %"),
    "0e 00": row(_said("ext_reed_switch_state u8", {0: "Magnet Present", 255: "Magnet Absent"})),
    "0f 04": row("ext_reed_switch_count u16"),
    "02 02": row("ext_probe_voltage i16 /1000 V"),
    "02 67": row("ext_probe_temperature i16 /10 Cel"),
    "00 00": row(_said("acceleration_alarm u8", {0: "Alarm inactive", 255: "Alarm active"})),
    "00 71": row(*(f"{axis}axis u16" for axis in "xyz")),
}
