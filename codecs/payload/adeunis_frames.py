"""Adeunis: what stands in each frame of each product. Source and shape: adeunis.py."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from torhaus.codecs.layout.compact import Special, field, row
from torhaus.codecs.layout.field import Step, rounded
from torhaus.codecs.model import Scalar


class Frame(NamedTuple):
    """Name, fields behind the status, then what repeats to the end, the newest first.

    `counts`: what repeats is how much a counter grew.
    """

    name: str
    steps: tuple[Step, ...] = ()
    older: tuple[Step, ...] = ()
    counts: bool = False


Frames = Mapping[int, Frame]

_ALARM: Final = {0: "none", 1: "high threshold", 2: "low threshold"}
_ACTIVE: Final = {0: "inactive"}
_RESULT: Final = {1: "success", 2: "generic error", 3: "wrong state", 4: "invalid request"}
_REGISTER: Final = {
    1: "success", 2: "success without update", 3: "incoherent", 4: "invalid register", 5: "invalid value",
    6: "truncated value", 7: "access not allowed",
}  # fmt: skip
_EDGES: Final = {0: "deactivated", 1: "high edge", 2: "low edge", 3: "both edges"}
_DEBOUNCE: Final = dict(
    enumerate((0, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 40000, 60000, 300000, 600000))
)
_MODES: Final = {0: "park", 1: "production", 2: "test", 3: "repli"}


def _active(line: str) -> Special:
    return field(line, _ACTIVE, otherwise="active")


def _bit(name: str, bit: int, kind: str = "=") -> Special:
    return field(f"{name} {kind} {bit}:1", convert=lambda raw: bool(raw >> bit & 1))


def _input(n: int) -> tuple[str | Special, ...]:
    return (
        field(f"digital_input{n}_type u8 0:4", _EDGES, otherwise="unknown"),
        field(f"digital_input{n}_debouncing_period = 4:4 ms", _DEBOUNCE),
        f"digital_input{n}_threshold u16",
    )


def _channel(name: str) -> tuple[Special, Special]:
    """A channel of the Analog: in its first byte's low half what it measures, then microvolts or 10 nA."""

    def measured(kind: int, quantity: str, steps: float) -> Callable[[bytes], Mapping[str, Scalar]]:
        return lambda raw: (
            {f"{name}_{quantity}": rounded(int.from_bytes(raw[1:], "big") / steps, 3)} if raw[0] & 15 == kind else {}
        )

    return (
        field(f"{name}_voltage hex4 V", makes=measured(1, "voltage", 1e6)),
        field(f"{name}_current = mA", makes=measured(2, "current", 1e5)),
    )


def _probe(n: int) -> tuple[Special, str]:
    """Its number and state; the first firmware has something else instead of the state."""

    def described(raw: int) -> Mapping[str, Scalar]:
        state: dict[str, Scalar] = {} if raw & 0x0E else {f"probe{n}_activated": bool(raw & 1)}
        return {f"probe{n}_id": raw >> 4} | state

    return field(f"probe{n}_id u8", makes=described), f"temperature{n} i16 ?-32768 /10 Cel"


def _contact(name: str, bit: int, kind: str) -> tuple[Special, Special]:
    return _bit(f"{name}_current_state", bit, kind), _bit(f"{name}_previous_frame_state", bit + 1)


_REGISTERS: Final = row(
    "transmission_period_keep_alive u16 *10 s", "number_of_historization_before_sending u16",
    "number_of_sampling_before_historization u16", "sampling_period u16 *2 s",
)  # fmt: skip
_COUNTER: Final = row(
    _bit("current_state", 0, "u8"), _bit("previous_frame_state", 1), "counter_global u32", "counter_instantaneous u16"
)
_NETWORK: Final = row(
    _bit("lora_adr", 0, "u8"), _bit("lora_duty_cycle", 2), field("lora_class = 5:1", {0: "A", 1: "C"}),
    field("lora_provisioning u8", {0: "ABP"}, otherwise="OTAA"),
)  # fmt: skip
_COMMON: Final[Frames] = {
    0x1F: Frame("digital input configuration", row(*_input(1), *_input(2))),
    0x20: Frame("network configuration", _NETWORK),
    0x2F: Frame(
        "downlink answer",
        row("downlink_frame_code hex1", field("request_status u8", _RESULT, otherwise="other error")),
    ),
    0x30: Frame("keep alive"),
    0x33: Frame(
        "set register answer", row(field("request_status u8", _REGISTER, otherwise="other error"), "register_id u16")
    ),
    0x51: Frame("digital input 1 alarm", _COUNTER),
    0x52: Frame("digital input 2 alarm", _COUNTER),
}
_TEMPERATURES: Final = row(*_probe(1), *_probe(2))
_ANALOG: Final = row(*_channel("channel_a"), *_channel("channel_b"))
_CONTACTS: Final = row(
    *(f"channel_{name}_value u16" for name in "abcd"), *_contact("channel_a", 0, "u8"), *_contact("channel_b", 2, "="),
    *_contact("channel_c", 4, "="), *_contact("channel_d", 6, "="),
)  # fmt: skip
_PULSES: Final = row("channel_a_counter u32", "channel_b_counter u32")
_FLOWS: Final = row("channel_a_flow u16", "channel_b_flow u16")
_PULSE_ALIVE: Final = row(
    _bit("channel_a_flow_alarm", 0, "u8"), _bit("channel_b_flow_alarm", 1), _bit("channel_a_tamper_alarm", 2),
    _bit("channel_b_tamper_alarm", 3), _bit("channel_a_leakage_alarm", 4), _bit("channel_b_leakage_alarm", 5),
    *(f"channel_{name}_flow_last24h_{which} u16" for which in ("max", "min") for name in "ab"),
)  # fmt: skip
_MODE: Final = field("product_mode u8 @6", _MODES, otherwise="unknown")
_TEMP_ALARM: Final = tuple(
    row(field(f"temperature{n}_alarm u8", _ALARM, otherwise="unknown"), f"temperature{n} i16 ?-32768 /10 Cel")
    for n in (1, 2)
)
_TEMP_NEW: Final[Frames] = {
    0x10: Frame("configuration", _REGISTERS),
    0x58: Frame("temperature alarm", _TEMP_ALARM[0]),
    0x57: Frame("temperature data", older=row("temperature1 i16 ?-32768 /10 Cel")),
}
TWO_PROBES: Final[Frames] = {
    0x58: Frame("temperature alarm", (*_TEMP_ALARM[0], *_TEMP_ALARM[1])),
    0x57: Frame("temperature data", older=row("temperature1 i16 ?-32768 /10 Cel", "temperature2 i16 ?-32768 /10 Cel")),
}
"""Of a Temp since version 3, where its status says that it has both probes."""
_PULSE_NEW: Final[Frames] = {
    0x30: Frame("keep alive", _PULSE_ALIVE),
    0x46: Frame("pulse data", _PULSES),
    0x47: Frame("pulse alarm", _FLOWS),
    0x5A: Frame("pulse data of channel A", row("channel_a_counter u32"), row("channel_a_counter i16"), counts=True),
    0x5B: Frame("pulse data of channel B", row("channel_b_counter u32"), row("channel_b_counter i16"), counts=True),
}
_PRODUCTS: Final[dict[str, Frames]] = {
    "analog": {0x30: Frame("keep alive", _ANALOG), 0x42: Frame("analog data", _ANALOG)},
    "comfort": {
        0x10: Frame("configuration", _REGISTERS),
        0x4C: Frame("comfort data", older=row("temperature i16 /10 Cel", "humidity u8 %")),
        0x4D: Frame(
            "comfort alarm",
            row(_active("temperature_alarm u8 4:4"), _active("humidity_alarm = 0:4"), "temperature i16 /10 Cel",
                "humidity u8 %"),
        ),
    },
    "delta-p": {
        0x10: Frame("configuration", _REGISTERS),
        0x53: Frame("pressure data", older=row("differential_pressure i16 Pa")),
        0x54: Frame("pressure alarm", row(_active("pressure_alarm u8"), "differential_pressure i16 Pa")),
        0x55: Frame("voltage data", older=row("voltage i16 mV")),
        0x56: Frame("voltage alarm", row(_active("voltage_alarm u8"), "voltage i16 mV")),
    },
    "dry-contacts": {
        0x10: Frame("configuration", row(_MODE)),
        0x30: Frame("keep alive", _CONTACTS),
        0x40: Frame("contact data", _CONTACTS),
    },
    "modbus": {
        0x44: Frame("modbus data", row("modbus_payload hex")),
        0x45: Frame("modbus alarm", row("modbus_payload hex")),
    },
    "motion": {
        0x10: Frame("configuration", (*_REGISTERS, *row("presence_detector_inhibition u16 *10 s"))),
        0x4E: Frame("motion data", row("counter_global u16"), row("motion_counter i16", "luminosity u8 %")),
        0x4F: Frame("presence alarm", row("counter_global u16", "motion_counter u16")),
        0x50: Frame("luminosity alarm", row(_active("luminosity_alarm u8"), "luminosity u8 %")),
        0x5C: Frame(
            "motion data", row(_bit("presence_when_sending", 0, "u8")), row("presence u8 %", "luminosity u8 %")
        ),
        0x5D: Frame("presence alarm", row(_active("presence_alarm u8"), "luminosity u8 %")),
    },
    "pulse": {**_PULSE_NEW, 0x48: Frame("pulse history", row("frame_index u8"))},
    "pulse-v3": {0x10: Frame("configuration"), **_PULSE_NEW},
    "pulse-v4": {0x10: Frame("configuration"), **_PULSE_NEW},
    "temp": {0x30: Frame("keep alive", _TEMPERATURES), 0x43: Frame("temperature data", _TEMPERATURES)},
    "temp-v3": _TEMP_NEW,
    "temp-v4": _TEMP_NEW,
}  # fmt: skip
PRODUCTS: Final[dict[str, Frames]] = {name: {**_COMMON, **frames} for name, frames in _PRODUCTS.items()}
HISTORY: Final = (
    row("channel_a_counter u32", "channel_b_counter u32"),
    row("channel_a_delta u16", "channel_b_delta u16"),
)
"""Of the first Pulse (0x48): the indexes, only in frame 0, then what was counted between two times."""
FLAGS: Final[dict[str, dict[int, str]]] = {
    # bits of the status beside counter, hardware error or time, low battery, configuration done
    "analog": {0x08: "channel_a_alarm", 0x10: "channel_b_alarm"},
    "temp": {0x08: "probe1_alarm", 0x10: "probe2_alarm"},
    **{name: {0x08: "configuration_inconsistency"} for name in ("temp-v3", "temp-v4", "comfort", "delta-p", "motion")},
}
STAMPED: Final = frozenset({"pulse-v4", "temp-v4"})
"""Whose status has, instead of the hardware error, whether a time ends the frame."""
