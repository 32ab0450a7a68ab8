"""Dragino: the downlinks that all its sensors know.

Source: Dragino's wiki, "End Device AT Commands and Downlink Commands", in the version of 2020-09-13: 0x01 interval in
three bytes, 0x04 0xff restart, 0x05 confirmed uplinks. Payloads of several commands are not described: one at a time.
"""

from collections.abc import Mapping
from typing import Any, Final

from torhaus.codecs.encoders import Encode, Made
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.payload.dragino import MODELS
from torhaus.codecs.payload.orders import command, flag, items, unknown, whole

FPORT: Final = 2
_KNOWN: Final = frozenset({"transmit_interval", "reboot", "confirmed_uplinks"})
_MOST_S: Final = (1 << 24) - 1


def encoder(model: str) -> Encode | None:
    """The same for every model; None for one that there is not."""
    return _encode if model in MODELS else None


def _encode(data: Mapping[str, Any]) -> Made:
    """`transmit_interval` (seconds), `reboot` or `confirmed_uplinks`. Raises DecodeError SYNTAX, RANGE, UNSUPPORTED."""
    given = items(data)
    if len(given) > 1:
        raise DecodeError(RejectReason.SYNTAX, "one command at a time")
    ((name, value),) = given.items()
    if name == "transmit_interval":
        return Made(b"\x01" + whole(name, value, 1, _MOST_S).to_bytes(3, "big"), FPORT)
    if name == "reboot":
        command(name, value)
        return Made(b"\x04\xff", FPORT)
    if name == "confirmed_uplinks":
        return Made(bytes([5, 0, 0, flag(name, value)]), FPORT)
    raise unknown(name, _KNOWN)
