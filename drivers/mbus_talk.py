"""One conversation on a wired M-Bus: reset, select, ask, and ask on for as long as the meter has more to say.

After EN 13757-2:2018 (link layer: SND_NKE, REQ_UD2, the frame count bit), EN 13757-3:2018 (selection by secondary
address). Converters that echo what was sent, answers of others, late and noisy ones are expected here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import Enum
from typing import Final

from torhaus.codecs.framing.mbus import (
    ACK,
    FCB,
    MAX_FRAME,
    NETWORK_LAYER,
    REQ_UD2,
    SND_NKE,
    SND_UD,
    MbusFramer,
    Telegram,
    long,
    short,
    unwrap,
)
from torhaus.codecs.framing.mbus_address import ANYBODY, BROADCAST, SELECT, Address, Secondary
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.model import DecodeError, Reject, RejectReason
from torhaus.drivers.link import Link
from torhaus.drivers.polling import NoAnswer
from torhaus.drivers.said import Said, about

GAP_S: Final = 0.5
"""A meter that has begun and is silent for so long has ended. The standard allows no gaps; converters make some."""
MAX_ANSWER_BYTES: Final = 4 * MAX_FRAME
"""One answer with its echo and noise: who says more is no meter."""
MAX_ANSWER_S: Final = 30.0
"""A whole frame at 300 baud takes 10 s."""

_PRIMARY_STATION: Final = 0x40
"""Bit of the control field in what a master sends: such a frame is the echo of our own."""
_HEADER: Final = 12


class Heard(Enum):
    """What came in answer to a selection or reset."""

    NOTHING = "nothing"
    ACK = "ack"
    NOISE = "noise"  # bytes that are no frame: several at once, or a wrong rate


class Talk:
    """Asks over one open link.

    `timeout_s`: until an answer begins; `retries`: how often a request is sent again; `pause_s`: silence before each
    request, what arrives in it is dropped. `rejects`: bytes that meant nothing, for the caller to hand over.
    """

    def __init__(self, link: Link, timeout_s: float, retries: int, pause_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self._retries = retries
        self._pause_s = pause_s
        self.rejects: list[Reject] = []

    async def read(self, address: Address, max_telegrams: int) -> AsyncIterator[bytes]:
        """The telegrams of one meter, whole frames as received. Raises NoAnswer, or DriverGone."""
        mask = address if isinstance(address, Secondary) else None
        if mask is not None:
            if not await self.selected(mask):
                raise NoAnswer(about(str(mask), Said("nobody")))
            at = NETWORK_LAYER
        else:
            assert isinstance(address, int)
            at = address
            await self.reset(at)  # so that its first telegram is next; some meters do not acknowledge that
        fcb, said = FCB, b""
        alone = mask is not None and mask.has_wildcard  # of several who match, each would be taken for the other
        for _ in range(max_telegrams):
            frame = await self.request(at, fcb, mask, alone=alone)
            mask, alone = mask and (Secondary.of(unwrap(frame)) or mask), False
            if frame[7 + _HEADER : -2] == said:
                return  # it does not look at the frame count bit, and says the same for ever
            yield frame
            if not more_follows(frame):
                return
            fcb, said = fcb ^ FCB, frame[7 + _HEADER : -2]

    async def selected(self, mask: Secondary) -> bool:
        """Select; whether anybody acknowledged. Meters with other addresses are deselected by it. Raises DriverGone."""
        for _ in range(1 + self._retries):
            if await self.select(mask) is Heard.ACK:
                return True
        return False

    async def select(self, mask: Secondary) -> Heard:
        """Select once. Raises DriverGone."""
        return await self._acknowledged(long(SND_UD, NETWORK_LAYER, SELECT, mask.wire))

    async def reset(self, address: int) -> Heard:
        """SND_NKE: the meter's link layer begins anew. To 255 nobody answers, and nothing is waited for."""
        frame = short(SND_NKE, address)
        if address != BROADCAST:
            return await self._acknowledged(frame)
        await self._link.drain(self._pause_s)
        await self._link.write(frame)
        await self._link.drain(self._pause_s)
        return Heard.NOTHING

    async def request(
        self, address: int, fcb: int = FCB, mask: Secondary | None = None, *, alone: bool = False
    ) -> bytes:
        """One answer to REQ_UD2. `mask`: whose it must be, as far as it says.

        `alone`: nobody else may answer, at the same time or after it. Raises NoAnswer, or DriverGone.
        """
        fault = ""
        for _ in range(1 + self._retries):
            heard = await self._exchange(
                short(REQ_UD2 & ~FCB | fcb, address),
                lambda telegram: not alone and not not_meant(telegram, address, mask),
            )
            answer = None
            if alone and sum(piece != ACK for piece in heard) > 1:
                self.rejects += [piece for piece in heard if isinstance(piece, Reject)]
                fault = Said("several")
                continue
            fault = "" if heard else Said("no_answer", s=self._timeout_s)
            for piece in heard:
                if isinstance(piece, Reject):
                    self.rejects.append(piece)
                    fault = Said("odd_answer", why=piece.detail)
                elif wrong := not_meant(unwrap(piece), address, mask):
                    fault = wrong
                    if len(piece) > len(ACK):
                        self.rejects.append(Reject(piece, RejectReason.UNKNOWN_DEVICE, wrong))
                else:
                    answer = piece
            if answer is not None:
                return answer
        raise NoAnswer(
            about(str(mask), fault) if mask is not None else Said("address", address=str(address), what=fault)
        )

    async def _acknowledged(self, frame: bytes) -> Heard:
        heard = await self._exchange(frame, lambda telegram: telegram.control is None)
        if ACK in heard:
            return Heard.ACK
        return Heard.NOISE if heard else Heard.NOTHING

    async def _exchange(self, request: bytes, is_wanted: Callable[[Telegram], bool]) -> list[bytes | Reject]:
        """Send, and hear until what is wanted has come or the line is silent: all that came but our own echo."""
        link, framer = self._link, MbusFramer()
        await link.drain(self._pause_s)
        await link.write(request)
        heard: list[bytes | Reject] = []
        total, wait_s, is_done = 0, self._timeout_s, False
        try:
            async with asyncio.timeout(MAX_ANSWER_S):
                while not is_done and total < MAX_ANSWER_BYTES:
                    async with asyncio.timeout(wait_s):
                        data = await link.read()
                    total += len(data)
                    pieces = _others(framer.feed(data))
                    heard += pieces
                    is_done = any(isinstance(piece, bytes) and is_wanted(unwrap(piece)) for piece in pieces)
                    if total > len(request):  # more than its echo, so somebody has begun
                        wait_s = min(GAP_S, self._timeout_s)
        except TimeoutError:
            pass  # silence is how an answer ends, and how none is told
        return heard + _others(framer.flush())


def _others(pieces: list[bytes | Reject]) -> list[bytes | Reject]:
    """Without what a master sends: converters echo it."""
    return [piece for piece in pieces if isinstance(piece, Reject) or not _is_masters(unwrap(piece))]


def _is_masters(telegram: Telegram) -> bool:
    return telegram.control is not None and bool(telegram.control & _PRIMARY_STATION)


def not_meant(telegram: Telegram, address: int, mask: Secondary | None) -> str:
    """Why an answer is not the one that was asked for, such as another meter's that came late; empty when it is."""
    if telegram.ci is None:
        return "acknowledges, but says nothing"
    if mask is not None:
        who = Secondary.of(telegram)
        return "" if who is None or mask.matches(who) else f"another meter answered ({who})"
    if address not in {ANYBODY, telegram.address}:
        return f"another meter answered (address {telegram.address})"
    return ""


def more_follows(frame: bytes) -> bool:
    """Whether the meter says that it has another telegram."""
    try:
        return "more_records" in decode(frame)
    except DecodeError:
        return False  # whoever decodes it will say what is wrong
