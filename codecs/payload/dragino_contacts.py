"""Dragino's newer contacts, counters and inputs (-LB, -LS). Source: dragino_battery.py; shape: dragino.py."""

from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import rounded, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_battery import SHUT, logged, told
from torhaus.codecs.payload.dragino_doors import TRUE, Port, date, info, working_mode

_LEAK: Final = {0: "NO LEAK", 1: "LEAK"}
_LEVEL: Final = {0: "L", 1: "H"}
_NULL: Final = {0x7FFF: "NULL"}
_OPEN: Final = {0: "CLOSE", 1: "OPEN"}
_SUM: Final = {0: "SUM", 1: "PART"}
_YES: Final = {0: "NO", 1: "YES"}
_TIME: Final = field("time u32 @7", convert=date)
_SETTINGS: Final = ("tdc u24 s", "disalarm u8 0:1", "keep_status u8 0:1", "keep_time u16 s")


def _event(prefix: str, *, what: str, words: dict[int, str], state: str) -> tuple[str | Special, ...]:
    """How often and how long a door was open, or it was wet, until now."""
    return (
        field(f"{prefix}cmod u8 3:1", _SUM), field(f"{prefix}tdc = 2:1", _YES), field(f"{prefix}alarm = 1:1", TRUE),
        field(f"{prefix}{state} = 0:1", words), f"{prefix}{what}_times u24", f"{prefix}last_{what}_duration u24 min",
    )  # fmt: skip


def _door(n: int, at: int) -> tuple[str | Special, ...]:
    return (
        field(f"alarm{n} u8 @{at} 1:1", TRUE), field(f"door{n}_open_status = 0:1", _OPEN), f"door{n}_open_times u24",
        f"last_door{n}_open_duration u24 min",
    )  # fmt: skip


_ONE_DOOR: Final = row(*_event("", what="door_open", words=_OPEN, state="door_open_status"), _TIME)
_TWO_DOORS: Final = row(field("cmod u8 3:1", _SUM), field("tdc = 2:1", _YES), *_door(1, 0), *_door(2, 11), _TIME)


def _doors(data: bytes, fields: Fields) -> None:
    if len(data) not in {11, 18}:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, one door has 11 and two have 18")
    run(_ONE_DOOR if len(data) == 11 else _TWO_DOORS, data, 0, fields)


_COUNTERS: Final = ("pa8", "pa4", "pb15")
_ONE_COUNTER: Final = row(
    field("alarm u8 1:1", TRUE), field("pin_status = 0:1", _OPEN), "ttrig_mod = 2:1", "total_pulse u24",
    "last_duration u24 min", _TIME,
)  # fmt: skip
_THREE_COUNTERS: Final = row(
    "calculate_flag u8 0:3",
    *(f"{name}_total_pulse u24" for name in _COUNTERS),
    *(field(f"{name}_roc {'u8' if n == 0 else '='} {n}:1", TRUE) for n, name in enumerate(_COUNTERS)),
)


def _pulses(data: bytes, fields: Fields) -> None:
    run(_THREE_COUNTERS if data[0] & 8 else _ONE_COUNTER, data, 0, fields)


_PER_LITRE: Final = {1: 390, 2: 64, 3: 12}


def _water(data: bytes, fields: Fields) -> None:
    pulses = int.from_bytes(data[1:5], "big")
    fields["water_flow_value"] = Value(rounded(pulses / _PER_LITRE.get(data[0] >> 2 & 0x0F, 450), 1), "L")
    fields["last_pulse" if data[5] == 1 else "total_pulse"] = Value(pulses)


_HEAD: Final = ("bat_v u16 /1000 V", field("temp_c1 i16 /10 Cel", _NULL))
_ADC: Final = "adc1_v u16 /1000 V"
_DIGITAL: Final = field("digital_i_status u8 @6 1:1", _LEVEL)
_DOOR: Final = (field("exti_trigger u8 @6 0:1", TRUE), field("door_status = 7:1", SHUT))
_USUAL: Final = (*_HEAD, _ADC, _DIGITAL, *_DOOR)
_SHT: Final = (
    field("temp_c_sht i16 @7 /10 Cel", {**_NULL, -1: "NULL"}),
    field("hum_sht u16 @9 /10 %", {0xFFFF: "NULL"}),
)
_LIGHT: Final = row("illum u16 @7 lx")
_CLIMATE: Final = row(*_SHT)
_MODES: Final = {
    0: ("IIC", row(*_USUAL)),
    1: ("Distance", row(*_USUAL, field("distance_cm u16 @7 /10 cm", {0: "NULL"}),
                        "distance_signal_strength u16 ?0xffff")),
    2: ("3ADC+IIC", row(_ADC, "adc2_v u16 /1000 V", "adc3_v u16 /1000 V", *_DOOR, "bat_v u8 @11 /10 V")),
    3: ("3DS18B20", row(*_USUAL, field("temp_c2 i16 @7 /10 Cel", _NULL), field("temp_c3 i16 /10 Cel", _NULL))),
    4: ("Weight", row(*_USUAL, field("weight hex4 @7 g", convert=lambda raw: int.from_bytes(
        raw[2:] + raw[:2], "big", signed=True)))),
    5: ("1Count", row(*_HEAD, _ADC, _DIGITAL, "count u32 @7")),
    6: ("3Interrupt", row(*_HEAD, _ADC, field("exti1_trigger u8 @6 0:1", TRUE), field("exti1_status = 7:1", SHUT),
                          *(line for n in (2, 3) for line in (field(f"exti{n}_trigger u8 4:1", TRUE),
                                                              field(f"exti{n}_status = 0:1", SHUT))))),
    7: ("3ADC+1DS18B20", row(*_HEAD, _ADC, *_DOOR, "adc2 u16 @7 /1000 V", "adc3 u16 /1000 V")),
    8: ("3DS18B20+2Count", row(*_HEAD, field("temp_c2 i16 /10 Cel", _NULL), *_DOOR,
                               field("temp_c3 i16 @7 /10 Cel", _NULL), "count1 u32", "count2 u32")),
    9: ("PWM", row(*_USUAL)),
    10: ("TMP117", row(*_USUAL, field("temp_c_tmp117 i16 @7 /100 Cel", _NULL))),
    11: ("Count+SHT31", row(*_USUAL, field("temp_c_sht i16 @2 /10 Cel", {**_NULL, -1: "NULL"}),
                            field("hum_sht u16 /10 %", {0xFFFF: "NULL"}), "count u32 @7")),
}  # fmt: skip


def _inputs(data: bytes, fields: Fields) -> None:
    mode, (text, steps) = working_mode(data, _MODES)
    run(steps, data, 0, fields)
    fields["work_mode"] = Value(text)
    if mode in {0, 2}:
        run(_CLIMATE if data[9] or data[10] else _LIGHT, data, 0, fields)
    elif mode == 9:
        _pulse_width(data, fields)


def _pulse_width(data: bytes, fields: Fields) -> None:
    is_slow = bool(data[6] & 2)
    period, high = int.from_bytes(data[7:9], "big"), int.from_bytes(data[9:11], "big")
    fields["pwm_mode"] = Value("ms" if is_slow else "us")
    fields["frequency"] = Value((1000 if is_slow else 1_000_000) // period if period else 0, "Hz")
    fields["dutycycle"] = Value(rounded(high / period * 100, 1) if period else 0, "%")


CONTACTS: Final[dict[str, dict[int, Port]]] = {
    "sn50v3-lb": {2: ((11, 17), (), told("SN50_v3-LB", _inputs)), 5: info(0x1C, "SN50_v3-LB")},
    "wl03a-lb": {
        2: (
            (11, 11),
            row(*_event("", what="water_leak", words=_LEAK, state="water_leak_status"), _TIME),
            told("WL03A-LB"),
        ),
        3: logged(
            "WL03A-LB", 0, *_event("datalog_#_", what="water_leak", words=_LEAK, state="water_leak_status")
        ),
        4: ((8, 11), row(*_SETTINGS, "leak_alarm_time u8"), told("WL03A-LB")),
        5: info(0x1D, "WL03A-LB"),
    },
    "ds03a-lb": {
        2: ((11, 18), (), told("DS03A-LB", _doors)),
        3: logged("DS03A-LB", 0, *_event("datalog_#_", what="door_open", words=_OPEN, state="door_open_status")),
    },
    "cpl03-lb": {
        2: (
            (11, 11),
            row(
                field("workmod u8 3:1", {0: "CPL01", 1: "CPL03"}), field("cmod = 5:1", _SUM), field("tdc = 4:1", _YES),
            ),
            told("CPL03-LB", _pulses),
        ),
        4: ((11, 11), row(*_SETTINGS, *(f"ttrig_mod{n} u8" for n in (1, 2, 3)), "alarm_tdc u8"), told("CPL03-LB")),
        5: info(0x20, "CPL03-LB"),
        7: (
            (1, 11),
            row(
                *(
                    line
                    for n, name in enumerate(_COUNTERS)
                    for line in (
                        field(f"exti_{name}_trigger u8 @0 {2 * n + 1}:1", TRUE),
                        field(f"exti_{name}_status = {2 * n}:1", SHUT),
                    )
                )
            ),
            told("CPL03-LB"),
        ),
    },
    "sw3l-lb": {
        2: (
            (11, 11),
            row(
                field("tdc_interval u8 0:1", _YES), field("alarm = 1:1", TRUE), "calculate_flag = 2:4", "mod u8 @5 0:6",
                field("pa4_level = 7:1", _LEVEL), field("pb15_level = 6:1", _LEVEL),
                field("data_time u32 @7", convert=date),
            ),
            told("SW3L-LB", _water),
        ),
        4: ((7, 11), row("tdc u24 s", "stop_timer u8 @4", "alarm_timer u16"), told("SW3L-LB")),
        5: info(0x1F, "SW3L-LB"),
    },
}  # fmt: skip
