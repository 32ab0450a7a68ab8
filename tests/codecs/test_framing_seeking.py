"""The framer for frames with a length and a checksum: good frames behind noise and inside false starts are kept."""

import random

from tests.chunking import assert_any_chunking, telegrams
from torhaus.codecs.framing.seeking import Fault, SeekingFramer
from torhaus.codecs.model import Reject, RejectReason

MARK = 0xAA


class Framer(SeekingFramer):
    """AA n, n bytes, their sum."""

    def __init__(self) -> None:
        super().__init__(258)

    def size(self, data: bytearray) -> int | None:
        if data[0] != MARK:
            return None
        return 2 if len(data) < 2 else 3 + data[1]

    def fault(self, frame: bytes) -> Fault | None:
        return None if sum(frame[2:-1]) & 0xFF == frame[-1] else (RejectReason.CRC, "sum")


def frame(data: bytes) -> bytes:
    return bytes((MARK, len(data))) + data + bytes((sum(data) & 0xFF,))


ONE, TWO = frame(b"one"), frame(bytes(range(100)))


def test_any_chunking() -> None:
    whole = assert_any_chunking(Framer, ONE + TWO + ONE, junk=(b"\0\1", b"noise"))
    assert telegrams(whole) == [ONE, TWO, ONE]


def test_a_false_start_costs_no_frame() -> None:
    framer = Framer()
    stream = bytes((MARK, 0xFF)) + ONE + TWO
    assert framer.feed(stream) == []
    assert framer.is_inside
    assert [piece for piece in framer.flush() if isinstance(piece, bytes)] == [ONE, TWO]
    assert not framer.is_inside


def test_every_byte_comes_out_once_and_little_is_held() -> None:
    rand = random.Random(5)
    stream = b"".join(rand.choice((ONE, TWO, rand.randbytes(9), bytes((MARK, 200)))) for _ in range(400))
    framer = Framer()
    out: list[bytes | Reject] = []
    for at in range(0, len(stream), 17):
        out += framer.feed(stream[at : at + 17])
        assert len(framer._buf) + len(framer._junk) <= 2 * 258
    out += framer.flush()
    assert b"".join(piece.data if isinstance(piece, Reject) else piece for piece in out) == stream
