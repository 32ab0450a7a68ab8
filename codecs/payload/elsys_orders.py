"""Elsys: downlinks that set how often a sensor measures and sends.

Source: Elektroniksystem i Umeå AB, "Sensor downlink payload", v2.1 (ELSYS_downlink_payload_v2-1.pdf), with the names
and bounds of its NFC settings specification; most significant byte first, as in the settings that sensors send of
themselves (akenza-io/device-type-library 0c405d3d, elt-2).

    0x3e | length | type | value | type | value …     FPort: that of the sensor's data and one more

Not to be set from here: keys, EUIs and addresses, the lock's code, OTAA, mode and FPort, which can shut a sensor out;
nor is it asked for its settings, as it answers with its keys.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from torhaus.codecs.encoders import Encode, Made
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.payload.orders import command, flag, items, unknown, whole

FPORT: Final = 6
"""Where the sensor's data come on 5, as by default."""
_HEADER: Final = 0x3E
_REBOOT: Final = 0xFE
_ACK: Final = 0x0A
_MAX_PAYLOAD: Final = 51
_MOST: Final = (1 << 31) - 1


class _Setting(NamedTuple):
    """Its type, bytes and bounds."""

    kind: int
    size: int
    low: int
    high: int


_PERIODS: Final = {
    0x15: "temp_per", 0x16: "rh_per", 0x17: "light_per", 0x18: "pir_per", 0x19: "co2_per", 0x1A: "ext_per",
    0x1D: "acc_per", 0x1E: "vdd_per", 0x1F: "send_per", 0x23: "press_per", 0x24: "sound_per",
}  # fmt: skip
"""Every how many measurements of `spl_per`; 0: never."""
_SETTINGS: Final[dict[str, _Setting]] = {
    "dr_def": _Setting(0x0B, 1, 0, 7),
    "dr_max": _Setting(0x0C, 1, 0, 7),
    "dr_min": _Setting(0x0D, 1, 0, 7),
    "ext_cfg": _Setting(0x10, 1, 0, 17),
    "pir_cfg": _Setting(0x11, 1, 0, 2),
    "co2_cfg": _Setting(0x12, 1, 0, 1),
    "spl_per": _Setting(0x14, 4, 1, _MOST),
    "ext_pwr_time": _Setting(0x1B, 4, 0, _MOST),
    "trigg_time": _Setting(0x1C, 4, 0, _MOST),
    **{name: _Setting(kind, 4, 0, _MOST) for kind, name in _PERIODS.items()},
}
_KNOWN: Final = frozenset(_SETTINGS) | {"ack", "reboot"}


def encoder(model: str) -> Encode | None:
    """The same for all sensors; None for a model, as the codec has none."""
    return None if model else _encode


def _encode(data: Mapping[str, Any]) -> Made:
    """`spl_per` (seconds), `temp_per` … `sound_per` (multiples of it), `ack`, `reboot` and the like.

    The restart comes last, wherever it was named. Raises DecodeError SYNTAX, RANGE, LONG or UNSUPPORTED.
    """
    body = b""
    given = items(data)
    for name, value in given.items():
        if name == "reboot":
            command(name, value)
        elif name == "ack":
            body += bytes((_ACK, flag(name, value)))
        elif name in _SETTINGS:
            kind, size, low, high = _SETTINGS[name]
            body += bytes((kind,)) + whole(name, value, low, high).to_bytes(size, "big")
        else:
            raise unknown(name, _KNOWN)
    if "reboot" in given:
        body += bytes((_REBOOT,))
    if 2 + len(body) > _MAX_PAYLOAD:
        raise DecodeError(RejectReason.LONG, f"{2 + len(body)} bytes: more than every data rate takes")
    return Made(bytes((_HEADER, len(body))) + body, FPORT)
