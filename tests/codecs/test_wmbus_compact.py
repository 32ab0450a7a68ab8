"""Compact frames: learned from full frames and format frames, proved by two checksums."""

import pytest

from tests.codecs.wmbus_fakes import KAMSTRUP, KAMSTRUP_HEADS, KAMSTRUP_VALUES, Meter
from torhaus.codecs.cursor import Cursor
from torhaus.codecs.framing.wmbus import crc16
from torhaus.codecs.meter.mbus.record import records
from torhaus.codecs.meter.wmbus.compact import (
    KNOWN,
    MAX_FORMATS,
    Formats,
    _head,
    full_frame,
    heads_of,
    learn_format,
)
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason

FULL = bytes.fromhex("0c1378563412 4c1301000000 0dfd1103434241 02fd170100")
HEADS = bytes.fromhex("0c134c130dfd1102fd17")
VALUES = bytes.fromhex("78563412 01000000 03434241 0100")


def compact(heads: bytes, full: bytes, values: bytes) -> bytes:
    return crc16(heads).to_bytes(2, "little") + crc16(full).to_bytes(2, "little") + values


def test_heads_of_a_full_frame() -> None:
    assert heads_of(FULL) == HEADS
    assert heads_of(b"\x2f\x2f" + FULL + b"\x2f\x0f\x01\x02") == HEADS
    assert heads_of(KAMSTRUP) == KAMSTRUP_HEADS


def test_a_compact_frame_after_a_full_one() -> None:
    meter, formats = Meter(), Formats()
    small = meter.telegram(b"\x79" + compact(HEADS, FULL, VALUES))
    with pytest.raises(DecodeError, match="no full frame was heard yet") as caught:
        decode(small, formats=formats)
    assert caught.value.reason is RejectReason.UNSUPPORTED
    whole = decode(meter.telegram(b"\x78" + FULL), formats=formats)
    assert decode(small, formats=formats) == whole
    assert whole["customer"].value == "ABC"


def test_a_compact_frame_after_a_format_frame() -> None:
    meter, formats = Meter(), Formats()
    learn = bytes((len(HEADS) + 2,)) + crc16(HEADS).to_bytes(2, "little") + HEADS
    assert "volume" not in decode(meter.telegram(b"\x69" + learn), formats=formats)
    assert decode(meter.telegram(b"\x79" + compact(HEADS, FULL, VALUES)), formats=formats)["volume"].value == 12345.678


def test_what_a_compact_frame_is_refused_for() -> None:
    formats = Formats()
    formats.learn(HEADS)
    good = compact(HEADS, FULL, VALUES)
    assert full_frame(good, formats) == FULL
    assert full_frame(good + b"\x0f\x01", formats) == FULL + b"\x0f\x01"
    for data, reason in (
        (good[:3], RejectReason.SHORT),
        (good[:-1], RejectReason.SHORT),
        (good[:-1] + b"\x07", RejectReason.CRC),
        (good[:2] + b"\0\0" + good[4:], RejectReason.CRC),
    ):
        with pytest.raises(DecodeError) as caught:
            full_frame(data, formats)
        assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", RejectReason.SHORT),
        ("04ffff0c13", RejectReason.CRC),
        ("03" + crc16(b"\x0f").to_bytes(2, "little").hex() + "0f", RejectReason.SYNTAX),
        ("03" + crc16(b"\x8c").to_bytes(2, "little").hex() + "8c", RejectReason.SHORT),
    ],
)
def test_what_is_no_format_frame(data: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        learn_format(bytes.fromhex(data), Formats())
    assert caught.value.reason is reason


def test_formats_are_bounded() -> None:
    formats = Formats()
    heads = [bytes((0x0C, n)) for n in range(MAX_FORMATS + 3)]
    for each in heads:
        formats.learn(each)
    assert [formats.find(crc16(each)) for each in heads[:3]] == [None] * 3
    assert formats.find(crc16(heads[-1])) == heads[-1]
    formats.learn(bytes(300))
    assert formats.find(crc16(bytes(300))) is None


def test_formats_known_beforehand_are_proved_by_their_signature() -> None:
    assert KNOWN[0xA8ED] == KAMSTRUP_HEADS
    assert full_frame(compact(KAMSTRUP_HEADS, KAMSTRUP, KAMSTRUP_VALUES), Formats()) == KAMSTRUP


@pytest.mark.parametrize("signature", sorted(KNOWN))
def test_formats_that_need_no_full_frame(signature: int) -> None:
    """Each can be read, and has as many values as heads."""
    heads, clear, values, count = Cursor(KNOWN[signature]), b"", b"", 0
    while heads.left:
        head, size = _head(heads)
        assert size, "of a known length"
        clear += head + bytes(size)
        values += bytes(size)
        count += 1
    assert heads_of(clear) == KNOWN[signature]
    assert full_frame(compact(KNOWN[signature], clear, values), Formats()) == clear
    assert count == len(list(records(clear)))
