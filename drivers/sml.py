"""Meters that push SML telegrams over their optical or wired interface, mostly once a second.

Framing: torhaus.codecs.framing.sml_transport. Nothing is sent to the meter. A frame's data is the whole transport
telegram as received; its time is that of the last byte's arrival here.
"""

from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing.sml_transport import SmlFramer
from torhaus.drivers.link import parse_link
from torhaus.drivers.listener import Listener, Seconds


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`: at most one telegram is delivered in each stretch of so many seconds since boot: the first to arrive,
    and of several that arrive at once the newest. 0: every telegram. `idle_s`: a meter that is silent for so long is
    taken for lost (0: never).
    """

    name: str
    type: Literal["sml"] = "sml"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    interval_s: Seconds = 0
    idle_s: Seconds = 60

    def __post_init__(self) -> None:
        parse_link(self.link)


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    spec = parse_link(config.link)
    return Listener(config.name, config.device, spec, SmlFramer, config.interval_s, config.idle_s)
