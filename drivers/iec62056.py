"""Meters with an optical or wired interface by IEC 62056-21 (D0, IEC 1107): asked in modes A to C, heard in mode D.

Framing and messages: torhaus.codecs.framing.iec62056. A frame's data is identification line and read-out as received.
Nothing is ever programmed. The rate is changed on the open line; a tcp:// converter cannot do that: it stays at the
rate it has, and the meter is asked for that one (`converter_baud`).
"""

import asyncio
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.iec62056 import (
    MAX_READOUT,
    RATES,
    Identification,
    ReadoutFramer,
    acknowledge,
    block,
    identification,
    rate_letter,
    sign_on,
)
from torhaus.codecs.meter.iec62056 import decode
from torhaus.codecs.model import DecodeError, Frame, Reject, RejectReason
from torhaus.drivers.base import Host
from torhaus.drivers.link import Line, Link, parse_link
from torhaus.drivers.listener import Listener, Seconds
from torhaus.drivers.polling import Asking, Bus, Interval, Jitter, NoAnswer, Rhythm
from torhaus.drivers.said import Said
from torhaus.drivers.thinning import OnChange, Rule, Summarise, Thinning

ASKS: Final = True
"""It speaks only when it is asked, but for mode D."""
REACTION_S: Final = 0.2
"""The standard's shortest pause between a message and its answer (6.3.14)."""
LONGEST_S: Final = 600.0
"""A read-out that takes longer will not end: at 300 baud these are 18,000 bytes."""

_ASKED: Final = Line(baud=300, parity="E", bytesize=7)
_PUSHED: Final = Line(baud=9600, parity="E", bytesize=7)
_SEVEN_BITS: Final = bytes(n & 0x7F for n in range(256))

Baud = Literal[300, 600, 1200, 2400, 4800, 9600, 19200]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `mode`: "auto" is A, B or C by what the meter answers; "D" only listens. `address`: of one meter among several on
    the line. `max_baud`: no faster than so in mode C; `converter_baud`: the rate a tcp:// converter has.
    `strip_parity`: the converter passes the parity bit on as the eighth. `timeout_s`: silence after which an answer is
    over; `retries`: how often it is asked again at once. Mode D:
    `idle_s`, and `interval_s`, `on_change`, `summarise`: which telegrams are delivered, and what is said of the others
    (torhaus.drivers.thinning).
    """

    name: str
    type: Literal["iec62056"] = "iec62056"
    link: str
    device: Annotated[str, msgspec.Meta(min_length=1)]
    mode: Literal["auto", "A", "B", "C", "D"] = "auto"
    address: str = ""
    max_baud: Baud = 9600
    converter_baud: Baud = 300
    strip_parity: bool = False
    interval_s: Interval = 900
    on_change: OnChange = {}
    summarise: Summarise = ()
    align: bool = True
    jitter_s: Jitter = 0
    timeout_s: Annotated[float, msgspec.Meta(ge=0.5, le=60, description="seconds from 0.5 to 60")] = 3
    retries: Annotated[int, msgspec.Meta(ge=0, le=10, description="a number from 0 to 10")] = 1
    idle_s: Seconds = 60

    def __post_init__(self) -> None:
        parse_link(self.link, _ASKED)
        try:
            sign_on(self.address)
        except ValueError as error:
            raise ValueError(f"address: {error}") from error
        if self.mode != "D" and (self.on_change or self.summarise):
            key = "on_change" if self.on_change else "summarise"
            raise ValueError(f'{key}: is for mode = "D": a meter that is asked sends nothing that could be left out')


def open(config: Config) -> "Iec62056 | Listener":  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    if config.mode != "D":
        return Iec62056(config)
    spec = parse_link(config.link, _PUSHED)
    thinning = Thinning(Rule(config.interval_s, config.on_change, config.summarise), decode)
    return Listener(config.name, config.device, spec, ReadoutFramer, thinning, config.idle_s)


class Iec62056(Asking):
    """One meter that is asked."""

    def __init__(self, config: Config) -> None:
        self.config = config
        rhythm = Rhythm(config.interval_s, config.align, config.jitter_s)
        self.bus = Bus(parse_link(config.link, _ASKED), [config.device], rhythm, linger_s=0)

    async def _talk(self, host: Host, link: Link, name: str) -> None:
        config, fault = self.config, ""
        for _ in range(1 + config.retries):
            talk = Readout(config, link, self._line_baud())
            try:
                async with asyncio.timeout(LONGEST_S):
                    data = await talk.read(host)
            except TimeoutError:
                said = bytes(talk.said)
                fault = Said("stops") if said else Said("no_answer", s=config.timeout_s)
                reject = Reject(said, RejectReason.SHORT, str(fault), name)
            except DecodeError as error:
                fault = error.detail
                reject = Reject(bytes(talk.said), error.reason, fault, name)
            else:
                host.deliver([Frame(config.name, data, host.stamp(), device=name)], [])
                return
            if reject.data:
                host.deliver([], [reject])
        raise NoAnswer(fault)

    def _line_baud(self) -> int:
        line = getattr(self.spec, "line", None)
        return line.baud if isinstance(line, Line) else self.config.converter_baud


class Readout:
    """One read-out over an open link. `said`: all that came so far, without the echo of what was sent."""

    def __init__(self, config: Config, link: Link, baud: int) -> None:
        self._config = config
        self._link = link
        self._baud = baud
        self.said = bytearray()

    async def read(self, host: Host) -> bytes:
        """Identification line and read-out. Raises TimeoutError, DecodeError, DriverGone."""
        link, config = self._link, self._config
        if link.sets_baud:
            await link.set_baud(self._baud)
        await link.write(sign_on(config.address))
        line, who = await self._identified()
        mode = who.protocol if config.mode == "auto" else config.mode
        if mode == "C":
            wanted = min(config.max_baud, who.baud) if link.sets_baud else config.converter_baud
            letter = rate_letter(wanted)
            await host.sleep(REACTION_S)
            await link.write(acknowledge(letter))
            if link.sets_baud:
                await link.set_baud(RATES[letter])
        elif mode == "B" and link.sets_baud:
            await link.set_baud(who.baud)
        return line + await self._data()

    async def _more(self) -> None:
        async with asyncio.timeout(self._config.timeout_s):
            data = await self._link.read()
        self.said += data.translate(_SEVEN_BITS) if self._config.strip_parity else data
        if len(self.said) > MAX_READOUT:
            raise DecodeError(RejectReason.LONG, f"no end within {MAX_READOUT} bytes")

    async def _identified(self) -> tuple[bytes, Identification]:
        """The line with which the meter answers; an optical head echoes what was sent, and noise may come first."""
        while True:
            await self._more()
            while (at := self.said.find(b"/")) >= 0 and (end := self.said.find(b"\n", at)) >= 0:
                line = bytes(self.said[at : end + 1])
                try:
                    who = identification(line)
                except DecodeError:
                    if not line.startswith(b"/?"):
                        raise
                    del self.said[: end + 1]
                    continue
                del self.said[: end + 1]
                return line, who

    async def _data(self) -> bytes:
        """The block from STX to its check; without STX up to the line of the exclamation mark."""
        while True:
            start = self.said.find(b"\x02")
            if start >= 0:
                whole = block(bytes(self.said[start:]))
                if whole is not None:
                    return whole
            elif (end := self.said.find(b"!\r\n")) >= 0:
                return bytes(self.said[: end + 3])
            await self._more()
