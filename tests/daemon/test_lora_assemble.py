"""What goes into one downlink, and what waits."""

import pytest

from tests.daemon.mac_scene import Item
from torhaus.daemon.lora.assemble import Parts, assemble

THREE = [b"\x04\x01", b"\x06", b"\x07" + bytes(5)]
SEVEN = [b"\x07" + bytes((n, 0, 0, 0, 0)) for n in range(7)]


def test_nothing_at_all() -> None:
    assert assemble(51, b"", [], None) == Parts()
    assert Parts().size_bytes == 0


def test_commands_beside_a_payload() -> None:
    parts = assemble(51, b"\x0b\x01", THREE, Item(b"x" * 40))
    assert (parts.fopts, parts.fport, parts.payload) == (b"\x0b\x01" + b"".join(THREE), 7, b"x" * 40)
    assert (parts.requests, parts.left, parts.size_bytes) == (tuple(THREE), (), 51)


def test_requests_wait_where_there_is_no_room() -> None:
    parts = assemble(51, b"\x0b\x01", THREE, Item(b"x" * 46, confirmed=True))
    assert (parts.fopts, parts.requests, parts.left) == (b"\x0b\x01\x04\x01\x06", (b"\x04\x01", b"\x06"), (THREE[2],))
    assert parts.confirmed


def test_a_payload_too_long_beside_the_answers_waits() -> None:
    parts = assemble(51, b"\x0b\x01", THREE, Item(b"x" * 50))
    assert (parts.fport, parts.payload, parts.left) == (None, b"", ())


def test_many_commands_have_a_frame_of_their_own() -> None:
    parts = assemble(51, b"\x0b\x01", SEVEN, None)
    assert (parts.fopts, parts.fport, parts.payload) == (b"", 0, b"\x0b\x01" + b"".join(SEVEN))
    few = assemble(51, b"\x0b\x01", SEVEN, Item(b"x"))
    assert (few.fport, len(few.fopts), len(few.left)) == (7, 14, 5), "FPort 0 never together with a payload"
    small = assemble(11, b"\x0b\x01", SEVEN, None)
    assert (small.fport, small.fopts, len(small.left)) == (None, b"\x0b\x01" + SEVEN[0], 6)


@pytest.mark.parametrize("room", range(60))
def test_never_more_than_fits(room: int) -> None:
    for item in (None, Item(b"x" * 20), Item(b"")):
        for answers in (b"", b"\x0b\x01" * 7):
            parts = assemble(room, answers, SEVEN + THREE, item)
            assert parts.size_bytes <= room
            assert len(parts.fopts) <= 15
            assert not (parts.fport == 0 and parts.fopts)
            assert [*parts.requests, *parts.left] == SEVEN + THREE
