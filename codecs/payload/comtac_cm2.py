"""Comtac CM-2: temperature, humidity, PT100, current and light in one frame.

Source: akenza-io/device-type-library (MIT), types/comtac/CM-2.

    FPort 3    version | state | limits | battery 2 | temperature 2 | humidity 2 | PT100 2 | analogue 2, 2, 2 | light
    FPort 100  application | version 2       FPort 101  settings
"""

from typing import Final

from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason

MAX_PAYLOAD: Final = 255
_FLAGS: Final = {
    # of the byte at 1 and of the one behind it, the highest bit first
    1: ("digital_input_state", "deep_sleep_event", "digital_input_event", "button_event", "tx_on_event",
        "tx_on_timer", "", "booster"),
    2: ("max_lem_on", "min_lem_on", "max_pt100_on", "min_pt100_on", "max_hum_on", "min_hum_on", "max_temp_on",
        "min_temp_on"),
}  # fmt: skip
_MEASURED: Final = row(
    "version u8",
    *(
        field(f"{name} u8 @{at} {7 - n}:1", {0: False, 1: True})
        for at, names in _FLAGS.items()
        for n, name in enumerate(names)
        if name
    ),
    "battery_voltage u16 @3 /1000 V",
    "temperature i16 /100 Cel",
    "humidity i16 /100 %",
    "temperature_pt100 i16 /100 Cel",
    "adc1 u16",
    "adc2 u16",
    "lem u16 /1000",
    "brightness u8",
)
_INFO: Final = row("app_type u8", field("app_version hex2", convert=lambda raw: f"{raw[0]}.{raw[1]}"))
_SETTINGS: Final = row(
    "send_interval u16", "min_temp_threshold i8 Cel", "max_temp_threshold i8 Cel", "min_hum_threshold u8 %",
    "max_hum_threshold u8 %", "min_pt_threshold i8 Cel", "max_pt_threshold i8 Cel", "min_lem_threshold u16",
    "max_lem_threshold u16", "din_settings u8",
)  # fmt: skip
_PORTS: Final[dict[int, tuple[Step, ...]]] = {3: _MEASURED, 100: _INFO, 101: _SETTINGS}


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    if len(data) > MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{len(data)} bytes")
    steps = _PORTS.get(3 if fport is None else fport)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    out: Fields = {}
    run(steps, data, 0, out)
    return out
