"""Smart meters with a P1 port (DSMR 2 to 5, e-MUCS): they push a telegram every one or ten seconds.

Framing: torhaus.codecs.framing.iec62056. The port is on while its pin 2 is: the cable sees to that. DSMR 2 and 3 have
9600 baud 7E1 and no CRC, later ones 115200 8N1 and a CRC, which must be there unless `crc` is off.
"""

from functools import partial
from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing.iec62056 import ReadoutFramer
from torhaus.codecs.meter.dsmr import decode
from torhaus.drivers.link import Line, parse_link
from torhaus.drivers.listener import Listener, Seconds
from torhaus.drivers.thinning import OnChange, Rule, Summarise, Thinning

_LINE = Line(baud=115_200)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`, `on_change`, `summarise`: which telegrams are delivered, and what is said of the others
    (torhaus.drivers.thinning). `idle_s`: a meter silent for so long is taken for
    lost (0: never). `crc`: refuse telegrams without CRC.
    """

    name: str
    type: Literal["dsmr"] = "dsmr"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    crc: bool = True
    interval_s: Seconds = 0
    on_change: OnChange = {}
    summarise: Summarise = ()
    idle_s: Seconds = 60

    def __post_init__(self) -> None:
        parse_link(self.link, _LINE)
        self.rule().check()

    def rule(self) -> Rule:
        """Which telegrams are delivered."""
        return Rule(self.interval_s, self.on_change, self.summarise)


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    framer = partial(ReadoutFramer, has_crc=config.crc)
    spec = parse_link(config.link, _LINE)
    return Listener(config.name, config.device, spec, framer, Thinning(config.rule(), decode), config.idle_s)
