"""The framer for frames with a length and a checksum: good frames behind noise and inside false starts are kept."""

import random

import pytest

from tests.chunking import assert_any_chunking, telegrams
from torhaus.codecs.framing.seeking import Fault, SeekingFramer, check_whole
from torhaus.codecs.model import DecodeError, Reject, RejectReason

MARK = 0xAA


def size(data: bytes | bytearray) -> int | None:
    """AA n, n bytes, their sum."""
    if not data or data[0] != MARK:
        return None
    return 2 if len(data) < 2 else 3 + data[1]


def check(found: bytes) -> Fault | None:
    return None if sum(found[2:-1]) & 0xFF == found[-1] else (RejectReason.CRC, "sum")


def make() -> SeekingFramer:
    return SeekingFramer(258, size, check)


def frame(data: bytes) -> bytes:
    return bytes((MARK, len(data))) + data + bytes((sum(data) & 0xFF,))


ONE, TWO = frame(b"one"), frame(bytes(range(100)))


def test_any_chunking() -> None:
    whole = assert_any_chunking(make, ONE + TWO + ONE, junk=(b"\0\1", b"noise"))
    assert telegrams(whole) == [ONE, TWO, ONE]


def test_a_false_start_costs_no_frame() -> None:
    framer = make()
    stream = bytes((MARK, 0xFF)) + ONE + TWO
    assert framer.feed(stream) == []
    assert framer.is_inside
    assert [piece for piece in framer.flush() if isinstance(piece, bytes)] == [ONE, TWO]
    assert not framer.is_inside


def test_every_byte_comes_out_once_and_little_is_held() -> None:
    rand = random.Random(5)
    stream = b"".join(rand.choice((ONE, TWO, rand.randbytes(9), bytes((MARK, 200)))) for _ in range(400))
    framer = make()
    out: list[bytes | Reject] = []
    for at in range(0, len(stream), 17):
        out += framer.feed(stream[at : at + 17])
        assert len(framer._buf) + len(framer._junk) <= 2 * 258
    out += framer.flush()
    assert b"".join(piece.data if isinstance(piece, Reject) else piece for piece in out) == stream


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectReason.SYNTAX),
        (ONE[1:], RejectReason.SYNTAX),
        (ONE[:-1], RejectReason.SHORT),
        (ONE + b"x", RejectReason.LONG),
        (ONE[:-1] + b"\0", RejectReason.CRC),
    ],
)
def test_what_is_no_whole_frame(data: bytes, reason: RejectReason) -> None:
    check_whole(ONE, size, check)
    with pytest.raises(DecodeError) as caught:
        check_whole(data, size, check)
    assert caught.value.reason is reason
