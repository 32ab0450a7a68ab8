"""Modbus answers are found whatever stands around them, however they are cut up."""

import random
from contextlib import suppress

import pytest

from torhaus.codecs.framing.crc import crc16_modbus
from torhaus.codecs.framing.modbus import MAX_HELD, RtuAnswer, TcpAnswer


def rtu(unit: int, pdu: bytes) -> bytes:
    frame = bytes((unit,)) + pdu
    return frame + crc16_modbus(frame).to_bytes(2, "little")


def tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu


PDU = b"\x03\x04\x00\x01\x00\x02"
GOOD = rtu(3, PDU)
REFUSED = b"\x83\x02"


@pytest.mark.parametrize("each", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "before",
    [b"", b"\x00\xff", rtu(4, PDU), rtu(3, b"\x03\x00\x00\x00\x02"), b"\x03", b"\x03\x03\x04", GOOD[:-1] + b"\0"],
)
@pytest.mark.parametrize(("frame", "pdu"), [(GOOD, PDU), (rtu(3, REFUSED), REFUSED)])
def test_rtu_behind_noise_echo_and_others(before: bytes, each: int, frame: bytes, pdu: bytes) -> None:
    answer, stream = RtuAnswer(3, 3, 2), before + frame
    found = [answer.feed(stream[at : at + each]) for at in range(0, len(stream), each)]
    assert found[-1] == pdu
    assert found[:-1] == [None] * (len(found) - 1)


def test_rtu_truncated_or_changed_is_none() -> None:
    for n in range(len(GOOD)):
        assert RtuAnswer(3, 3, 2).feed(GOOD[:n]) is None
        changed = GOOD[:n] + bytes((GOOD[n] ^ 1,)) + GOOD[n + 1 :]
        assert RtuAnswer(3, 3, 2).feed(changed) is None
    assert RtuAnswer(3, 3, 3).feed(GOOD) is None, "of another length than was asked for"


def test_rtu_holds_little_of_an_endless_babble() -> None:
    answer, rng = RtuAnswer(3, 3, 125), random.Random(7)
    for _ in range(50):
        assert answer.feed(rng.randbytes(200)) is None
    assert len(answer._buf) <= MAX_HELD
    assert answer.feed(rtu(3, b"\x03\xfa" + bytes(250))) == b"\x03\xfa" + bytes(250)


@pytest.mark.parametrize("each", [1, 5, 100])
def test_tcp_passes_over_late_answers(each: int) -> None:
    stream = tcp(6, 1, b"\x03\x04\0\0\0\0") + tcp(7, 2, PDU) + tcp(7, 1, PDU)
    answer = TcpAnswer(7, 1, 3, 2)
    found = [answer.feed(stream[at : at + each]) for at in range(0, len(stream), each)]
    assert found[-1] == PDU
    assert not any(found[:-1])
    assert TcpAnswer(7, 1, 3, 2).feed(tcp(7, 1, REFUSED)) == REFUSED


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\0\7\0\0\0\1\1\3",
        b"\0\7\0\0\xff\xff\1\3",
        tcp(7, 1, b"\x04\x04\0\0\0\0"),
        tcp(7, 1, b"\x03\x02\0\0"),
    ],
)
def test_tcp_that_is_none_is_said(stream: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        TcpAnswer(7, 1, 3, 2).feed(stream)


def test_fuzz() -> None:
    rng = random.Random(11)
    for _ in range(2000):
        data = rng.randbytes(rng.randint(0, 40))
        RtuAnswer(rng.randint(0, 255), rng.randint(1, 4), rng.randint(1, 125)).feed(data)
        with suppress(ValueError):
            TcpAnswer(rng.randint(0, 9), 1, 3, 2).feed(bytes(4) + data)
