"""Barcode readers on a serial port (or a USB port that shows as one): each code read is an event record.

The reader ends a code with `terminator`. Codes may be personal data: they are nowhere but in the records.
"""

from functools import partial
from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing.lines import LineFramer
from torhaus.drivers.link import parse_link
from torhaus.drivers.listener import Listener


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type. `max_bytes`: the longest code."""

    name: str
    type: Literal["barcode"] = "barcode"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    terminator: Annotated[str, msgspec.Meta(min_length=1, max_length=8, description="1 to 8 characters")] = "\r"
    max_bytes: Annotated[int, msgspec.Meta(ge=1, le=4096, description="bytes from 1 to 4096")] = 512

    def __post_init__(self) -> None:
        parse_link(self.link)
        if not self.terminator.isascii():
            raise ValueError(r'terminator: must be ASCII, such as "\r\n"')


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    framer = partial(LineFramer, config.terminator.encode("ascii"), config.max_bytes)
    return Listener(config.name, config.device, parse_link(config.link), framer)
