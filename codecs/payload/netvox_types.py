"""Netvox device types, their reports and configuration, as tables. Source and shape: netvox.py."""

import struct
from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step, rounded
from torhaus.codecs.model import DecodeError, RejectReason

TYPES: Final[dict[int, str]] = {
    1: "R711(R712)", 2: "R311A", 3: "RB11E", 4: "R311G", 5: "RA07Series", 6: "R311W", 9: "R726Series", 10: "RA02A",
    11: "R718A", 13: "RA07**YSeries", 14: "R809A", 16: "RB02I", 17: "RA02C", 18: "R718WB", 19: "R718AB", 20: "R718B2",
    22: "R718CK2", 23: "R718CT2", 24: "R718CR2", 25: "R718CE2", 26: "R718DA", 27: "R718DB", 28: "R718E", 29: "R718F",
    30: "R718G", 31: "R718H", 32: "R718IA", 33: "R718J", 34: "R718KA", 37: "R718LB", 38: "R718MA", 39: "R718MBA",
    42: "R718IB", 43: "R718MBB", 44: "R718MBC", 47: "R718DA2", 49: "R718T", 50: "R718WA", 52: "R718X", 53: "RA0716",
    54: "R72616", 55: "R72716", 61: "R718DB2", 62: "R718F2", 63: "R718H2", 65: "R718IA2", 66: "R718IB2", 67: "R718J2",
    68: "R718KA2", 69: "R718LB2", 73: "R718N1", 74: "R718N3", 75: "R311B", 76: "R311CA", 77: "R312A", 78: "R311D",
    79: "R311FA", 80: "R311FB", 81: "R311FC", 85: "R312", 86: "R311CB", 87: "R718PA", 88: "R718PB", 89: "R719A",
    90: "R311WA", 91: "R718Q", 105: "R602A", 106: "R72616A", 108: "R311CC", 110: "R720A", 112: "R720C", 115: "R816B",
    116: "R730IA", 117: "R730IB", 125: "R730F", 126: "R730F2", 129: "R730MA", 130: "R730MBA", 131: "R730MBB",
    132: "R730MBC", 137: "R730DA", 138: "R730DA2", 139: "R730DB", 140: "R730DB2", 141: "R730LB", 142: "R730LB2",
    144: "R718CJ", 145: "R718CK", 146: "R718CT", 147: "R718CR", 148: "R718CE", 149: "R718B", 151: "R718QA",
    154: "R718EA", 155: "R718PA22", 156: "R718AD", 157: "R720D", 165: "R720E", 168: "R311DA", 169: "R311DB",
    170: "R311LA", 173: "R831C", 176: "R831D", 177: "R718PE", 178: "R831A", 179: "R831B", 183: "R720F", 188: "R711A",
    200: "R718EB", 222: "R603",
}  # fmt: skip

_ON: Final = {0: "OFF"}
_LEAK: Final = {0: "NoLeak"}
_ALARM: Final = {0: "No alarm"}
_FIRE: Final = {0: "No Alarm"}


def _on(line: str) -> Special:
    return field(line, _ON, otherwise="ON")


def _leak(line: str) -> Special:
    return field(line, _LEAK, otherwise="Leak")


def _fire(line: str) -> Special:
    return field(line, _FIRE, otherwise="Alarm")


def _probe(line: str) -> Special:
    """A value of the multi-sensors."""
    kind = line.split()[1]
    bad = {"u8": 0xFF, "u16": 0xFFFF, "i16": -1, "u32": 0xFFFFFFFF}[kind]
    return field(line, {bad: "NoSensor"})


def _bfloat(line: str) -> Special:
    """The upper half of an IEEE 754 single, least significant byte first, shown with six decimals."""

    def convert(raw: int) -> float:
        value: float = struct.unpack(">f", struct.pack(">HH", raw, 0))[0]
        if value - value != 0:
            raise DecodeError(RejectReason.RANGE, "a floating point number that is none")
        return rounded(value, 6)

    return field(line, convert=convert)


Steps = tuple[Step, ...]
_ONE: Final = row("status u8")
_TWO: Final = row("status1 u8", "status2 u8")
_TEMP_10: Final = row("temp i16 /10 Cel")
_TEMP_100: Final = row("temp i16 /100 Cel")
_CLIMATE: Final = row("temp i16 /100 Cel", "humi u16 /100 %")
_PM: Final = (_probe("pm1_0 u16 ug/m3"), _probe("pm2_5 u16 ug/m3"), _probe("pm10 u16 ug/m3"))
_MULTI: Final[dict[int, Steps]] = {
    1: row(*_PM),
    2: row(*_PM),
    3: row(_probe("um0_3 u16"), _probe("um0_5 u16"), _probe("um1_0 u16")),
    4: row(_probe("um2_5 u16"), _probe("um5_0 u16"), _probe("um10 u16")),
    5: row(_probe("o3 u16 /10 [ppm]"), _probe("co u16 /10 [ppm]"), _probe("no u16 /10 [ppm]")),
    6: row(_probe("no2 u16 /10 [ppm]"), _probe("so2 u16 /10 [ppm]"), _probe("h2_s u16 /10 [ppm]")),
    7: row(_probe("co2 u16 /10 [ppm]"), _probe("nh3 u16 /10 [ppm]"), _probe("noise u16 /10 dB[SPL]")),
    8: row(_probe("ph u16 /100 [pH]"), _probe("temp_ph i16 /100 Cel"), _probe("orp i16 mV")),
    9: row(_probe("ntu u16 /10"), _probe("temp_ntu i16 /100 Cel"), _probe("ec5_soild_humi u16 /100 %")),
    10: row(
        _probe("soild_humi5_te u16 /100 %"), _probe("soild_temp5_te i16 /100 Cel"), _probe("water_level u16 mm"),
        _probe("ec5_te u8 /10"),
    ),
    11: row(_probe("temp_ldo i16 /100 Cel"), _probe("ldo_do u16 /100 mg/L"), _probe("ldo_sat u16 /10 %")),
    12: row(_probe("temperature i16 /100 Cel"), _probe("humidity u16 /100 %"), _probe("wind_speed u16 /100 m/s")),
    13: row(_probe("wind_direction u16 deg"), _probe("atomsphere u32 /100 mbar")),
    14: row(_probe("voc u16 /10 [ppm]")),
}  # fmt: skip
_POWER: Final = {
    1: row(
        _on("onoff u8"), "energy u32 W.h", field("over_current_alarm u8", _ALARM, otherwise="Alarm"),
        field("dash_current_alarm u8", _ALARM, otherwise="Alarm"),
        field("power_off_alarm u8", _ALARM, otherwise="Alarm"),
    ),
    0: row("vol u16 V", "current u16 mA", "power u16 W"),
}  # fmt: skip
_RELAYS: Final = (_on("relay_1 u8"), _on("relay_2 u8"), _on("relay_3 u8"))
_INPUTS: Final = (_on("input_1 u8"), _on("input_2 u8"), _on("input_3 u8"))
_MULTIPLIERS: Final = tuple(
    field(f"multiplier{n} {'u8' if n == 1 else '='} {2 * n - 2}:2", {0: 1, 1: 5, 2: 10, 3: 100}) for n in (1, 2, 3)
)
_LEVEL: Final = (_on("status u8"), "distance u16 mm")

_GROUPS: Final[tuple[tuple[tuple[int, ...], dict[int, Steps]], ...]] = (
    # device types; report type (0: every other) to fields behind the battery
    ((2, 29, 125), {0: row("onoff u8")}),
    ((43, 80, 131), {0: row("work_count i32")}),
    ((44, 81, 132), {0: row("work_duration_time i32 s")}),
    ((4, 75), {0: row("illuminance u16 lx")}),
    ((170,), {0: row(_on("status u8"), "raw_sense_data u16")}),
    ((6,), {0: row(_leak("water_leak_1 u8"), _leak("water_leak_2 u8"))}),
    ((18, 50), {0: row(_leak("water_leak u8"))}),
    ((89,), {0: row(_on("status u8"))}),
    ((222,), {0: row(field("warning_status u8", {0: "No warning"}, otherwise="Warning"),
                     _on("contact_switch_status u8"))}),
    ((90,), {0: row(_on("status_1 u8"), _on("status_2 u8"))}),
    ((105,), {0: row("heart_beat_time u16 s", field("warning_status u8", {0: "No warning"}, otherwise="Warning"))}),
    ((1, 11, 19, 110), {0: _CLIMATE}),
    ((156, 157, 188), {0: _TEMP_100}),
    ((20, 22, 23, 24, 25), {0: row("temp1 i16 /10 Cel", "temp2 i16 /10 Cel")}),
    ((144, 145, 146, 147, 148, 149), {0: _TEMP_10}),
    ((47, 61, 62, 67, 69, 76, 86, 108, 126, 138, 140, 142), {0: _TWO}),
    ((26, 27, 33, 37, 39, 79, 91, 130, 137, 139, 141, 151, 168, 169, 183), {0: _ONE}),
    ((28,), {
        1: row(*(_bfloat(f"acceleration_{axis} u16 le m/s2") for axis in "xyz")),
        0: row(*(_bfloat(f"velocity_{axis} u16 le mm/s") for axis in "xyz"), "temp i16 /10 Cel"),
    }),
    ((154,), {0: row("angle_x i8 deg", "angle_y i8 deg", "angle_z i8 deg", "temp i16 /10 Cel")}),
    ((200,), {0: row("angle_x i16 /10 deg", "angle_y i16 /10 deg", "angle_z i16 /10 deg")}),
    ((30,), {0: row("illuminance i32 lx")}),
    ((31,), {0: row("pulse_count u16")}),
    ((63,), {0: row("pulse_count1 u16", "pulse_count2 u16")}),
    ((65, 66), {0: row("adc_raw_value1 u16", "adc_raw_value2 u16")}),
    ((32, 42, 116, 117), {0: row("adc_raw u16")}),
    ((34,), {0: row("current u8 mA", "fine_current u8 /10 mA")}),
    ((68,), {0: row("current_1 u8 mA", "current_2 u8 mA", "fine_current_1 u8 /10 mA", "fine_current_2 u8 /10 mA")}),
    ((38, 78, 129), {0: row("rssi i16 dB[mW]", "snr u8 dB", "heart_interval u16 s")}),
    ((73,), {0: row("current u16 mA", "multiplier u8")}),
    ((74,), {1: row("current1 u16 mA", "current2 u16 mA", "current3 u16 mA", "multiplier1 u8"),
             2: row("multiplier2 u8", "multiplier3 u8"),
             3: row("current1 u16 mA", "current2 u16 mA", "current3 u16 mA", *_MULTIPLIERS)}),
    ((155,), {0: row("depth u16 mm", "temp i16 Cel", field("install_status u8", {0: "Success"}, otherwise="Failure"))}),
    ((52,), {0: row(*_LEVEL, "temp i16 /10 Cel", "fill_level u8 %", "angle_ofinclination u8 deg")}),
    ((177,), {0: row(*_LEVEL, "fill_level u8 %")}),
    ((112,), {0: row("air_pressure u32 /100 mbar", "temp i16 /100 Cel")}),
    ((165,), {0: row("tvoc_voc u16", "temp i16 /100 Cel", "humi u16 /100 %",
                     field("sensor_unit u8", {0: "ppb"}, otherwise="index"))}),
    ((14, 115), _POWER),
    ((178, 179), {0: row(_on("motor_status u8"))}),
    ((173,), {0: row(*_RELAYS)}),
    ((176,), {0: row(*_RELAYS, *_INPUTS)}),
    ((10,), {0: row(_fire("fire_alarm u8"), _fire("high_temp_alarm u8"),
                    "temp i16 /10 Cel")}),
    ((17,), {0: row(_fire("co_alarm u8"), _fire("high_temp_alarm u8"))}),
    ((5, 9, 13, 87, 88), _MULTI),
    ((53, 54, 55, 106), {0: row("temp i16 /100 Cel", "humi u16 /100 %", "pm25 u16 ug/m3")}),
    ((85,), {0: row("doorbell u8")}),
    ((16, 49, 77), {0: row("alarm u8")}),
    ((3,), {0: row("temp i16 /100 Cel", "illuminance u16 lx", "occupy u8", "disassembled_alarm u8")}),
)  # fmt: skip
REPORTS: Final[dict[int, dict[int, Steps]]] = {n: reports for types, reports in _GROUPS for n in types}

WITHOUT_BATTERY: Final = frozenset(
    # (device type, report type; 0: all reports, -1: its configuration)
    [(n, 0) for n in (14, 115, 105, 173, 176, 178, 179)] + [(28, 2)]
    + [(n, -1) for n in (5, 9, 13, 87, 88, 53, 54, 55, 106, 14, 115, 105, 73, 74, 173, 176, 178, 179)]
)  # fmt: skip

_CONFIGURED: Final[tuple[tuple[tuple[int, ...], Steps], ...]] = (
    ((75,), row("illuminance_threshold u16 lx")),
    ((4,), row("illuminance_change u16 lx")),
    ((90,), row("sensor_disable_time u16 s", "sensor_detection_time u16 s")),
    ((1, 11, 19, 110), row("temp_change u16 /100 K", "humi_change u16 /100 %")),
    ((156, 157, 188), row("temp_change u16 /100 K")),
    ((20, 22, 23, 24, 25, 144, 145, 146, 147, 148, 149), row("temp_change u16 /10 K")),
    ((28,), row("acceleration_change u16 m/s2")),
    ((154,), row("angle_change u8 deg", "temp_change u8 /10 K")),
    ((200,), row("angle_change u16 /10 deg")),
    ((30,), row("illuminance_change i32 lx")),
    ((65, 66), row("adc_raw_value_change u16")),
    ((34, 68), row("current_change u8 mA")),
    ((73, 74), row("current_change u16 mA")),
    ((155,), row("depth_change u16 mm", "temp_change u8 K")),
    ((52,), row("distance_change u16 mm", "temp_change u16 /10 K")),
    ((177,), row("distance_change u16 mm")),
    ((112,), row("temp_change u16 /100 K", "air_pressure_change u16 /10 mbar")),
    ((165,), row("tvoc_voc_change u16", "temp_change u8 /10 K", "humi_change u8 /10 %")),
    ((14, 115), row("current_change u16 mA", "power_change u16 W")),
    ((3,), row("temp_change u16 /100 K", "illuminance_change u16 lx")),
)
CONFIGURED: Final[dict[int, Steps]] = {n: steps for types, steps in _CONFIGURED for n in types}

_DISTANCE: Final = ("OnDistanceThreshold", row("ondistance_threshold u16 mm"))
_SWITCH: Final = ("SwitchType", row(field("switch_type u8", {0: "Toggle"}, otherwise="Momentary")))
OWN_CONFIGURATION: Final[dict[tuple[int, int], tuple[str, Steps]]] = {
    # (device type, number of the set command's answer): what is set; fields of the get command's answer
    (170, 0x83): _DISTANCE,
    (52, 0x83): _DISTANCE,
    (177, 0x83): _DISTANCE,
    **{(n, 0x85): ("FillMaxDistance", row("fill_max_distance u16 mm")) for n in (52, 177)},
    **{(n, 0x8B): ("DeadZoneDistance", row("dead_zone_distance u16 mm")) for n in (52, 177)},
    (105, 0x83): ("StartWarningWithAck", ()),
    (28, 0x83): ("ActiveThreshold", row("active_threshold u16", "inactive_threshold u16")),
    (28, 0x87): ("RestoreReport", row("restore_report_set u8")),
    **{(n, 0x83): ("ActiveThreshold", row("threshold u16", "inactive_time u8 s")) for n in (154, 200)},
    (30, 0x83): ("SunlightSampleRange", row("range_setting u8")),
    **{(n, 0x83): ("Filtertime", row("filter_time u8 *5 ms")) for n in (31, 63)},
    **{
        (n, 0x85): ("PulseCounterClearMode",
                    row(field("pulse_counter_clear_mode u8", {0: "Clear when send"}, otherwise="Clear when Roll-Over")))
        for n in (31, 63)
    },
    (155, 0x83): ("MeasureType", row(field("measure_type u8", {1: "Water", 2: "Gasoline", 3: "Diesel oil"}))),
    (165, 0x83): ("ResetTVOCBaseLine", ()),
    **{(n, 0x83): _SWITCH for n in (173, 176, 178, 179)},
    **{(n, 0x83): ("AlarmThreshold", row("alarm_threshold u8 [ppm]")) for n in (10, 17)},
    (3, 0x83): ("IRDisableTime", row("ir_disable_time u16 s", "ir_detection_time u16 s")),
}  # fmt: skip
SET_COMMANDS: Final = {"StartWarningWithAck": "StartWarningWithAckRsp", "ResetTVOCBaseLine": "ResetTVOCBaseLineRsp"}
"""Answers that are not called Set…Rsp."""

_OK: Final = {0: "Success"}
CALIBRATION: Final[dict[int, dict[int, tuple[str, Steps]]]] = {
    13: {
        0x81: ("SetButtonPressTimeRsp", row(field("status u8", _OK, otherwise="Failure"))),
        0x82: ("GetButtonPressTimeRsp", row("press_time u8 s")),
    },
    14: {
        0x81: ("SetGlobalCalibrateRsp", row(field("sensor_type u8", {1: "Temperature"}), "channel u8 +1",
                                            field("status u8", _OK, otherwise="Failure"))),
        0x82: ("GetGlobalCalibrateRsp", row(field("sensor_type u8", {1: "Temperature"}), "channel u8 +1",
                                            "multiplier u16", "divisor u16", "delt_value i16")),
        0x83: ("ClearGlobalCalibrateRsp", row(field("status u8", _OK, otherwise="Failure"))),
    },
}  # fmt: skip
