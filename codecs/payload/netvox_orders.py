"""Netvox: requests for its devices' configuration, and commands of its switches.

Source: as netvox.py: the encoders beside those decoders. A request has the layout of the answer to it.

    FPort 7   command | device type | data, 11 bytes in all
    FPort 13  command | seconds     FPort 14  command | sensor type | channel | multiplier 2 | divisor 2 | offset 2

Given as there, `{"Cmd": "ConfigReportReq", "Device": "R711", "MinTime": 60, …}`, in upper or lower case, with "_" or
without.
"""

from collections.abc import Mapping
from typing import Any, Final

from torhaus.codecs.encoders import Encode, Made
from torhaus.codecs.layout.compact import field, row
from torhaus.codecs.layout.field import Step
from torhaus.codecs.layout.writing import written
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.payload.netvox_types import CONFIGURED, OWN_CONFIGURATION, TYPES, WITHOUT_BATTERY
from torhaus.codecs.payload.orders import items

_SIZE: Final = 11
_TIMES: Final = row("min_time u16", "max_time u16")
_BATTERY: Final = row("battery_change u8 /10")
_SWITCHED: Final = {"off": 0x90, "on": 0x91, "toggle": 0x92, "clearenergy": 0x93, "readcurrentstatus": 0x94}
_SIREN: Final = row("warning_mode u8", "strobe_mode u8", "warning_duration u16")
_SIREN_TYPE: Final = 105
_CALIBRATE: Final = row(
    field("sensor_type u8", {1: "Temperature"}), "channel u8 +1", "multiplier u16", "divisor u16", "delt_value i16"
)
_WHICH: Final = row(field("sensor_type u8", {1: "Temperature"}), "channel u8 +1")
_BUTTON: Final = row("press_time u8")


def encoder(model: str) -> Encode | None:
    """One for all devices."""
    del model
    return encode


def encode(data: Mapping[str, Any]) -> Made:
    """One request. Raises DecodeError SYNTAX, RANGE or UNSUPPORTED."""
    given = {_plain(str(name)): value for name, value in items(data).items()}
    name = given.get("cmd")
    if not isinstance(name, str):
        raise DecodeError(RejectReason.SYNTAX, "Cmd is missing: what the device should do, as ConfigReportReq")
    command = _plain(name)
    other = _of_other_ports(command, given)
    if other is not None:
        return other
    number = _device(given.get("device"))
    body = _body(command, number, given)
    if body is None:
        raise DecodeError(RejectReason.UNSUPPORTED, f"{name[:60]!r} is no command of {TYPES[number]}")
    return Made(bytes([body[0], number, *body[1:]]).ljust(_SIZE, b"\0"), 7)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _put(steps: tuple[Step, ...], given: Mapping[str, Any]) -> bytes:
    """Fields by the names that they have in reports, however these were spelled."""
    return written(steps, {step.name: given[_plain(step.name)] for step in steps if _plain(step.name) in given})


def _device(name: object) -> int:
    wanted = str(name).upper()
    for number, known in TYPES.items():
        if wanted in {known.upper(), *known.upper().replace(")", "").split("(")}:
            return number
    raise DecodeError(RejectReason.SYNTAX, f"Device is {str(name)[:40]!r}, must be its type as it reports it")


def _body(command: str, number: int, given: Mapping[str, Any]) -> bytes | None:
    """The command's number and its data."""
    if command == "configreportreq":
        times = _put(_TIMES, given)
        battery = b"" if (number, -1) in WITHOUT_BATTERY else _put(_BATTERY, given)
        return b"\x01" + times + battery + _put(CONFIGURED.get(number, ()), given)
    if command == "readconfigreportreq":
        return b"\x02"
    if command in _SWITCHED:
        return bytes([_SWITCHED[command]])
    if number == _SIREN_TYPE and command in {"startwarning", "startwarningwithackreq"}:
        return (b"\x90" if command == "startwarning" else b"\x03") + _put(_SIREN, given)
    for (owner, code), (what, steps) in OWN_CONFIGURATION.items():
        if owner == number and command == f"set{what}req".lower():
            return bytes([code & 0x7F]) + _put(steps, given)
        if owner == number and command == f"get{what}req".lower():
            return bytes([(code & 0x7F) + 1])
        if owner == number and command in {what.lower(), f"{what}req".lower()}:
            return bytes([code & 0x7F])
    return None


def _of_other_ports(command: str, given: Mapping[str, Any]) -> Made | None:
    if command == "setbuttonpresstimereq":
        return Made(b"\x01" + _put(_BUTTON, given), 13)
    if command == "getbuttonpresstimereq":
        return Made(b"\x02\x00", 13)
    if command == "setglobalcalibratereq":
        return Made(b"\x01" + _put(_CALIBRATE, given), 14)
    if command == "getglobalcalibratereq":
        return Made(b"\x02" + _put(_WHICH, given), 14)
    return Made(b"\x03", 14) if command == "clearglobalcalibratereq" else None
