"""Native codecs that make downlinks, too: what `torhaus codecs encode` and `torhaus lora send --json` ask.

A module has `encoder(model)`, which gives a function from what the device should do (names and values, as the vendor's
own encoder takes them) to the payload and its FPort. It raises DecodeError for what it does not know, and nothing else.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

ENCODERS: Final[dict[str, str]] = {
    "dragino": "torhaus.codecs.payload.dragino_orders",
    "elsys": "torhaus.codecs.payload.elsys_orders",
    "milesight": "torhaus.codecs.payload.milesight_orders",
    "netvox": "torhaus.codecs.payload.netvox_orders",
}
"""Codec, or family of codecs, to module."""


class Made(NamedTuple):
    """A downlink. `fport` None: the device listens to any."""

    payload: bytes
    fport: int | None


Encode = Callable[[Mapping[str, Any]], Made]


def encoder(codec: str) -> Encode | None:
    """Of a codec's name; None when it makes no downlinks."""
    family, _, model = codec.partition(":")
    if family not in ENCODERS:
        return None
    found: Encode | None = import_module(ENCODERS[family]).encoder(model)
    return found
