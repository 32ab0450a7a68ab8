"""Netvox sensors (R3xx, R6xx, R7xx, R8xx, RA07, RB): the payload names its device type, the type its reports.

Source: the decoders that Netvox published in TheThingsNetwork/lorawan-devices (2022-09-03, Apache-2.0): device types,
report types and configuration answers. Units are not in them: they follow from the quantity and the scale. R603, R719A
and the three currents of an R718N3 in one report: akenza-io/device-type-library (0c405d3d) and
thingsboard/data-converters (a1d44af8).

    FPort 6   version | device type | report type | data          report type 0: versions of software and hardware
              (also taken from FPort 1, and where no FPort is known)
    FPort 7   command + 0x80 | device type | data                 answers to configuration commands
    FPort 13  answers about the button's time, FPort 14 about calibration

Names are the vendor's in lower snake case. `volt` is a number, or a text like "2.3(low battery)" when the device says
that its battery is low. A value of the multi-sensors (RA07, R726, R718PA) whose probe is missing is "NoSensor".
"""

from typing import Final

from torhaus.codecs.layout.compact import row
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.netvox_types import (
    CALIBRATION,
    CONFIGURED,
    OWN_CONFIGURATION,
    REPORTS,
    SET_COMMANDS,
    TYPES,
    WITHOUT_BATTERY,
)

MAX_PAYLOAD: Final = 255
_VERSION: Final = row("s_wver u8 /10", "h_wver u8", "datecode hex4")
_CONFIG: Final = row("min_time u16 s", "max_time u16 s")
_BATTERY: Final = row("battery_change u8 /10 V")
_LOW: Final = 0x80
_REPORTS: Final = frozenset({6, 1, None})
"""FPort 6 by the vendor's default. Some networks pass reports on with 1, or without any."""


def decode(data: bytes, fport: int | None = None) -> Fields:
    """Fields of one uplink. Raises DecodeError SHORT, LONG or UNKNOWN_TYPE."""
    if not 2 <= len(data) <= MAX_PAYLOAD:
        raise DecodeError(RejectReason.SHORT if len(data) < 2 else RejectReason.LONG, f"{len(data)} bytes")
    if fport in _REPORTS:
        return _report(data)
    if fport == 7:
        return _answer(data)
    if fport in CALIBRATION:
        return _command(data, CALIBRATION[fport])
    raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")


def _device(number: int) -> str:
    name = TYPES.get(number)
    if name is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"device type {number}")
    return name


def _report(data: bytes) -> Fields:
    out: Fields = {"device": Value(_device(data[1]))}
    if len(data) < 4:
        raise DecodeError(RejectReason.SHORT, "a report without data")
    report = data[2]
    if report == 0:
        run(_VERSION, data, 3, out)
        return out
    reports = REPORTS[data[1]]
    steps = reports.get(report) or reports.get(0)
    if steps is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"report type {report} of device type {data[1]}")
    pos = 3
    if (data[1], report) not in WITHOUT_BATTERY and (data[1], 0) not in WITHOUT_BATTERY:
        volt = (data[3] & ~_LOW) / 10
        out["volt"] = Value(f"{volt:g}(low battery)") if data[3] & _LOW else Value(volt, "V")
        pos = 4
    run(steps, data, pos, out)
    return out


def _answer(data: bytes) -> Fields:
    command, number = data[0], data[1]
    out: Fields = {"device": Value(_device(number))}
    if command in {0x81, 0x82}:
        out["cmd"] = Value("ConfigReportRsp" if command == 0x81 else "ReadConfigReportRsp")
        if command == 0x81:
            return _status(data, 2, out)
        pos = run(_CONFIG, data, 2, out)
        if (number, -1) not in WITHOUT_BATTERY:
            pos = run(_BATTERY, data, pos, out)
        run(CONFIGURED.get(number, ()), data, pos, out)
        return out
    named = OWN_CONFIGURATION.get((number, command & 0xFE | 1 if command & 1 else command - 1))
    if named is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"answer {command:#04x} of device type {number}")
    name, steps = named
    out["cmd"] = Value(f"{'Set' if command & 1 else 'Get'}{name}Rsp")
    if not command & 1:
        run(steps, data, 2, out)
        return out
    out["cmd"] = Value(SET_COMMANDS.get(name, f"Set{name}Rsp"))
    return _status(data, 2, out)


def _command(data: bytes, commands: dict[int, tuple[str, tuple[Step, ...]]]) -> Fields:
    if data[0] not in commands:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"answer {data[0]:#04x}")
    name, steps = commands[data[0]]
    out: Fields = {"cmd": Value(name)}
    run(steps, data, 1, out)
    return out


def _status(data: bytes, pos: int, out: Fields) -> Fields:
    if pos >= len(data):
        raise DecodeError(RejectReason.SHORT, "an answer without status")
    out["status"] = Value("Failure" if data[pos] else "Success")
    return out
