"""nke Watteco BoB Assistant: how a machine vibrates, and how far that is from what it learnt. Bytes of 7 bits.

    0x72, 0x52 | report, 27 bytes       0x61 | alarm, 40 bytes
    0x6c       | learning, 40 bytes     0x53 | state, 3 bytes

Source: the vendor's decoder in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0), vendor/nke-watteco:
bob-assistant. Names are its labels; 127 is the whole of a share. FPort 1.

The operating time is that of the report's period, as the decoder computes all its parts; under `OperatingTime` it
gives the same number as if every period had two hours.
"""

from typing import Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value

FPORT: Final = 1
_WHOLE: Final = 127
_COLD: Final = 30
_SPECTRUM: Final = 32
_LINE_HZ: Final = 800 / 256
_MINUTES: Final = 59
_REPORT, _REPORT_TOO, _ALARM, _LEARNING, _STATE = 0x72, 0x52, 0x61, 0x6C, 0x53
_SIZES: Final = {_REPORT: 27, _REPORT_TOO: 27, _ALARM: 40, _LEARNING: 40, _STATE: 3}
_STATES: Final = {100: "Sensor start", 101: "Sensor stop", 125: "Machine stop", 126: "Machine start"}
_ANOMALIES: Final = tuple(
    f"anomaly_level_to{level}_last_{time}" for time in ("24h", "30d", "6mo") for level in (20, 50, 80)
)


def _vibration(data: bytes, pos: int) -> float:
    """In g: two bytes of 7 bits, and hundredths."""
    return (data[pos] * 128 + data[pos + 1] + data[pos + 2] / 100) / 10 / 121.45


def _report(data: bytes) -> dict[str, tuple[Scalar, str | None]]:
    period = data[6] if data[6] <= _MINUTES else (data[6] - _MINUTES) * 60
    running = data[2] * period / _WHOLE
    known = data[3] * running / _WHOLE
    unknown = running - known
    shares = {
        f"total_unknown_{name}": (unknown * data[at] / _WHOLE, "min")
        for at, name in enumerate(("20_40", "40_60", "60_80", "80_100"), 13)
    }
    return {
        "anomaly_level": (data[1] * 100 / _WHOLE, "%"),
        "operating_time": (running, "min"),
        "total_operating_time_known": (known, "min"),
        "total_unknown_10_20": (unknown, "min"),
        **shares,
        "nb_alarm_report": (data[4], None),
        "temperature": (data[5] - _COLD, "Cel"),
        "report_length": (period, "min"),
        "vibration_level": (_vibration(data, 8), "[g]"),
        "peak_frequency_index": (data[11] + 1, None),
        "battery_percentage": (data[17] * 100 / _WHOLE, "%"),
        **{name: (data[at], None) for at, name in enumerate(_ANOMALIES, 18)},
    }


def _spectrum(data: bytes, level: float) -> dict[str, tuple[Scalar, str | None]]:
    return {f"fft{n + 1}": (data[8 + n] * level / _WHOLE, "[g]") for n in range(_SPECTRUM)}


def _alarm(data: bytes) -> dict[str, tuple[Scalar, str | None]]:
    level = _vibration(data, 4)
    return {
        "anomaly_level": (data[1] * 100 / _WHOLE, "%"),
        "temperature": (data[2] - _COLD, "Cel"),
        "vibration_level": (level, "[g]"),
        **_spectrum(data, level),
    }


def _learning(data: bytes) -> dict[str, tuple[Scalar, str | None]]:
    level = _vibration(data, 2)
    return {
        "learning_percentage": (data[1], "%"),
        "vibration_level": (level, "[g]"),
        "peak_frequency_index": (data[5] + 1, None),
        "peak_frequency": ((data[5] + 1) * _LINE_HZ, "Hz"),
        "temperature": (data[6] - _COLD, "Cel"),
        "learning_from_scratch": (data[7], None),
        **_spectrum(data, level),
    }


def _state(data: bytes) -> dict[str, tuple[Scalar, str | None]]:
    return {
        "state": (_STATES.get(data[1], "unknown"), None),
        "battery_percentage": (data[2] * 100 / _WHOLE, "%"),
    }


_KINDS: Final = {
    _REPORT: ("Report", _report),
    _REPORT_TOO: ("Report", _report),
    _ALARM: ("Alarm", _alarm),
    _LEARNING: ("Learning", _learning),
    _STATE: ("State", _state),
}


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink; `type` says which. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    if fport not in {FPORT, None}:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
    if not data:
        raise DecodeError(RejectReason.SHORT, "0 bytes")
    kind = _KINDS.get(data[0])
    if kind is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"frame {data[0]:#04x}")
    size = _SIZES[data[0]]
    if len(data) != size:
        reason = RejectReason.SHORT if len(data) < size else RejectReason.LONG
        raise DecodeError(reason, f"{len(data)} bytes, must be {size}")
    name, read = kind
    return {"type": Value(name), **{key: Value(value, unit) for key, (value, unit) in read(data).items()}}
