"""Frame formats A and B: their checksums, lengths, and what is refused."""

import random

import pytest

from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.framing.wmbus import crc16, frame_a, frame_b, size_a, telegram_of
from torhaus.codecs.model import DecodeError, RejectReason


def test_the_check_value_of_the_crc() -> None:
    assert crc16(b"123456789") == 0xC2B7


def test_a_frame_of_format_a_as_the_standard_cuts_it() -> None:
    telegram = Meter().plain()  # 27 bytes: blocks of 10, 16 and 1
    frame = frame_a(telegram)
    assert len(frame) == len(telegram) + 6 == size_a(telegram[0])
    assert frame[10:12] == crc16(telegram[:10]).to_bytes(2, "big")
    assert frame[12:28] == telegram[10:26]
    assert frame[30:31] == telegram[26:]


@pytest.mark.parametrize("size", [10, 11, 26, 27, 42, 100, 126, 127, 128, 200, 252])
def test_both_formats_and_none_give_the_telegram(size: int) -> None:
    telegram = bytes((size - 1,)) + random.Random(size).randbytes(size - 1)
    assert telegram_of(frame_a(telegram)) == telegram
    assert telegram_of(frame_b(telegram)) == telegram
    assert telegram_of(telegram) == telegram


def test_format_b_has_room_for_252_bytes() -> None:
    telegram = bytes((252,)) + bytes(252)
    with pytest.raises(ValueError, match="too many for format B"):
        frame_b(telegram)


@pytest.mark.parametrize("at", range(31))
def test_a_changed_byte_of_format_a_is_found(at: int) -> None:
    frame = bytearray(frame_a(Meter().plain()))
    frame[at] ^= 0x40
    with pytest.raises(DecodeError) as caught:
        telegram_of(bytes(frame))
    assert caught.value.reason in {RejectReason.CRC, RejectReason.SHORT, RejectReason.LONG}


def test_lengths_that_do_not_fit() -> None:
    telegram = Meter().plain()
    for frame, reason in (
        (b"", RejectReason.SHORT),
        (telegram[:9], RejectReason.SHORT),
        (b"\x05" + telegram[1:], RejectReason.SHORT),
        (telegram[:-1], RejectReason.SHORT),
        (telegram + b"\0", RejectReason.LONG),
        (frame_a(telegram) + b"\0", RejectReason.LONG),
    ):
        with pytest.raises(DecodeError) as caught:
            telegram_of(frame)
        assert caught.value.reason is reason


def test_nothing_but_a_decode_error_leaves_it() -> None:
    rand = random.Random(137574)
    for _ in range(3000):
        data = rand.randbytes(rand.randrange(300))
        try:
            found = telegram_of(data)
        except DecodeError:
            continue
        assert len(found) == found[0] + 1
