"""Devices that speak in lines of text or in short binary frames: scales, weather stations, 1-Wire gateways.

What a line means is a rule in the configuration (torhaus.codecs.text.line). Nothing is sent to the device.
"""

from functools import partial
from typing import Annotated, Literal

import msgspec

from torhaus.codecs.framing.lines import FixedFramer, LineFramer
from torhaus.codecs.text.line import FieldRule, Layout, rule
from torhaus.drivers.link import parse_link
from torhaus.drivers.listener import Listener, Seconds
from torhaus.drivers.thinning import OnChange, Rule, Summarise, Thinning


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    r"""Keys of a `[[driver]]` of this type.

    Either `pattern` (a regular expression with named groups, searched for in each line) or `frame` (the layout of a
    binary frame). `fields`: type, unit, scale of what they name. `terminator` ends a line, `max_bytes` is the longest.
    `interval_s`, `on_change`, `summarise`: which telegrams are delivered, and what is said of the others
    (torhaus.drivers.thinning).
    """

    name: str
    type: Literal["line"] = "line"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    pattern: str = ""
    frame: Layout | None = None
    fields: dict[str, FieldRule] = {}
    terminator: Annotated[str, msgspec.Meta(min_length=1, max_length=8, description="1 to 8 characters")] = "\n"
    max_bytes: Annotated[int, msgspec.Meta(ge=1, le=4096, description="bytes from 1 to 4096")] = 256
    interval_s: Seconds = 0
    on_change: OnChange = {}
    summarise: Summarise = ()
    idle_s: Seconds = 0

    def __post_init__(self) -> None:
        parse_link(self.link)
        rule(self.pattern, self.frame, self.fields)
        if not self.terminator.isascii():
            raise ValueError(r'terminator: must be ASCII, such as "\r\n" or "\u0003"')
        self.thinning().check()

    def thinning(self) -> Rule:
        """Which lines are delivered."""
        return Rule(self.interval_s, self.on_change, self.summarise)


def open(config: Config) -> Listener:  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    framer: partial[FixedFramer] | partial[LineFramer]
    if config.frame is not None:
        framer = partial(FixedFramer, config.frame.mark, config.frame.length)
    else:
        framer = partial(LineFramer, config.terminator.encode("ascii"), config.max_bytes)
    spec = parse_link(config.link)
    decode = rule(config.pattern, config.frame, config.fields).decode
    listener = Listener(config.name, config.device, spec, framer, Thinning(config.thinning(), decode), config.idle_s)
    listener.decoders = {config.device: decode}
    return listener
