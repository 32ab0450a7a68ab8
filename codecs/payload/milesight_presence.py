"""Milesight: AM304L and AM305L, which tell presence, light and air in an office. Source and shape: milesight.py.

Of what they say of their settings the common ones are read; the rest ends decoding. What is a number in the vendor's
decoder stays one: 0 vacant, 1 occupied; alarms 16 to 23 as the decoder's comments have them.
"""

from collections.abc import Callable
from typing import Final

from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import run
from torhaus.codecs.model import Fields
from torhaus.codecs.payload.milesight_channels import (
    BATTERY,
    HUMIDITY,
    TEMPERATURE,
    Channels,
    dotted,
    released,
    row,
)

_CO2: Final = ("co2_type u8", "co2 u16 [ppm]")


def _stored(name: str, *light: str) -> Callable[[bytes, int, Fields], int]:
    """A stored reading under the vendor's name; the ones before it in the same payload as `history_<n>_…`."""
    steps = row(
        *(
            f"{name}_{line}"
            for line in (
                "timestamp u32 s",
                "temperature_type u8",
                "temperature i16 /10 Cel",
                "humidity_type u8",
                "humidity u8 /2 %",
                "pir_type u8 6:1",
                "pir_status = 0:6",
                "pir_count u16",
                *light,
            )
        )
    )
    start = f"{name}_"
    own = tuple(step.name for step in steps)

    def read(data: bytes, pos: int, out: Fields) -> int:
        if f"{start}timestamp" in out:
            n = sum(key.startswith("history_") and key.endswith("_timestamp") for key in out)
            for key in own:
                out[f"history_{n}_{key.removeprefix(start)}"] = out.pop(key)
        return run(steps, data, pos, out)

    return read


_SETTINGS: Final[Channels] = {
    "f9 bd": row("reporting_interval_unit u8", "reporting_interval_interval u16"),
    "ff 10": row("reboot u8"),
    "ff 27": row("clear_historical_data u8"),
    "ff 2e": row("led_mode u8"),
    "ff 4a": row("synchronize_time u8"),
    "ff 68": row("data_storage_enable_enable u8"),
    "ff 69": row("retransmission_enable_enable u8"),
    "ff 95": row("pir_idle_interval u16"),
    "ff f2": row("alarm_reporting_times u16"),
    "ff f5": row("alarm_deactivation_enable u8"),
}


def _office(*more: str) -> Channels:
    return {
        "ff 01": row("ipso_version u8"),
        "ff 09": row(field("hardware_version hex2", convert=dotted)),
        "ff 0a": row(field("firmware_version hex6", convert=released)),
        "ff 0b": row("device_status u8"),
        "ff 0f": row("lorawan_class u8"),
        "ff fe": row("request_tsl_config u8"),
        **_SETTINGS,
        "01 75": BATTERY,
        "03 67": TEMPERATURE,
        "04 68": HUMIDITY,
        "05 00": row("pir_status_change_status u8", "pir_pir_status ="),
        "05 9f": row("pir_pir_status u16 15:1", "pir_pir_count = 0:15"),
        "06 9d": row("lux u16 lx"),
        "06 cb": row("als_level u8"),
        "83 67": row(
            "temperature_alarm_temperature i16 /10 Cel", "temperature = /10 Cel", "temperature_alarm_alarm_type u8"
        ),
        "86 9d": row("lux_alarm_lux u16 lx", "lux = lx", "lux_alarm_alarm_type u8"),
        "b3 67": row("temperature_collection_anomaly_type u8"),
        "b4 68": row("humidity_collection_anomaly_type u8"),
        "b6 9d": row("lux_collection_anomaly_type u8"),
        "b6 cb": row("illuminace_collection_anomaly_type u8"),
        "20 ce": _stored("historical_data_retrieval", "als_level_type u8", "als_level u16", *more),
        "21 ce": _stored("historical_data_retrieval_lux", "lux_type u8", "lux u16 lx", *more),
    }


MODELS: Final[dict[str, Channels]] = {
    "am304l": _office(),
    "am305l": {
        **_office(*_CO2),
        "07 7d": row("co2 u16 [ppm]"),
        "87 7d": row("co2_alarm_co2 u16 [ppm]", "co2 = [ppm]", "co2_alarm_alarm_type u8"),
        "b7 7d": row("co2_collection_anomaly_type u8"),
    },
}
