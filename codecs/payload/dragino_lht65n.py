"""Dragino LHT65N: temperature and humidity, and one of many external sensors, with stored readings.

Source: the decoder in dragino/dragino-end-node-decoder (e81cc58), LHT65N 1.5.6, and Dragino's wiki on the LHT65N.

    FPort 2   battery and its state | temperature | humidity | external sensor | its value, 4 bytes
    FPort 3   stored readings of 11 bytes, each with its time; or temperatures only
    FPort 5   about the device

Stored readings are `datalog_<n>_<name>`, in the order in which they are sent.
"""

from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.dragino_doors import Port, date, info

_NAME: Final = "LHT65N"
_ENTRY_BYTES: Final = 11
_STORED: Final = 0xC0
"""Of the byte for the external sensor: an answer to a question, or sent again because it was not confirmed."""
_POLLED: Final = 0x40
_NO_CONNECTION: Final = 0x80
_STATES: Final = {0: "Ultra Low", 1: "Low", 2: "OK", 3: "Good"}

_BATTERY: Final = row("bat_v u16 0:14 /1000 V", field("bat_status = 14:2", _STATES))
_CLIMATE: Final = row("temp_c_sht i16 @2 /100 Cel", "hum_sht u16 0:12 /10 %")
_DS: Final = "temp_c_ds i16 @7 /100 Cel"
_TMP117: Final = "temp_c_tmp117 i16 @7 /100 Cel"
_SHT31: Final = ("ext_temp_c_sht i16 @7 /100 Cel", "ext_hum_sht u16 0:12 /10 %")
_STAMPED: Final = ("bat_status u8 @4 6:2", "systimestamp u32 @7 s")
_WITHOUT_CLIMATE: Final = frozenset({14, 15, 0x10, 0x20})
_WITHOUT_BATTERY: Final = frozenset({9, 10})
_TEMPERATURE: Final = ("ext_sensor", "Temperature Sensor")
SENT: Final[dict[int, tuple[str, str, tuple[Step, ...]]]] = {
    4: (
        "work_mode",
        "Interrupt Sensor send",
        row(
            field("exti_pin_level u8 @7", {0: "Low"}, otherwise="High"),
            field("exti_status u8", {0: "False"}, otherwise="True"),
        ),
    ),
    5: ("work_mode", "Illumination Sensor", row("ill_lx u16 @7 lx")),
    6: ("work_mode", "ADC Sensor", row("adc_v u16 @7 /1000 V")),
    7: ("work_mode", "Interrupt Sensor count", row("exit_count u16 @7")),
}
"""Of what is connected, by its number: as the LHT65 sends it, too."""
_EXTERNAL: Final[dict[int, tuple[str, str, tuple[Step, ...]]]] = {
    0: ("ext_sensor", "No external sensor", ()),
    1: (*_TEMPERATURE, row(_DS)),
    2: (*_TEMPERATURE, row(_TMP117)),
    **SENT,
    8: ("work_mode", "Interrupt Sensor count", row("exit_count u32 @7")),
    9: ("work_mode", "DS18B20 & timestamp", row("temp_c_ds i16 @0 /100 Cel", *_STAMPED)),
    10: ("work_mode", "TMP117 & timestamp", row("temp_c_tmp117 i16 @0 /100 Cel", *_STAMPED)),
    11: ("work_mode", "SHT31 Sensor", row(*_SHT31)),
    15: ("work_mode", "DS18B20ID", ()),
    0x10: ("work_mode", "SHT31ID", row(*_SHT31)),
    0x20: ("work_mode", "NE117ID", row(_TMP117)),
}
_ID_ENDS: Final = {15: (7, 11), 0x10: (7, 7), 0x20: (9, 11)}
"""An identifier's first four bytes stand at 2, the others here."""

_LOGGED: Final = {
    **dict.fromkeys((1, 9), row("datalog_#_temp_c_ds i16 /100 Cel")),
    **dict.fromkeys((2, 10), row("datalog_#_temp_c_tmp117 i16 /100 Cel")),
    4: row(
        field("datalog_#_exti_pin_level u8", {0: "Low"}, otherwise="High"),
        field("datalog_#_exti_status u8", {0: "False"}, otherwise="True"),
    ),
    5: row("datalog_#_ill_lx u16 lx"),
    6: row("datalog_#_adc_v u16 /1000 V"),
    **dict.fromkeys((7, 8, 14), row("datalog_#_exit_count u16")),
    **dict.fromkeys((11, 12), row("datalog_#_ext_temp_c_sht i16 /100 Cel")),
}
_LOGGED_CLIMATE: Final = row(
    "datalog_#_temp_c_sht i16 @2 /100 Cel",
    "datalog_#_hum_sht u16 0:12 /10 %",
    field("datalog_#_time u32 @7", convert=date),
)
_PROBES: Final = {1: "ds18b20", 2: "tmp117", 3: "gxht30", 4: "sht31"}
_TEMPERATURES: Final = row("bat u16 0:14 mV", field("sensor u8", _PROBES))


def _uplink(data: bytes, fields: Fields) -> None:
    if data[6] & _POLLED:
        _log(data, fields)
        return
    if len(data) not in {11, 15}:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes, a reading has 11 or 15")
    external = data[6] & ~_STORED
    if external not in _WITHOUT_BATTERY:
        run(_BATTERY, data, 0, fields)
    if external not in _WITHOUT_CLIMATE:
        run(_CLIMATE, data, 0, fields)
    if data[6] & _NO_CONNECTION:
        fields["no_connect"] = Value("Sensor no connection")
    name, text, steps = _EXTERNAL.get(external, ("", "", ()))
    if name:
        fields[name] = Value(text)
    run(steps, data, 0, fields)
    if external in _ID_ENDS:
        begin, end = _ID_ENDS[external]
        fields["id"] = Value("".join(f"{byte:02x} " for byte in data[2:6] + data[begin:end]))
    fields["node_type"] = Value(_NAME)


def _stored(data: bytes, fields: Fields) -> None:
    """Temperatures only have no byte that marks every eleventh."""
    if len(data) % _ENTRY_BYTES == 0 and all(mark & _STORED for mark in data[6::_ENTRY_BYTES]):
        _log(data, fields)
    elif data[2] in _PROBES:
        if not len(data) % 2:
            raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, the last temperature is cut off")
        run(_TEMPERATURES, data, 0, fields)
        for n, pos in enumerate(range(3, len(data), 2)):
            fields[f"temp_{n}"] = Value(int.from_bytes(data[pos : pos + 2], "big", signed=True) / 100, "Cel")
        fields["node_type"] = Value(_NAME)
    else:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"{len(data)} bytes that are no stored readings")


def _log(data: bytes, fields: Fields) -> None:
    if len(data) % _ENTRY_BYTES:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes, not a whole number of entries")
    for n, pos in enumerate(range(0, len(data), _ENTRY_BYTES)):
        run(_LOGGED.get(data[pos + 6] & 0x0F, ()), data, pos, fields, str(n))
        run(_LOGGED_CLIMATE, data, pos, fields, str(n))
    fields["node_type"] = Value(_NAME)


LHT65N: Final[dict[str, dict[int, Port]]] = {
    "lht65n": {
        2: ((11, 242), (), _uplink),
        3: ((5, 242), (), _stored),
        5: info(0x0B, _NAME),
    }
}
