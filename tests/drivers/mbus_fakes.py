"""Wired M-Bus meters in memory, with bad manners, and the bus that they hang on."""

import asyncio
import random
from collections.abc import Callable

from tests.drivers.fakes import FakeHost
from torhaus.codecs.framing.mbus import ACK, MbusFramer, Telegram, long, unwrap
from torhaus.codecs.framing.mbus_address import BROADCAST, Secondary
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link

STEP_S = 0.05


class Meter:
    """One meter. `says`: the records of each of its telegrams. `answers`: what it makes of what it would send."""

    def __init__(self, address: int, number: str = "", says: list[bytes] | None = None) -> None:
        self.address = address
        self.secondary = Secondary(number or f"{address:08d}", b"\xab\xcd", 1, 7)
        self.says = says if says is not None else [b"\x0c\x13\x78\x56\x34\x12"]
        self.manners: list[Callable[[bytes], bytes]] = []  # one per answer, the last holds; none: good ones
        self.is_dead = self.ignores_fcb = False
        self.knows_nke = True
        self.rate = 2400
        self._selected = False
        self._at = -1
        self._fcb: int | None = None

    def hears(self, frame: bytes) -> bytes:
        """What it sends in answer."""
        telegram = unwrap(frame)
        if self.is_dead:
            return b""
        if telegram.ci == 0x52:
            self._selected = Secondary.parse(wire_text(telegram)).matches(self.secondary)
            self._fcb, self._at = None, -1
            return ACK if self._selected else b""
        if telegram.address not in {self.address, 254, BROADCAST} and not (telegram.address == 253 and self._selected):
            return b""
        control = telegram.control
        assert control is not None
        if control == 0x40:
            self._fcb, self._at = None, -1
            return ACK if self.knows_nke and telegram.address != BROADCAST else b""
        assert control & 0x5F == 0x5B, f"nothing but requests: {frame.hex()}"
        if control & 0x20 != self._fcb and not (self.ignores_fcb and self._at >= 0):
            self._at += 1
        self._fcb = control & 0x20
        answer = long(0x08, self.address, 0x72, self.secondary.wire + bytes(4) + self.says[self._at % len(self.says)])
        if self.manners:
            answer = (self.manners.pop(0) if len(self.manners) > 1 else self.manners[0])(answer)
        return answer


def wire_text(telegram: Telegram) -> str:
    """The secondary address in a selection as text."""
    return telegram.data[3::-1].hex().upper() + telegram.data[4:].hex().upper()


class FakeBus(Link):
    """The bus. Silence moves the loop's time and the host's. `piece`: bytes of one read."""

    def __init__(self, meters: list[Meter], host: FakeHost | None = None, *, echo: bool = False) -> None:
        super().__init__("fake")
        self.meters = meters
        self.host = host
        self.echo = echo
        self.piece = 7
        self.staggered = False  # several answer one after the other, so that each is good; else at once
        self.rate = 2400
        self.heard: list[bytes] = []
        self.pulls_in = 0  # reads and writes until the link is lost; 0: never
        self.is_away = False
        self._said = b""

    async def _read(self, max_bytes: int) -> bytes:
        self._work()
        while not self._said:
            self._spend(STEP_S)
            await asyncio.sleep(0)
        said, self._said = self._said[: self.piece], self._said[self.piece :]
        self._spend(len(said) * 11 / self.rate)
        return said

    async def _write(self, data: bytes) -> None:
        self._work()
        self.heard.append(data)
        self._said += data if self.echo else b""
        self._spend(len(data) * 11 / self.rate)
        for frame in MbusFramer().feed(data):
            assert isinstance(frame, bytes)
            answers = [a for m in self.meters if m.rate == self.rate and (a := m.hears(frame))]
            if not answers:
                continue
            if self.staggered:
                self._said += b"".join(answers)
            else:
                self._said += answers[0] if all(a == answers[0] for a in answers) else collision(answers)

    async def _set_baud(self, baud: int) -> None:
        self.rate = baud

    def _spend(self, seconds: float) -> None:
        asyncio.get_running_loop().advance(seconds)  # type: ignore[attr-defined]
        if self.host is not None:
            self.host.now_ns += round(seconds * 1e9)

    def _work(self) -> None:
        if self.pulls_in:
            self.pulls_in -= 1
            self.is_away = self.pulls_in == 0
        if self.is_away:
            raise DriverGone("fake: unplugged")

    async def close(self) -> None:
        self._said = b""


def collision(answers: list[bytes]) -> bytes:
    """Several at once: a current loop shows the zeros of all."""
    out = bytearray(max(answers, key=len))
    for answer in answers:
        for n, octet in enumerate(answer):
            out[n] &= octet
    return bytes(out)


def noise(seed: int, n: int = 20) -> bytes:
    """As a wrong rate makes it."""
    return random.Random(seed).randbytes(n).replace(ACK, b"\x00")
