"""Milesight: EM320-TH of the second version, which tells alarms and errors of its own. Source, shape: milesight.py."""

from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import Fields
from torhaus.codecs.payload.milesight_channels import BATTERY, ENABLE, STATUS, Channels, history, named, row

_LIMITS: Final = {
    1: "Below alarm", 2: "Above alarm", 3: "Between alarm", 4: "Outside alarm", 6: "Below alarm clear",
    7: "Above alarm clear", 8: "Between alarm clear", 9: "Outside alarm clear",
}  # fmt: skip
_ERRORS: Final = {1: "collection_err", 2: "lower_range_err", 3: "over_range_err"}
_WHICH: Final = ("below", "above", "within", "below_or_above")
_RECORDS: Final = dict(
    enumerate(
        (
            "periodic_report", "manual_operation_report",
            *(f"temperature_{which}" for which in _WHICH),
            "temperature_mutation_alarm",
            *(f"temperature_{which}_clear" for which in _WHICH),
            "temperature_over_range_upper", "temperature_over_range_lower", "temperature_collection_err",
            *(f"humidity_{which}" for which in _WHICH),
            "humidity_mutation_alarm",
            *(f"humidity_{which}_clear" for which in _WHICH),
            "humidity_collection_err",
        ),
        1,
    )
)  # fmt: skip
_NO_TEMPERATURE: Final = {-0x8000 + number: word for number, word in _ERRORS.items()}
_WIDE: Final = "u16 /10 %"
_NARROW: Final = "u8 /2 %"


def _limit(quantity: str, value: str) -> tuple[str | Line, Line]:
    name = f"{quantity}_threshold_alarm"
    what = "temperature" if quantity == "temperature" else "relative_humidity"
    return f"{name}_{what} {value}", named(f"{name}_alarm_type u8", _LIMITS)


def _jump(quantity: str, value: str) -> tuple[str | Line, ...]:
    name = f"{quantity}_mutation_alarm"
    what = "temperature" if quantity == "temperature" else "relative_humidity"
    said = field(f"{name}_alarm_type u8", makes=lambda raw: {} if raw else {f"{name}_alarm_type": word})
    word = f"{quantity.capitalize()} mutation"
    return f"{name}_{what} {value}", f"{name}_{what}_change {value.replace('Cel', 'K')}", said


_WIDE_HUMIDITY: Final = field(f"humidity {_WIDE}", {0xFFFF: "collection_err"})
_NARROW_HUMIDITY: Final = field(f"humidity {_NARROW}", {0xFF: "collection_err"})
_NO_HUMIDITY: Final = row(named("humidity_error u8", {1: "collection_err"}), "reserved skip1")
_STORED: Final = history("temperature i16 /10 Cel", _WIDE_HUMIDITY, named("record_type u8", _RECORDS))
_STORED_BEFORE: Final = history("temperature i16 /10 Cel", _NARROW_HUMIDITY)
_BEFORE_BYTES: Final = 7
_CONDITIONS: Final = {0: "disable", 1: "below", 2: "above", 3: "between", 4: "outside"}
_ANSWERS: Final[Channels] = {
    # what it says of its settings
    "f9 0b": row(
        "alarm_config_id u8",
        named("alarm_config_condition u8", _CONDITIONS),
        "alarm_config_threshold_min i16 /10",
        "alarm_config_threshold_max i16 /10",
        named("alarm_config_enable u8", ENABLE),
    ),
    "f9 0c": row(
        "mutation_config_id u8",
        "mutation_config_mutation_max i16 /10",
        named("mutation_config_enable u8", ENABLE),
    ),
    "f9 39": row("collection_interval u16"),
    "f9 63": row(
        named("d2d_sender_config_d2d_sender_enable u8", ENABLE),
        named("d2d_sender_config_uplink_lora_enable u8", ENABLE),
        "d2d_sender_config_sensor_data_enable u16",
    ),
    "f9 66": row(named("d2d_enable u8", ENABLE)),
    "f9 69": row(
        field("button_lock_power_off u8 0:1", ENABLE),
        field("button_lock_collect_report = 1:1", ENABLE),
    ),
    "f9 c9": row(named("full_storage_alarm_enable u8", ENABLE)),
    "f9 d9": row(named("humidity_resolution u8", {0: "0.5%", 1: "0.1%"})),
}


def _stored(data: bytes, pos: int, out: Fields) -> int:
    """A stored reading; as the last one also in the form of the first version, which is shorter."""
    n = str(sum(name.startswith("history_") and name.endswith("_timestamp") for name in out))
    steps = _STORED_BEFORE if len(data) - pos == _BEFORE_BYTES else _STORED
    return run(steps, data, pos, out, n)


MODELS: Final[dict[str, Channels]] = {
    "em320-th-v2": {
        **STATUS,
        "01 75": BATTERY,
        "03 67": row(field("temperature i16 /10 Cel", _NO_TEMPERATURE)),
        "04 9a": row(_WIDE_HUMIDITY),
        "04 68": row(_NARROW_HUMIDITY),
        "05 6b": row(named("trigger_type u8", {1: "external_trigger"})),
        "05 9c": row(
            named("storage_status u8", {1: "sufficient", 2: "less_than_10_percent", 3: "full", 4: "overwritten"})
        ),
        "83 67": row(*_limit("temperature", "i16 /10 Cel")),
        "93 67": row(*_jump("temperature", "i16 /10 Cel")),
        "84 9a": row(*_limit("humidity", "i16 /10 %")),
        "94 9a": row(*_jump("humidity", "i16 /10 %")),
        "84 68": row(*_limit("humidity", _NARROW)),
        "94 68": row(*_jump("humidity", _NARROW)),
        "b3 67": row(named("temperature_error u8", _ERRORS), "reserved skip1"),
        "b4 68": _NO_HUMIDITY,
        "b4 9a": _NO_HUMIDITY,
        "20 ce": _stored,
        **_ANSWERS,
    },
}
