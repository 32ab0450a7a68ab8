"""Conversations with units that have bad manners."""

import asyncio
import struct

import pytest

from tests.codecs.test_framing_modbus import rtu, tcp
from tests.drivers.fakes import run
from torhaus.codecs.framing.modbus_blocks import Block, Span
from torhaus.drivers.base import DriverGone
from torhaus.drivers.links.base import Link
from torhaus.drivers.modbus_talk import Framing, Talk, pack_bits
from torhaus.drivers.polling import NoAnswer


class Scripted(Link):
    """A unit that answers each request with the next of its lines; silence lets the time pass."""

    def __init__(self, *answers: bytes) -> None:
        super().__init__("fake")
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self._said = b""

    async def _read(self, max_bytes: int) -> bytes:
        if not self._said:
            asyncio.get_running_loop().advance(30)  # type: ignore[attr-defined]
            await asyncio.Event().wait()
        said, self._said = self._said[:3], self._said[3:]
        return said

    async def _write(self, data: bytes) -> None:
        self.asked.append(data)
        if self.answers:
            self._said += self.answers.pop(0)

    async def close(self) -> None: ...


TWO = Span(3, 1, 2)


def ask(framing: Framing, *answers: bytes, span: Span = TWO, retries: int = 2) -> tuple[Block, list[bytes]]:
    link = Scripted(*answers)

    async def main() -> Block:
        return await Talk(link, framing, 1.0, retries, 0.02).read(3, span)

    return run(main()), link.asked


PDU = b"\x03\x04" + struct.pack(">HH", 7, 8)
BUSY = b"\x83\x06"


def test_the_request_and_the_answer() -> None:
    block, asked = ask("rtu", rtu(3, PDU))
    assert block == Block(3, 1, 2, PDU[2:])
    assert asked == [rtu(3, b"\x03\x00\x01\x00\x02")]
    block, asked = ask("tcp", tcp(1, 3, PDU))
    assert block == Block(3, 1, 2, PDU[2:])
    assert asked == [tcp(1, 3, b"\x03\x00\x01\x00\x02")]


def test_bits() -> None:
    block, _ = ask("rtu", rtu(3, b"\x01\x02\xcd\xfd"), span=Span(1, 0, 10))
    assert block == Block(1, 0, 10, b"\xcd\x01")
    assert pack_bits([True] * 9, 9) == b"\xff\x01"


def test_silence_noise_busy_and_then_an_answer() -> None:
    block, asked = ask("rtu", b"", rtu(3, BUSY), b"\xff" * 9 + rtu(3, PDU))
    assert block.data == PDU[2:]
    assert len(asked) == 3


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    """What came after the time-out is dropped before the next request."""
    link = Scripted(b"", rtu(3, b"\x03\x04" + bytes(4)))

    async def main() -> None:
        talk = Talk(link, "rtu", 1.0, 0, 0.02)
        with pytest.raises(NoAnswer):
            await talk.read(3, Span(3, 1, 2))
        link._said = rtu(3, PDU)
        assert (await talk.read(3, Span(3, 5, 2))).data == bytes(4)

    run(main())


def test_an_exception_is_an_answer_and_a_passing_one_is_asked_again() -> None:
    assert ask("rtu", rtu(3, b"\x83\x02"))[0] == Block(3, 1, 2, exception=2)
    with pytest.raises(NoAnswer, match="unit 3: device busy"):
        ask("rtu", *[rtu(3, BUSY)] * 3)


def test_who_never_answers() -> None:
    with pytest.raises(NoAnswer, match="unit 3: no answer within 1 s"):
        ask("tcp", b"", b"", b"")


def test_a_server_that_is_no_modbus_is_a_loss() -> None:
    with pytest.raises(DriverGone, match="does not speak Modbus/TCP"):
        ask("tcp", b"SSH-2.0-OpenSSH_9.2\r\n")
