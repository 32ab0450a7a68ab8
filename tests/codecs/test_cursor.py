import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.model import DecodeError, RejectReason


def test_it_reads_from_front_to_back() -> None:
    c = Cursor(bytes.fromhex("01ff 0102 fffe 0201 feff aabb"))
    assert (c.u8(), c.i8(), c.ube(2), c.ibe(2), c.ule(2), c.ile(2)) == (1, -1, 0x0102, -2, 0x0102, -2)
    assert c.left == 2
    assert c.rest() == b"\xaa\xbb"
    assert (c.left, c.pos, c.rest()) == (0, 12, b"")


READS: list[Callable[[Cursor], object]] = [
    Cursor.u8,
    Cursor.i8,
    lambda c: c.ube(3),
    lambda c: c.ibe(3),
    lambda c: c.ule(3),
    lambda c: c.ile(3),
    lambda c: c.take(3),
    lambda c: c.take(-1),
]


@pytest.mark.parametrize("read", READS)
def test_what_is_not_there_is_short_and_nothing_is_consumed(read: Callable[[Cursor], object]) -> None:
    c = Cursor(b"ab")
    c.take(2)
    with pytest.raises(DecodeError) as caught:
        read(c)
    assert caught.value.reason is RejectReason.SHORT
    assert (c.pos, c.left) == (2, 0)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=12), st.lists(st.integers(-2, 6), max_size=6))
def test_what_was_taken_and_what_is_left_is_the_whole(data: bytes, sizes: list[int]) -> None:
    c = Cursor(data)
    taken = b""
    for n in sizes:
        with contextlib.suppress(DecodeError):
            taken += c.take(n)
    assert taken + c.rest() == data
