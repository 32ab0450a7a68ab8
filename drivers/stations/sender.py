"""The way down to one station: each downlink gets a number, and is waited for until the station says that it was sent.

A station says nothing of what it did not send. So silence, for as long as the downlink could still go out, is the
answer NO_ANSWER; what is to be tried after it is tried then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from torhaus.codecs.framing.basics_station.downward import Attempt, attempts, dnmsg, which
from torhaus.codecs.framing.basics_station.upward import Sent
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.lorawan.regions.model import Region
from torhaus.drivers.base import Host

MAX_WAITING: Final = 128
"""Downlinks of one station that are under way: it has room for so many (MAX_TXJOBS)."""
MARGIN_S: Final = 2.0
"""How long after a downlink's moment the station may need to say so."""
CLASS_C_S: Final = 5.0
"""It tries for one second on end, and may have others before."""
MAX_WAIT_S: Final = 602.0
"""A station takes nothing that is more than ten minutes ahead."""

_IGNORED: Final = TxAnswer(TxStatus.IGNORED)
_SILENCE: Final = TxAnswer(
    TxStatus.NO_ANSWER, detail="the gateway did not say that it sent it: too late, or not allowed"
)

Say = Callable[[bytes], Awaitable[bool]]
"""Sends to the station; False when it is gone."""


class Sender:
    """One station's downlinks. `numbers` are the driver's: no two downlinks have the same."""

    def __init__(self, region: Region, numbers: Iterator[int], host: Host, say: Say) -> None:
        self._region = region
        self._numbers = numbers
        self._host = host
        self._say = say
        self._waiting: dict[int, asyncio.Future[Sent | None]] = {}
        self.asked = 0
        self.sent = 0

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """One answer for each item, in order; those after the one that was sent are IGNORED, and so are the others."""
        self.asked += 1
        answers = [_IGNORED] * len(downlink.items)
        for attempt in attempts(downlink, self._region):
            answer, sent = await self._try(attempt)
            for place, item in enumerate(attempt.items):
                answers[item] = answer if answer.status is not TxStatus.OK or place == sent else _IGNORED
            if answer.status is TxStatus.OK:
                break
        return tuple(answers)

    def heard(self, sent: Sent) -> None:
        """The station says that it has sent. Of a number that nobody waits for it is too late, or a lie."""
        waiting = self._waiting.get(sent.number) if sent.number is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(sent)

    def end(self) -> None:
        """The station is gone: nobody need wait any longer."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)

    async def _try(self, attempt: Attempt) -> tuple[TxAnswer, int]:
        """What became of it, and which of its items was sent. How long that took is the window's, not the line's."""
        if attempt.message is None:
            return attempt.refusal or TxAnswer(TxStatus.INTERNAL_ERROR), 0
        if len(self._waiting) >= MAX_WAITING:
            return TxAnswer(TxStatus.QUEUE_FULL), 0
        number = next(self._numbers)
        stamp = self._host.stamp()
        self._waiting[number] = waiting = asyncio.get_running_loop().create_future()
        try:
            if not await self._say(dnmsg(attempt.message, number, stamp.wall_ns / 1e9 if stamp.synced else None)):
                return TxAnswer(TxStatus.NO_GATEWAY), 0
            async with asyncio.timeout(wait_s(attempt, stamp.wall_ns)):
                sent = await waiting
        except TimeoutError:
            return _SILENCE, 0
        finally:
            del self._waiting[number]
        if sent is None:
            return TxAnswer(TxStatus.NO_ANSWER, detail="the gateway left meanwhile"), 0
        self.sent += 1
        return TxAnswer(TxStatus.OK), which(attempt, sent)


def wait_s(attempt: Attempt, wall_ns: int) -> float:
    """How long it may take until the station says that it has sent."""
    if attempt.gps_us is not None:
        ahead_s = (attempt.gps_us - gps_ns(wall_ns) // 1000) / 1e6
        return min(max(ahead_s, 0.0) + MARGIN_S, MAX_WAIT_S)
    return attempt.ahead_us / 1e6 + MARGIN_S if attempt.ahead_us else CLASS_C_S
