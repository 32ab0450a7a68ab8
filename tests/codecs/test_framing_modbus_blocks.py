"""Blocks of registers: there and back, and the merging of requests."""

import pytest

from torhaus.codecs.framing.modbus_blocks import MAX_BLOCKS, Block, Span, decode_blocks, encode_blocks, merge
from torhaus.codecs.model import DecodeError, RejectReason


def test_there_and_back() -> None:
    blocks = [Block(3, 10, 2, b"\0\1\0\2"), Block(1, 0, 9, b"\xff\x01"), Block(4, 0xFFFF, 1, exception=2)]
    assert decode_blocks(encode_blocks(blocks)) == blocks


def test_no_more_blocks_than_a_reading_has() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_blocks(encode_blocks([Block(4, 0, 1, b"\0\0")] * (MAX_BLOCKS + 1)))
    assert caught.value.reason is RejectReason.LONG


@pytest.mark.parametrize(
    ("spans", "gap", "want"),
    [
        ([(3, 4, 2), (3, 0, 2)], 0, [(3, 0, 2), (3, 4, 2)]),
        ([(3, 4, 2), (3, 0, 2)], 2, [(3, 0, 6)]),
        ([(3, 2, 2), (3, 0, 2)], 0, [(3, 0, 4)]),
        ([(3, 0, 8), (3, 2, 2)], 0, [(3, 0, 8)]),
        ([(3, 0, 2), (4, 2, 2)], 9, [(3, 0, 2), (4, 2, 2)]),
        ([(3, 0, 2), (3, 123, 2), (3, 125, 1)], 124, [(3, 0, 125), (3, 125, 1)]),
        ([(1, 0, 1), (1, 1999, 1), (1, 2000, 1)], 2000, [(1, 0, 2000), (1, 2000, 1)]),
    ],
)
def test_merge(spans: list[tuple[int, int, int]], gap: int, want: list[tuple[int, int, int]]) -> None:
    assert merge([Span(*s) for s in spans], gap) == [Span(*s) for s in want]


def test_merge_heeds_what_a_device_can_do() -> None:
    assert merge([Span(3, n, 2) for n in range(0, 40, 2)], 0, 20) == [Span(3, 0, 20), Span(3, 20, 20)]
    with pytest.raises(ValueError, match="at most 4"):
        merge([Span(3, 0, 5)], 0, 4)
