"""OBIS codes as text and DLMS units as UCUM codes, shared by the meter protocols.

Sources: IEC 62056-61 (OBIS, value groups A to F); IEC 62056-6-2 (DLMS/COSEM interface classes), table of unit
enumerations; DIN 43863-5 (identification number of measuring devices across manufacturers).
"""

import re
from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason

_OBIS: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\*(\d{1,3})", re.ASCII)

UNITS: Final[dict[int, str]] = {
    1: "a",
    2: "mo",
    3: "wk",
    4: "d",
    5: "h",
    6: "min",
    7: "s",
    8: "deg",
    9: "Cel",
    11: "m",
    12: "m/s",
    13: "m3",
    14: "m3",  # corrected volume
    15: "m3/h",
    16: "m3/h",  # corrected
    17: "m3/d",
    18: "m3/d",  # corrected
    19: "L",
    20: "kg",
    21: "N",
    22: "N.m",
    23: "Pa",
    24: "bar",
    25: "J",
    26: "J/h",
    27: "W",
    28: "V.A",
    29: "var",  # no UCUM code; SenML's
    30: "W.h",
    31: "V.A.h",
    32: "var.h",
    33: "A",
    34: "C",
    35: "V",
    36: "V/m",
    37: "F",
    38: "Ohm",
    39: "Ohm.m",
    40: "Wb",
    41: "T",
    42: "A/m",
    43: "H",
    44: "Hz",
    45: "/(W.h)",  # pulses per energy
    46: "/(var.h)",
    47: "/(V.A.h)",
    48: "V2.h",
    49: "A2.h",
    50: "kg/s",
    51: "S",
    52: "K",
    53: "/(V2.h)",
    54: "/(A2.h)",
    55: "/m3",
    56: "%",
    57: "A.h",
    60: "W.h/m3",
    61: "J/m3",
    62: "mol%",
    63: "g/m3",
    64: "Pa.s",
    65: "J/kg",
    66: "g/cm2",
    67: "atm",
    70: "dB[mW]",
    71: "dB[uV]",
    72: "dB",
}
"""DLMS unit number to UCUM code, where there is one meaning to map."""

UNITLESS: Final = frozenset({0, 255})
"""DLMS 255 is a plain number; some meters write 0 where they mean no unit."""


def unit_code(number: int | None) -> str | None:
    """The UCUM code of a DLMS unit; one that has none becomes the UCUM annotation `{dlms-N}`, so nothing is lost."""
    if number is None or number in UNITLESS:
        return None
    return UNITS.get(number) or f"{{dlms-{number}}}"


def obis_text(code: bytes) -> str:
    """Six bytes as `A-B:C.D.E*F` in decimal, e.g. 1-0:1.8.0*255. Raises DecodeError SYNTAX when there are not six."""
    if len(code) != 6:
        raise DecodeError(RejectReason.SYNTAX, f"an OBIS code of {len(code)} bytes")
    return "{}-{}:{}.{}.{}*{}".format(*code)


def obis_bytes(text: str) -> bytes:
    """The opposite of `obis_text`. Raises DecodeError SYNTAX or RANGE."""
    match = _OBIS.fullmatch(text)
    if match is None:
        raise DecodeError(RejectReason.SYNTAX, "not of the form A-B:C.D.E*F")
    groups = [int(group) for group in match.groups()]
    if max(groups) > 255:
        raise DecodeError(RejectReason.RANGE, "a value group above 255")
    return bytes(groups)


def meter_id_text(identity: bytes) -> str:
    """A meter's identity as it is printed on its face, e.g. `1EBZ0100012345`, else as `octets_text` gives it.

    The binary form of DIN 43863-5: length (09 or 0a), medium, three letters of the manufacturer, factory block, number
    (4 bytes, eight decimal digits). Older meters send something else, in ASCII or binary.
    """
    if len(identity) == 10 and identity[0] in {0x09, 0x0A} and identity[1] < 10:
        maker = identity[2:5]
        number = int.from_bytes(identity[6:], "big")
        if maker.isalpha() and maker.isupper() and number < 100_000_000:
            return f"{identity[1]}{maker.decode('ascii')}{identity[5]:02X}{number:08d}"
    return octets_text(identity)


def octets_text(octets: bytes) -> str:
    """Printable ASCII as text, anything else as hex digits."""
    if octets and all(0x20 <= octet < 0x7F for octet in octets):
        return octets.decode("ascii")
    return octets.hex()
