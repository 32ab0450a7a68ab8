"""Meters that push SML telegrams over their optical or wired interface, mostly once a second.

Framing: torhaus.codecs.framing.sml_transport. Nothing is sent to the meter. A frame's data is the whole transport
telegram as received; its time is that of the last byte's arrival here.
"""

from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing.sml_transport import SmlFramer
from torhaus.codecs.meter.sml import decode
from torhaus.drivers.link import parse_link
from torhaus.drivers.listener import Listener, Seconds
from torhaus.drivers.thinning import OnChange, Rule, Summarise, Thinning


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`, `on_change`, `summarise`: which telegrams are delivered, and what is said of the others
    (torhaus.drivers.thinning). `idle_s`: a meter that is silent for so long is taken for lost (0: never).
    """

    name: str
    type: Literal["sml"] = "sml"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    interval_s: Seconds = 0
    on_change: OnChange = {}
    summarise: Summarise = ()
    idle_s: Seconds = 60

    def __post_init__(self) -> None:
        parse_link(self.link)
        self.rule().check()

    def rule(self) -> Rule:
        """Which telegrams are delivered."""
        return Rule(self.interval_s, self.on_change, self.summarise)


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    spec = parse_link(config.link)
    thinning = Thinning(config.rule(), decode)
    return Listener(config.name, config.device, spec, SmlFramer, thinning, config.idle_s)
