"""Wired M-Bus frames in a byte stream: whole, cut up anywhere, behind junk, damaged."""

import random

import pytest

from torhaus.codecs.framing.mbus import ACK, MAX_FRAME, REQ_UD2, MbusFramer, Telegram, long, short, unwrap
from torhaus.codecs.model import DecodeError, Reject, RejectReason

ANSWER = long(0x08, 5, 0x72, bytes(range(60)))
POLL = short(REQ_UD2, 5)


def fed(stream: bytes, sizes: list[int] | None = None) -> list[bytes | Reject]:
    framer, at = MbusFramer(), 0
    out: list[bytes | Reject] = []
    for size in sizes or [len(stream)]:
        out += framer.feed(stream[at : at + size])
        at += size
    return [*out, *framer.feed(stream[at:]), *framer.flush()]


def test_the_three_forms_are_read() -> None:
    assert bytes.fromhex("105b056016") == POLL
    assert unwrap(POLL) == Telegram(0x5B, 5)
    assert unwrap(ACK) == Telegram()
    assert unwrap(ANSWER) == Telegram(8, 5, 0x72, bytes(range(60)))
    assert fed(ACK + POLL + ANSWER) == [ACK, POLL, ANSWER]


def test_the_result_does_not_depend_on_how_the_stream_was_cut_up() -> None:
    rand = random.Random(13757)
    noise = bytes(rand.choice((0x10, 0x68, 0x16, 0x00, 0xFF)) for _ in range(300))
    stream = noise + ANSWER + b"\x68\x10" + POLL + ANSWER[:-2] + b"\x00\x16" + ACK + ANSWER
    whole = fed(stream)
    assert [piece for piece in whole if piece == ANSWER] == [ANSWER, ANSWER]
    assert b"".join(p.data if isinstance(p, Reject) else p for p in whole) == stream
    assert fed(stream, [1] * len(stream)) == whole
    for _ in range(30):
        assert fed(stream, [rand.randrange(40) for _ in range(30)]) == whole


def test_a_damaged_frame_is_refused_with_its_reason() -> None:
    with pytest.raises(DecodeError) as caught:
        unwrap(ANSWER[:-2] + bytes((ANSWER[-2] ^ 1, 0x16)))
    assert caught.value.reason is RejectReason.CRC
    for n in range(len(ANSWER)):
        with pytest.raises(DecodeError):
            unwrap(ANSWER[:n])
    with pytest.raises(DecodeError) as caught:
        unwrap(ANSWER + b"\x00")
    assert caught.value.reason is RejectReason.LONG


def test_a_frame_that_never_ends_is_handed_out_at_reset_and_little_is_held() -> None:
    framer = MbusFramer()
    assert framer.feed(ANSWER[:20]) == []
    assert [r.reason for r in framer.reset()] == [RejectReason.SHORT]
    pieces = framer.feed(bytes(100_000))
    assert all(isinstance(p, Reject) and len(p.data) <= MAX_FRAME for p in pieces)
    assert sum(len(p.data) for p in pieces if isinstance(p, Reject)) > 100_000 - MAX_FRAME


def test_more_than_fits_is_no_frame() -> None:
    with pytest.raises(ValueError, match="at most 252"):
        long(8, 5, 0x72, bytes(253))
