"""Dragino devices with inputs for what is wired to them (LSN50, LT-22222-L, LT-33222-L). Source, shape: dragino.py."""

from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_doors import TRUE, Port, working_mode

_LEVEL: Final = field("digital_i_status u8 @6 1:1", {0: "L", 1: "H"})
_LSN_FLAGS: Final = (
    _LEVEL,
    field("exti_trigger = 0:1", TRUE),
    field("door_status = 7:1", {0: "OPEN", 1: "CLOSE"}),
)
_LSN_HEAD: Final = ("bat_v u16 /1000 V", "temp_c1 i16 /10 Cel", "adc_ch0_v u16 /1000 V")
_LSN_SHT: Final = row("temp_c_sht i16 @7 /10 Cel", "hum_sht u16 /10 %")
_LSN: Final = {
    0: ("IIC", row(*_LSN_HEAD, *_LSN_FLAGS)),
    1: (" Distance", row(*_LSN_HEAD, *_LSN_FLAGS, "distance_cm u16 @7 /10 cm", "distance_signal_strength u16 ?0xffff")),
    2: (" 3ADC", row("adc_ch0_v u16 /1000 V", "adc_ch1_v u16 /1000 V", "adc_ch4_v u16 /1000 V", *_LSN_FLAGS,
                     "bat_v u8 @11 /10 V")),
    3: ("3DS18B20", row(*_LSN_HEAD, *_LSN_FLAGS, "temp_c2 i16 @7 /10 Cel", "temp_c3 i16 /10 Cel")),
    4: ("Weight", row(*_LSN_HEAD, *_LSN_FLAGS, "weight i16 @7 g")),
    5: ("Count", row(*_LSN_HEAD, *_LSN_FLAGS, "count i32 @7")),
    6: (None, row(*_LSN_HEAD, _LEVEL)),
    31: ("ALARM", row(*_LSN_HEAD[:2], "temp_c1_min i8 Cel", "temp_c1_max i8 Cel", "shtempmin i8 @7 Cel",
                      "shtempmax i8 Cel", "shthummin u8 %", "shthummax u8 %")),
}  # fmt: skip


def _lsn50(data: bytes, fields: Fields) -> None:
    mode, (text, steps) = working_mode(data, _LSN)
    run(steps, data, 0, fields)
    if text is not None:
        fields["work_mode"] = Value(text)
    if mode in {0, 2}:
        if data[9] or data[10]:
            run(_LSN_SHT, data, 0, fields)
        else:
            fields["illum"] = Value(int.from_bytes(data[7:9], "big", signed=True), "lx")


_PROBE_ALARM: Final = field("alarm_status u8 @6 0:1", TRUE)
_THREE_PROBES: Final = {
    3: (
        "DS18B20",
        row(
            "bat_v u16 /1000 V",
            field("temp_red i16 /10 Cel", {-1: "NULL"}),
            _PROBE_ALARM,
            field("temp_white i16 /10 Cel", {-1: "NULL"}),
            field("temp_black i16 /10 Cel", {-1: "NULL"}),
        ),
    ),
    31: (
        "ALARM",
        row(
            "temp_red_min i8 @4 Cel", "temp_red_max i8 Cel", "temp_white_min i8 @7 Cel", "temp_white_max i8 Cel",
            "temp_black_min i8 Cel", "temp_black_max i8 Cel",
        ),
    ),
}  # fmt: skip


def _probes(data: bytes, fields: Fields) -> None:
    _, (text, steps) = working_mode(data, _THREE_PROBES)
    fields["work_mode"] = Value(text)
    run(steps, data, 0, fields)


_COUNTED: Final = ("count1_times u32",)
_FIRST: Final = (field("first_status u8 @8 5:1", {0: "No", 1: "Yes"}),)
_CURRENTS: Final = ("aci1_ma i16 @4 /1000 mA", "aci2_ma i16 /1000 mA")
_VOLTAGES: Final = ("avi1_v i16 @0 /1000 V", "avi2_v i16 /1000 V")
_HIGH: Final = {0: "L", 1: "H"}
_LOW: Final = {0: "H", 1: "L"}
_SWITCHED: Final = {0: "OFF", 1: "ON"}
_SAID: Final = {0: "False", 1: "True"}
_INPUTS: Final = ("av1_l", "av1_h", "av2_l", "av2_h", "ac1_l", "ac1_h", "ac2_l", "ac2_h")
_OUTPUTS: Final = row(
    field("do1_status u8 @8 0:1", _LOW),
    field("do2_status = 1:1", _LOW),
    field("ro1_status = 7:1", _SWITCHED),
    field("ro2_status = 6:1", _SWITCHED),
)


def _bits(kind: str) -> tuple[Step, ...]:
    """One byte, a bit for each limit of each analogue input."""
    at = 0 if kind == "flag" else 1
    return row(
        *(field(f"{name}_{kind} {f'u8 @{at}' if n == 0 else '='} {7 - n}:1", _SAID) for n, name in enumerate(_INPUTS))
    )


_CONTROLLER: Final[dict[int, tuple[str, tuple[Step, ...]]]] = {
    1: (
        "2ACI+2AVI",
        row(*_VOLTAGES, *_CURRENTS, field("di1_status u8 @8 3:1", _HIGH), field("di2_status = 4:1", _HIGH)),
    ),
    2: ("Count mode 1", row(*_COUNTED, "count2_times u32", *_FIRST)),
    3: ("2ACI+1Count", row(*_COUNTED, *_CURRENTS, *_FIRST)),
    4: ("Count mode 2", row(*_COUNTED, "acount_times u32", *_FIRST)),
    5: (" 1ACI+2AVI+1Count", row(*_VOLTAGES, _CURRENTS[0], "count1_times u16", *_FIRST)),
    6: (
        "Exit mode",
        (
            *row(field("mode_status u8 @9", {0: "False"}, otherwise="True")),
            *_bits("flag"),
            *_bits("status"),
            *row(
                field("di2_status u8 @2 3:1", _SAID),
                field("di2_flag = 2:1", _SAID),
                field("di1_status = 1:1", _SAID),
                field("di1_flag = 0:1", _SAID),
            ),
        ),
    ),
}
_HARDWARE: Final = {0: "LT33222", 1: "LT22222"}
_THIRD_OUTPUT: Final = row(field("do3_status u8 @8 2:1", _LOW))
_THIRD_INPUT: Final = row(field("di3_status u8 @8 5:1", _HIGH))


def _controller(data: bytes, fields: Fields) -> None:
    hardware, mode = data[10] >> 6, data[10] & 0x3F
    found = _CONTROLLER.get(mode)
    if found is None or hardware not in _HARDWARE:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"hardware {hardware}, working mode {mode}")
    fields["hardware_mode"] = Value(_HARDWARE[hardware])
    if hardware == 0:
        run(_THIRD_OUTPUT, data, 0, fields)
        if mode == 1:
            run(_THIRD_INPUT, data, 0, fields)
    if mode != 6:
        run(_OUTPUTS, data, 0, fields)
    text, steps = found
    fields["work_mode"] = Value(text)
    run(steps, data, 0, fields)


INPUTS: Final[dict[str, dict[int, Port]]] = {
    **{key: {2: ((11, 12), (), _lsn50)} for key in ("lsn50-v2", "lsn50v2-d20", "lsn50v2-s31")},
    "lsn50v2-d20-d22-d23": {2: ((11, 11), (), _probes)},
    **{key: {2: ((11, 11), (), _controller)} for key in ("lt22222-l", "lt33222-l")},
}
