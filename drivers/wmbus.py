"""Wireless M-Bus receivers: telegrams of meters nearby, and of everybody else's.

Framing: torhaus.codecs.framing.wmbus and beside it one module for each kind of receiver. A frame's data is one telegram
from L on, without the radio frame's checksums, which were verified; its time is that of its arrival here. Nothing is
sent to a meter. Whose telegram it is, and whether it is kept, says the daemon's list of meters (`Directory`).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol

import msgspec

from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.model import DecodeError, Fields, Frame, Reject, Stamp
from torhaus.drivers.base import DriverGone, Host, LinkChanged
from torhaus.drivers.link import Line, Link, open_link, parse_link
from torhaus.drivers.listener import MAX_OUTSTANDING, Seconds
from torhaus.drivers.own_line import OwnLine
from torhaus.drivers.said import Said, about
from torhaus.drivers.window import Window
from torhaus.drivers.wmbus_receivers import RECEIVERS, Receiver

GREETING_S: Final = 3.0
"""A receiver answers within milliseconds; one that has not by then is another one, or has another rate."""
QUIET_S: Final = 0.5
"""A message arrives in one go: after so much silence in the middle of one it was noise."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `receiver`: im871a, amb8465, or lines of software. `mode`: what a module is told to listen for. `interval_s`: at
    most one readable telegram of each meter is kept in each stretch of so many seconds since boot (0: every one).
    `repeat_s`: the same telegram again within so many seconds is a repetition. `keep_unknown`: telegrams of meters
    that are not in the list of devices are stored, too. `idle_s`: a receiver silent for so long is taken for lost (0:
    never).
    """

    name: str
    type: Literal["wmbus"] = "wmbus"
    link: str
    receiver: Literal["im871a", "amb8465", "lines"]
    mode: Literal["C1T1", "C1", "T1", "S1"] = "C1T1"
    interval_s: Seconds = 0
    repeat_s: Seconds = 60
    keep_unknown: bool = False
    idle_s: Seconds = 0

    def __post_init__(self) -> None:
        parse_link(self.link, Line(baud=RECEIVERS[self.receiver].BAUD))


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a telegram: whose it is, if the list of devices has its meter, and whether it is kept."""

    is_kept: bool
    device: str | None = None


class Directory(Protocol):
    """Who knows the site's meters."""

    def judge(self, heard: Heard, at: Stamp) -> Verdict:
        """What becomes of this telegram. Raises DecodeError for one that is none."""
        ...


class Nobody:
    """A directory without meters: every telegram is an unknown one, and kept."""

    def judge(self, heard: Heard, at: Stamp) -> Verdict:  # noqa: ARG002 - see Directory
        """Kept."""
        return Verdict(is_kept=True)


def open(config: Config) -> "Wmbus":  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    return Wmbus(config)


class Wmbus(OwnLine):
    """One receiver."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.spec = parse_link(config.link, Line(baud=RECEIVERS[config.receiver].BAUD))
        self.directory: Directory = Nobody()
        self.decoders: dict[str, Callable[[bytes, int | None], Fields]] = {}
        self._window = Window(MAX_OUTSTANDING)

    async def run(self, host: Host) -> None:
        """Receive until cancelled. Raises DriverGone when the link is lost, or the receiver does not answer."""
        receiver = RECEIVERS[self.config.receiver](self.config.mode)
        try:
            async with self._line, await open_link(self.spec, self.config.idle_s) as link:
                self._link = link
                await self._greet(receiver, link, host)
                host.event(LinkChanged(up=True))
                while True:
                    await self._window.room()
                    pieces = await self._pieces(receiver, link, QUIET_S if receiver.is_inside else None)
                    await self._deal(receiver, link, pieces, host)
        except DriverGone as gone:
            self._hand_over([], receiver.reset(), host)
            host.event(LinkChanged(up=False, detail=gone.detail))
            raise

    async def _greet(self, receiver: Receiver, link: Link, host: Host) -> None:
        """Set the receiver up. Telegrams that arrive meanwhile are taken."""
        for request in receiver.greeting():
            await link.write(request)
        try:
            async with asyncio.timeout(GREETING_S):
                while not receiver.is_ready:
                    await self._deal(receiver, link, await self._pieces(receiver, link, None), host)
        except TimeoutError:
            raise DriverGone(
                about(link.name, Said("no_receiver", receiver=self.config.receiver, s=GREETING_S))
            ) from None

    async def _pieces(self, receiver: Receiver, link: Link, quiet_s: float | None) -> Sequence[bytes | Reject]:
        try:
            async with asyncio.timeout(quiet_s):
                data = await link.read()
        except TimeoutError:
            return receiver.flush()
        return receiver.feed(data)

    async def _deal(self, receiver: Receiver, link: Link, pieces: Sequence[bytes | Reject], host: Host) -> None:
        heard: list[Heard] = []
        rejects: list[Reject] = []
        for piece in pieces:
            if isinstance(piece, Reject):
                rejects.append(piece)
                continue
            try:
                found = receiver.take(piece)
            except DecodeError as e:
                rejects.append(Reject(piece, e.reason, e.detail))
            else:
                heard += [] if found is None else [found]
        for request in receiver.to_send():
            await link.write(request)
        self._hand_over(heard, rejects, host)

    def _hand_over(self, heard: Sequence[Heard], rejects: list[Reject], host: Host) -> None:
        at = host.stamp()
        frames: list[Frame] = []
        for one in heard:
            try:
                verdict = self.directory.judge(one, at)
            except DecodeError as e:
                rejects.append(Reject(one.telegram, e.reason, e.detail))
            else:
                if verdict.is_kept:
                    frames.append(Frame(self.config.name, one.telegram, at, device=verdict.device))
        if frames or rejects:
            host.deliver(frames, rejects, self._window.taken(len(frames) + len(rejects)))
