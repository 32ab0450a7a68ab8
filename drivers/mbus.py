"""Meters on a wired M-Bus: asked in turn, by primary or secondary address, telegram after telegram.

Framing: torhaus.codecs.framing.mbus. A frame's data is one whole long frame as received; a meter with more to say makes
several frames. Nothing is ever programmed: meters are reset on the link layer, selected, and asked for their data.
"""

from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.mbus_address import Address, parse_address
from torhaus.codecs.model import Frame, Reject
from torhaus.drivers.base import Host
from torhaus.drivers.link import Line, Link, parse_link
from torhaus.drivers.mbus_talk import Talk
from torhaus.drivers.polling import Asking, Bus, Interval, Jitter, Rhythm

ASKS: Final = True
"""It speaks only when it is asked."""
LINE: Final = Line(baud=2400, parity="E")
"""The line of EN 13757-2: 8 data bits, even parity; 2400 baud is what nearly all meters are delivered with."""

Baud = Literal[0, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400]


class Meter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver.meter]]`.

    `address`: primary (0 to 250) or secondary ("12345678ABCD0107", F for any digit). `baud`: its own rate, where it
    differs from the line's (0). `max_telegrams`: of one reading, for meters that hand out years of history.
    """

    device: Annotated[str, msgspec.Meta(min_length=1)]
    address: int | str
    baud: Baud = 0
    max_telegrams: Annotated[int, msgspec.Meta(ge=1, le=100, description="a number from 1 to 100")] = 16

    def __post_init__(self) -> None:
        try:
            self.where()
        except ValueError as error:
            raise ValueError(f"address: {error}") from error

    def where(self) -> Address:
        """The address. ValueError says what would be right."""
        return parse_address(str(self.address))


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `interval_s`, `align`, `jitter_s`: as in torhaus.drivers.polling.Rhythm. `timeout_s`: until an answer begins;
    `retries`: how often a request is sent again at once. `pause_s`: silence before each request.
    """

    name: str
    type: Literal["mbus"] = "mbus"
    link: str
    meter: Annotated[tuple[Meter, ...], msgspec.Meta(min_length=1, max_length=500)]
    interval_s: Interval = 900
    align: bool = True
    jitter_s: Jitter = 0
    timeout_s: Annotated[float, msgspec.Meta(ge=0.1, le=60, description="seconds from 0.1 to 60")] = 1
    retries: Annotated[int, msgspec.Meta(ge=0, le=10, description="a number from 0 to 10")] = 2
    pause_s: Annotated[float, msgspec.Meta(ge=0.002, le=10, description="seconds from 0.002 to 10")] = 0.05

    def __post_init__(self) -> None:
        spec = parse_link(self.link, LINE)
        seen: dict[str, str] = {}
        for meter in self.meter:
            if meter.device in seen.values():
                raise ValueError(f'meter: device "{meter.device}" is there twice')
            address = str(meter.where())
            if address in seen:
                raise ValueError(f'meter: "{meter.device}" has the address {address} of "{seen[address]}"')
            seen[address] = meter.device
            if meter.baud and not hasattr(spec, "line"):
                raise ValueError("meter: baud cannot be set over this link: the converter has the line's settings")


def open(config: Config) -> "Mbus":  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    return Mbus(config)


class Mbus(Asking):
    """The meters on one bus."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._meters = {m.device: m for m in config.meter}
        self._has_rates = any(m.baud for m in config.meter)
        rhythm = Rhythm(config.interval_s, config.align, config.jitter_s)
        self.bus = Bus(parse_link(config.link, LINE), self._meters, rhythm)

    async def _talk(self, host: Host, link: Link, name: str) -> None:
        config, meter = self.config, self._meters[name]
        if self._has_rates and link.sets_baud:
            line = getattr(self.spec, "line", LINE)
            await link.set_baud(meter.baud or line.baud)
        talk = Talk(link, config.timeout_s, config.retries, config.pause_s)
        at = host.stamp()
        frames: list[Frame] = []
        try:
            async for telegram in talk.read(meter.where(), meter.max_telegrams):
                frames.append(Frame(config.name, telegram, at, device=name))  # noqa: PERF401 - kept if the next fails
        finally:
            rejects = [Reject(r.data, r.reason, r.detail, name) for r in talk.rejects]
            if frames or rejects:
                host.deliver(frames, rejects)
