"""Satellite receivers (GPS, Galileo) that speak NMEA 0183: where the site is, and what time it is there.

Only recorded: the system's clock is not set from here (gpsd and chrony do that), and neither is the site's place.
Beside the receiver's time each record has `clock_offset`: how many seconds it is ahead of ours. The sentences of one
second are whole when the next second begins, so a clock that is right shows 0 to -2.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from torhaus.codecs.model import DecodeError, Fields, Stamp, Value
from torhaus.codecs.text.nmea import NmeaFramer, decode
from torhaus.drivers.link import parse_link
from torhaus.drivers.listener import Listener, Seconds
from torhaus.drivers.thinning import Rule, Thinning


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`: at most one record in so many seconds (0: one a second). `idle_s`: a receiver silent for so long is
    taken for lost (0: never).
    """

    name: str
    type: Literal["nmea"] = "nmea"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    interval_s: Seconds = 0
    idle_s: Seconds = 30

    def __post_init__(self) -> None:
        parse_link(self.link)


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    spec, thinning = parse_link(config.link), Thinning(Rule(config.interval_s), decode)
    return Listener(config.name, config.device, spec, NmeaFramer, thinning, config.idle_s, clock_offset)


def clock_offset(data: bytes, at: Stamp) -> Fields | None:
    """Whole seconds by which the receiver's time is ahead of ours; None where it has no time."""
    try:
        time = decode(data).get("time")
    except DecodeError:
        return None  # whoever decodes it will say what is wrong with it
    if time is None:
        return None
    told_s = datetime.fromisoformat(str(time.value)).timestamp()
    return {"clock_offset": Value(round(told_s - at.wall_ns / 1e9), "s", derived=True)}
