"""Dragino models as tables: FPort to (shortest and longest payload, fields, what depends on the fields)."""

from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_battery import BATTERY
from torhaus.codecs.payload.dragino_contacts import CONTACTS
from torhaus.codecs.payload.dragino_doors import CONTACT, DOOR, LEAK, TRUE, Port, battery
from torhaus.codecs.payload.dragino_inputs import INPUTS
from torhaus.codecs.payload.dragino_lht65n import LHT65N, SENT
from torhaus.codecs.payload.dragino_outdoor import OUTDOOR
from torhaus.codecs.payload.dragino_probes import PROBES

_DISTANCE: Final = {0: "No Sensor", 20: "Invalid Reading"}
_LEVEL_TAIL: Final = ("interrupt_flag u8", "temp_c_ds18_b20 i16 /10 Cel", "sensor_flag u8")


def _old_level(data: bytes, fields: Fields) -> None:
    if len(data) != 5:
        fields["distance"] = Value("No Sensor")
        return
    distance = int.from_bytes(data[2:4], "big")
    fields["value"] = Value(distance)
    fields["distance"] = Value("Invalid Reading") if distance < 20 else Value(distance, "mm")


def _level(data: bytes, fields: Fields) -> None:
    """Firmware from 1.1.4 on sends eight bytes, older five or less."""
    if len(data) >= 8:
        run(_LEVEL, data, 0, fields)
    else:
        _old_level(data, fields)


_LEVEL: Final = row(*battery("bat"), field("distance u16 mm", _DISTANCE), *_LEVEL_TAIL)
_ULTRASONIC: Final[dict[int, Port]] = {2: ((2, 8), (), _level)}
_SOIL: Final = (
    *battery("bat"), "temp_c_ds18_b20 i16 /10 Cel", "water_soil u16 /100 %", "temp_soil i16 /100 Cel",
    "conduct_soil u16 uS/cm",
)  # fmt: skip
_DS18B20: Final = (*battery("bat"), "temp_c_ds18_b20 i16 /10 Cel")

_EXTERNAL: Final = {
    1: ("ext_sensor", "Temperature Sensor", row("temp_c_ds i16 @7 /100 Cel")),
    **SENT,
    8: ("work_mode", "Interrupt Sensor count", row("exit_count i32 @7")),
    9: ("work_mode", "DS18B20 & timestamp", row("systimestamp i32 @7 s")),
    15: ("work_mode", "DS18B20ID", ()),
}
_LHT65: Final = row("temp_c_sht i16 @2 /100 Cel", "hum_sht u16 0:12 /10 %")
_LHT65_BATTERY: Final = row("bat_v u16 0:14 /1000 V", "bat_status = 14:2")
_LHT65_DS: Final = row("temp_c_ds i16 /100 Cel", "bat_status u8 @4 6:2")


def _lht65(data: bytes, fields: Fields) -> None:
    external = data[6] & 0x0F
    run(_LHT65_DS if external == 9 else _LHT65_BATTERY, data, 0, fields)
    if external != 15:
        run(_LHT65, data, 0, fields)
    if data[6] & 0x80:
        fields["no_connect"] = Value("Sensor no connection")
    if external == 0:
        fields["ext_sensor"] = Value("No external sensor")
    elif external in _EXTERNAL:
        name, text, steps = _EXTERNAL[external]
        fields[name] = Value(text)
        run(steps, data, 0, fields)
    if external == 15:
        fields["id"] = Value("".join(f"{byte:02x} " for byte in data[2:6] + data[7:11]))


_TEMP_PAIR: Final = {
    1: row("temp_channel1 i16 @3 /100 Cel", "temp_channel2 i16 /100 Cel"),
    2: row("temp_channel1 i16 @3 /10 Cel", "temp_channel2 i16 /10 Cel"),
    3: row("res_channel1 u16 @3 /100 Ohm", "res_channel2 u16 /100 Ohm"),
}


def _ltc2(data: bytes, fields: Fields) -> None:
    if data[2] & 0x40:
        raise DecodeError(RejectReason.UNSUPPORTED, "a stored reading, sent on request")
    run(_TEMP_PAIR.get(data[2] & 0x0F, ()), data, 0, fields)


_AIR: Final = row(
    field("alarm_status u8 @2 0:1", TRUE), "tvoc_ppb u16 [ppb]", "co2_ppm u16 [ppm]", "temp_c_sht i16 /10 Cel",
    "hum_sht u16 /10 %",
)  # fmt: skip
_AIR_ALARM: Final = row(
    "shtempmin i8 @3 Cel", "shtempmax i8 Cel", "shthummin u8 %", "shthummax u8 %", "co2_min u16 [ppm]",
    "co2_max u16 [ppm]",
)  # fmt: skip


def _laq4(data: bytes, fields: Fields) -> None:
    mode = data[2] >> 2 & 0x1F
    if mode not in {1, 31}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"working mode {mode}")
    fields["work_mode"] = Value("CO2" if mode == 1 else "ALARM")
    run(_AIR if mode == 1 else _AIR_ALARM, data, 0, fields)


def _lht52_status(data: bytes, fields: Fields) -> None:
    if len(data) == 11:
        run(_LHT52, data, 0, fields)
    else:
        fields["status"] = Value("RPL data or sensor reset")


def _lht52_log(data: bytes, fields: Fields) -> None:
    del data
    fields["status"] = Value("Data retrieved, your need to parse it by the application server")


_LHT52: Final = row(
    "temp_c_sht i16 /100 Cel", "hum_sht i16 /10 %", "temp_c_ds i16 /100 Cel", "ext u8", "systimestamp i32 s"
)

_BEACON_HEAD: Final = row("bat_v u16 /1000 V", "alarm u24 20:4", "step_count = 0:20")
_BEACONS: Final = {
    1: row("uuid text5 @6"),
    2: row("uuid text32 @6", "addr text12"),
    3: row(
        "uuid text12 @6",
        field("major text4", convert=lambda raw: _digits(raw, 16)),
        field("minor text4", convert=lambda raw: _digits(raw, 16)),
        "power skip2",
        field("rssi text4 dB[mW]", convert=lambda raw: _digits(raw, 10)),
    ),
}
"""Of the strongest beacon in reach, by working mode: only its begin; all of it; identity, numbers and strength."""


def _digits(raw: bytes, base: int) -> int:
    try:
        return int(raw.decode("ascii"), base)
    except ValueError:  # also UnicodeDecodeError
        raise DecodeError(RejectReason.SYNTAX, f"{raw.hex()} is no number of base {base}") from None


def _beacon(data: bytes, fields: Fields) -> None:
    steps = _BEACONS.get(data[5])
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"working mode {data[5]}")
    run(_BEACON_HEAD, data, 0, fields)
    fields |= {"addr": Value(""), "major": Value(1), "minor": Value(1), "rssi": Value(0, "dB[mW]")}
    run(steps, data, 0, fields)


FORMATS: Final[dict[str, dict[int, Port]]] = {
    **BATTERY,
    **CONTACTS,
    **INPUTS,
    **LHT65N,
    **OUTDOOR,
    **PROBES,
    "cpl01": CONTACT,
    "laq4": {2: ((11, 11), row("bat_v u16 /1000 V"), _laq4)},
    "ldds04": {
        2: (
            (11, 11),
            row(
                *battery("bat_v"),
                field("exti_trigger u8 @0 7:1", TRUE),
                "distance1_cm u16 @2 /10 cm",
                "distance2_cm u16 /10 cm",
                "distance3_cm u16 /10 cm",
                "distance4_cm u16 /10 cm",
                "mes_type u8",
            ),
            None,
        )
    },
    **dict.fromkeys(("ldds20", "ldds45", "ldds75", "ldds20-114", "ldds45-114", "ldds75-114"), _ULTRASONIC),
    "lds01": LEAK,
    "lds02": LEAK,
    "lwl01": LEAK,
    "lwl02": LEAK,
    "lwl03": LEAK,
    "lds03a": DOOR,
    "lbt1": {2: ((6, 50), (), _beacon)},
    "lht52": {
        2: ((1, 242), (), _lht52_status),
        3: ((1, 242), (), _lht52_log),
        4: ((8, 8), row("ds18_b20_id hex8"), None),
        5: (
            (7, 7),
            row(
                "sensor_model u8",
                field("firmware_version u16", convert=lambda raw: f"{raw:02x}"),
                "freq_band u8",
                "sub_band u8",
                "bat_mv u16 mV",
            ),
            None,
        ),
    },
    "lht65": {2: ((11, 11), (), _lht65)},
    "llds12": {
        2: (
            (11, 11),
            row(
                *_DS18B20,
                "lidar_distance u16 /10 cm",
                "lidar_signal u16",
                "interrupt_flag u8",
                "lidar_temp i8 Cel",
                "message_type u8",
            ),
            None,
        )
    },
    "llms01": {
        2: (
            (11, 11),
            row(
                *_DS18B20,
                "leaf_moisture u16 /10 %",
                "leaf_temperature i16 /10 Cel",
                "interrupt_flag u8",
                "message_type u8 @10",
            ),
            None,
        )
    },
    "lse01": {2: ((10, 11), row(*_SOIL), None)},
    "lse01-114": {
        2: ((11, 11), row(*_SOIL, "sensor_flag u8 4:4", "interrupt_flag = 0:4", "hardware_flag = 2:1"), None)
    },
    "lsnpk01": {
        2: (
            (11, 11),
            row(
                *_DS18B20,
                "n_soil u16 mg/kg",
                "p_soil u16 mg/kg",
                "k_soil u16 mg/kg",
                "message_type u8 4:4",
                "interrupt_flag = 0:4",
            ),
            None,
        )
    },
    "lsph01": {
        2: (
            (11, 11),
            row(
                *_DS18B20, "ph1_soil u16 /100 [pH]", "temp_soil i16 /10 Cel", "interrupt_flag u8", "message_type u8 @10"
            ),
            None,
        )
    },
    "ltc2": {2: ((11, 11), row(*battery("bat_v"), "ext u8 0:4", "systimestamp i32 @7 s"), _ltc2)},
}
