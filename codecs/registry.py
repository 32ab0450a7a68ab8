"""Every native codec by name: one line each. Modules are imported when a codec is first asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from torhaus.codecs.model import Fields

Decode = Callable[[bytes, int | None], Fields]
"""A codec: payload bytes and FPort (None where the protocol has none) to fields. Raises DecodeError only."""

CODECS: Final[dict[str, str]] = {
    "cayenne_lpp": "torhaus.codecs.payload.cayenne_lpp",
    "elsys": "torhaus.codecs.payload.elsys",
    "sml": "torhaus.codecs.meter.sml",
}
"""Name to module. Each module has `decode` and, beside it, `<module>.vectors.toml` with its golden vectors."""


def load(name: str) -> Decode:
    """The codec's decode function. KeyError when there is no such codec."""
    decode: Decode = import_module(CODECS[name]).decode
    return decode
