"""Dragino's newer battery sensors (-LB, and the same with a solar panel: -LS). Shape: dragino.py.

Source: the decoders in dragino/dragino-end-node-decoder (e81cc58), one folder for each model. There logged readings are
one text; here they are `datalog_<n>_<name>`, in the order in which they are sent.
"""

from typing import Final

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import rounded, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_doors import TRUE, More, Port, date, info

_ENTRY_BYTES: Final = 11
_SAID: Final = {0: "False", 1: "True"}
_PIN: Final = {0: "Low", 1: "High"}
_HIGH: Final = {0: "LOW", 1: "HIGH"}
SHUT: Final = {0: "OPEN", 1: "CLOSE"}
_TIME: Final = field("datalog_#_time u32 @7", convert=date)
_PIN_STATES: Final = (field("datalog_#_exti_pin_level u8 @6 1:1", _PIN), field("datalog_#_exti_status = 0:1", _SAID))


def told(name: str, more: More | None = None) -> More:
    """What depends on the fields, and the model as the device's maker writes it."""

    def add(data: bytes, fields: Fields) -> None:
        if more is not None:
            more(data, fields)
        fields["node_type"] = Value(name)

    return add


def logged(name: str, marked_at: int, *lines: str | Special) -> Port:
    """Stored readings of 11 bytes. `marked_at`: the byte that says whether they are sent because of no answer."""
    steps = row(*lines, _TIME)

    def more(data: bytes, fields: Fields) -> None:
        if len(data) % _ENTRY_BYTES:
            raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, not a whole number of entries")
        for n, pos in enumerate(range(0, len(data), _ENTRY_BYTES)):
            run(steps, data, pos, fields, str(n))

    return (11, 242), row(field(f"pnackmd u8 @{marked_at} 7:1", _SAID)), told(name, more)


def _series(name: str, size: int, battery: str, *lines: str) -> Port:
    """Values that were measured shortly after each other, `size` bytes each time, behind the battery's voltage."""
    steps = row(*lines)

    def more(data: bytes, fields: Fields) -> None:
        if (len(data) - 2) % size:
            raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, the last value is cut off")
        for n, pos in enumerate(range(2, len(data), size)):
            run(steps, data, pos, fields, str(n))

    return (2 + size, 242), row(f"{battery} u16 /1000 V"), told(name, more)


def _by_mode(name: str, at: int, modes: dict[int, tuple[str | Special, ...]]) -> More:
    known = {mode: row(*lines) for mode, lines in modes.items()}

    def more(data: bytes, fields: Fields) -> None:
        mode = data[at] >> 2 & 0x1F
        if mode not in known:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"working mode {mode}")
        run(known[mode], data, 0, fields)

    return told(name, more)


_TRIGGER: Final = field("exti_trigger u8 @6 0:1", TRUE)
_DOOR: Final = field("door_status = 7:1", SHUT)
_S31: Final[dict[int, tuple[str | Special, ...]]] = {
    0: ("bat_v u16 /1000 V", field("data_time u32", convert=date), _TRIGGER, _DOOR, "temp_c_sht31 i16 /10 Cel",
        "hum_sht31 u16 /10 %"),
    31: ("shtemp_min i8 @7 Cel", "shtemp_max i8 Cel", "shhum_min u8 %", "shhum_max u8 %"),
}  # fmt: skip
_D23: Final[dict[int, tuple[str | Special, ...]]] = {
    3: ("bat_v u16 /1000 V", field("temp_c1 i16 /10 Cel", {0x7FFF: "NULL"}), _TRIGGER, _DOOR,
        "temp_c2 i16 /10 ?0x7fff Cel", "temp_c3 i16 /10 ?0x7fff Cel"),
    31: ("tempc1_min i8 @4 Cel", "tempc1_max i8 Cel", "tempc2_min i8 @7 Cel", "tempc2_max i8 Cel",
         "tempc3_min i8 Cel", "tempc3_max i8 Cel"),
}  # fmt: skip
_SOIL: Final = (
    row("water_soil u16 @4 /100 %", "temp_soil i16 /100 Cel", "conduct_soil u16 uS/cm"),
    row("soil_dielectric_constant u16 @4 /10", "raw_water_soil u16", "raw_conduct_soil u16"),
)
_SEVERAL: Final = 0x10
_DISTANCE: Final = row(
    "bat u16 0:14 /1000 V", "distance u16 mm", "interrupt_flag u8", "temp_c_ds18_b20 i16 /10 Cel", "sensor_flag u8"
)
_DISTANCES_END: Final = row("interrupt_flag u8", "temp_c_ds18_b20 i16 /10 Cel", "sensor_flag u8")
_NO_PROBE: Final = 20_000
"""Tenths of degrees, beyond which there is no probe."""


def _soil(data: bytes, fields: Fields) -> None:
    run(_SOIL[data[10] >> 7], data, 0, fields)


def _distance(name: str) -> More:
    def more(data: bytes, fields: Fields) -> None:
        if not data[0] & _SEVERAL:
            run(_DISTANCE, data, 0, fields)
            fields["node_type"] = Value(name)
            return
        end = len(data) - 4
        if end < 8 or (end - 8) % 2:
            raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, the last distance is cut off")
        fields["bat"] = Value((int.from_bytes(data[:2], "big") & 0x0FFF) / 1000, "V")
        for n, pos in enumerate(range(8, end, 2)):
            fields[f"additional_distance_data_{n}"] = Value(int.from_bytes(data[pos : pos + 2], "big"), "mm")
        run(_DISTANCES_END, data, end, fields)

    return more


def _detected(data: bytes, fields: Fields) -> None:
    if len(data) % 2:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, the last distance is cut off")
    for n, pos in enumerate(range(0, len(data), 2)):
        fields[f"detect_mode_data_{n}"] = Value(int.from_bytes(data[pos : pos + 2], "big"), "mm")


def _thermocouples(data: bytes, fields: Fields) -> None:
    for n, pos in ((1, 3), (2, 5)):
        raw = int.from_bytes(data[pos : pos + 2], "big", signed=True)
        if abs(raw) <= _NO_PROBE:
            fields[f"temp_channel{n}"] = Value(raw / 10, "Cel")


_DEEP: Final = "water_deep_cm", "cm"
_PRESSURE: Final = "water_pressure_kpa", "MPa"  # so much for the vendor's name: its factors are of MPa
_DIFFERENCE: Final = "differential_pressure_pa", "Pa"
_PRESSURES: Final = {
    1: (4, 0.0375), 2: (4, 0.0625), 3: (4, 0.1), 4: (4, 0.15625), 5: (4, 0.625), 6: (4, 2.5), 7: (4, 3.75),
    8: (4, -0.00625), 9: (12, 0.0125), 10: (4, 0.3125), 11: (4, 3.125), 12: (4, 6.25),
}  # fmt: skip
_DIFFERENCES: Final = {
    1: (4, 6.25), 2: (4, 12.5), 3: (4, 18.75), 4: (4, 62.5), 5: (4, 125), 6: (4, 187.5), 7: (4, 250), 8: (4, 312.5),
    9: (4, 625), 10: (12, 12.5), 11: (12, 25), 12: (12, 125),
}  # fmt: skip
"""By the probe's type: the current of zero in mA, and how much one mA more is."""


def _probe(data: bytes, fields: Fields) -> None:
    """What 4 to 20 mA mean depends on the probe that is set."""
    kind, size = data[2], data[3]
    current = int.from_bytes(data[4:6], "big") / 1000
    if kind == 0:
        (name, unit), found = _DEEP, (4, size * 100 / 16)
    elif kind in {1, 2}:
        (name, unit), table = (_PRESSURE, _PRESSURES) if kind == 1 else (_DIFFERENCE, _DIFFERENCES)
        if size not in table:
            return
        found = table[size]
    else:
        return
    fields[name] = Value(rounded((current - found[0]) * found[1], 3) if current > 4 else 0, unit)


def _flags(*lines: tuple[str, dict[int, str]], first: str) -> tuple[Special, ...]:
    """Named bits of one byte, the highest first."""
    return tuple(field(f"{name} {first if n == 0 else '='} {7 - n}:1", words) for n, (name, words) in enumerate(lines))


_ROC: Final = tuple((f"{name}_roc_flag_{end}", TRUE) for name in ("idc", "vdc") for end in "lh")
_PROBE: Final = row(
    "bat_v u16 /1000 V", "probe_mod hex2", "idc_intput_ma u16 /1000 mA", "vdc_intput_v u16 /1000 V",
    *_flags(*_ROC, ("in1_pin_level", _PIN), ("in2_pin_level", _PIN), ("exti_pin_level", _PIN), ("exti_status", _SAID),
            first="u8"),
)  # fmt: skip
_TEMPERATURE_LIMITS: Final = (
    field("interrupt_flag u8 @2 0:1", TRUE), field("interrupt_level = 1:1", _HIGH), field("temp1_h_flag = 4:1", _SAID),
    field("temp1_l_flag = 5:1", _SAID), field("temp2_h_flag = 2:1", _SAID), field("temp2_l_flag = 3:1", _SAID),
)  # fmt: skip


def _level(name: str, model_id: int) -> dict[int, Port]:
    return {
        2: ((8, 242), (), _distance(name)),
        3: logged(name, 0, "datalog_#_distance u16 @2 mm", "datalog_#_temp_c_ds18_b20 i16 /10 Cel"),
        5: info(model_id, name),
        6: ((2, 242), (), _detected),
    }


BATTERY: Final[dict[str, dict[int, Port]]] = {
    "s31-lb": {
        2: ((11, 11), (), _by_mode("S31-LB", 6, _S31)),
        3: logged("S31-LB", 6, "datalog_#_temp_c_sht31 i16 @2 /10 Cel", "datalog_#_hum_sht31 u16 /10 %", *_PIN_STATES),
        5: info(0x0A, "S31-LB"),
    },
    "d23-lb": {
        2: ((11, 11), (), _by_mode("D23-LB", 6, _D23)),
        3: logged("D23-LB", 6, *(f"datalog_#_temp_c{n} i16 /10 ?0x7fff Cel" for n in (1, 2, 3)), *_PIN_STATES),
        5: info(0x19, "D23-LB"),
    },
    "se01-lb": {
        2: (
            (11, 11),
            row("bat_v u16 0:14 /1000 V", "temp_ds18_b20 i16 /10 Cel", "s_flag u8 @10 4:1", "i_flag = 0:4",
                "mod = 7:1"),
            told("SE01-LB", _soil),
        ),
        5: info(0x26, "SE01-LB"),
    },
    "lms01-lb": {
        2: (
            (11, 11),
            row("bat u16 0:14 /1000 V", "temp_c_ds18_b20 i16 /10 Cel", "leaf_moisture u16 /10 %",
                "leaf_temperature i16 /10 Cel", "interrupt_flag u8", "message_type u8 @10"),
            told("LMS01-LB"),
        ),
        5: info(0x2D, "LMS01-LB"),
    },
    "sph01-lb": {
        2: (
            (11, 11),
            row("bat u16 0:14 /1000 V", "temp_c_ds18_b20 i16 /10 Cel", "ph1_soil u16 /100 [pH]",
                "temp_soil i16 /10 Cel",
                "interrupt_flag u8", "message_type u8 @10"),
            told("SPH01-LB"),
        ),
        5: info(0x2C, "SPH01-LB"),
    },
    "lds12-lb": {
        2: (
            (11, 11),
            row("bat u16 0:14 /1000 V", "temp_c_ds18_b20 i16 /10 Cel", "lidar_distance u16 /10 cm", "lidar_signal u16",
                field("interrupt_flag u8 0:1", TRUE), field("interrupt_level = 1:1", _HIGH), "lidar_temp i8 Cel",
                "message_type u8"),
            told("LDS12-LB"),
        ),
        3: logged("LDS12-LB", 0, field("datalog_#_interrupt_level u8 1:1", _PIN),
                field("datalog_#_interrupt_flag = 0:1", _SAID), "datalog_#_lidar_distance u16 @2 /10 cm",
                "datalog_#_lidar_signal u16", "datalog_#_lidar_temp i8 Cel"),
        5: info(0x24, "LDS12-LB"),
    },
    "dds75-lb": _level("DDS75-LB", 0x27),
    "dds45-lb": _level("DDS45-LB", 0x28),
    "dds20-lb": _level("DDS20-LB", 0x29),
    "dds04-lb": {
        2: (
            (11, 11),
            row("bat_v u16 0:14 /1000 V", field("exti_trigger = 14:1", TRUE), field("exti_level = 15:1", _HIGH),
                *(f"distance{n}_cm u16 /10 cm" for n in (1, 2, 3, 4)), "mes_type u8"),
            told("DDS04-LB"),
        ),
        5: info(0x23, "DDS04-LB"),
    },
    "ltc2-lb": {
        2: (
            (11, 11),
            row("bat_v u16 /1000 V", *_TEMPERATURE_LIMITS, field("data_time u32 @7", convert=date)),
            told("LTC2-LB", _thermocouples),
        ),
        3: logged("LTC2-LB", 6, "datalog_#_temp_channel2 i16 @2 /10 Cel", "datalog_#_temp_channel1 i16 /10 Cel",
                *_PIN_STATES),
        5: info(0x16, "LTC2-LB"),
        7: _series("LTC2-LB", 4, "bat", *(f"datalog_#_temp_channel{n} i16 /10 Cel" for n in (1, 2))),
    },
    "ps-lb": {
        2: ((9, 9), _PROBE, told("PS-LB", _probe)),
        5: (*info(0x16, "PS-LB")[:2], told("PS-LB")),
        7: _series("PS-LB", 2, "bat_v", "datalog_#_idc_intput_ma u16 /1000 mA"),
    },
}  # fmt: skip
