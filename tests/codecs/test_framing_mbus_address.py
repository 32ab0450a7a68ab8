"""Addresses of wired M-Bus meters as text, on the wire, and in answers."""

import random

import pytest

from torhaus.codecs.framing.mbus import Telegram
from torhaus.codecs.framing.mbus_address import Secondary, parse_address

WHOLE = "12345678ABCD0107"


def test_as_text_and_on_the_wire() -> None:
    address = parse_address(WHOLE)
    assert isinstance(address, Secondary)
    assert str(address) == WHOLE
    assert address.wire.hex() == "78563412abcd0107"
    assert not address.has_wildcard
    assert parse_address("0") == 0
    assert parse_address("250") == 250
    assert parse_address("254") == 254


@pytest.mark.parametrize(
    "text", ["", "251", "253", "255", "999", "-1", "1.5", "0x1", "1234567", "A2345678ABCD0107", "12345678ABCD010G", "٣"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_address(text)


@pytest.mark.parametrize(
    ("wanted", "is_meant"),
    [
        (WHOLE, True),
        ("FFFFFFFFFFFFFFFF", True),
        ("1234FFFFABCD0107", True),
        ("12345678FFFF0107", True),
        ("12345679ABCD0107", False),
        ("12345678ABCE0107", False),
        ("12345678ABCD0207", False),
        ("12345678ABCD0106", False),
    ],
)
def test_wildcards(wanted: str, is_meant: bool) -> None:
    mask = Secondary.parse(wanted)
    assert mask.matches(Secondary.parse(WHOLE)) is is_meant
    assert mask.has_wildcard is (wanted != WHOLE and "FF" in wanted)


def test_an_answer_says_whose_it_is() -> None:
    header = Secondary.parse(WHOLE).wire + b"\x01\x00\x00\x00"
    assert Secondary.of(Telegram(8, 5, 0x72, header)) == Secondary.parse(WHOLE)
    fixed = Secondary.of(Telegram(8, 5, 0x73, header))
    assert fixed == Secondary("12345678")
    assert Secondary.parse(WHOLE).matches(fixed), "what an old meter does not say is not compared"
    assert Secondary.of(Telegram(8, 5, 0x72, header[:7])) is None
    assert Secondary.of(Telegram(8, 5, 0x70, header)) is None
    assert Secondary.of(Telegram()) is None


def test_narrowed_digit_by_digit() -> None:
    assert Secondary("12345678").narrowed() == []
    ten = Secondary("12F4567F", medium=7).narrowed()
    assert [a.number for a in ten] == [f"12{n}4567F" for n in range(10)]
    assert {a.medium for a in ten} == {7}


def test_any_header_is_read_without_a_crash() -> None:
    rand = random.Random(7)
    for _ in range(2000):
        telegram = Telegram(8, 1, rand.choice([0x70, 0x72, 0x73, 0x77]), rand.randbytes(rand.randrange(20)))
        found = Secondary.of(telegram)
        if found is not None:
            assert len(found.number) == 8
            assert len(found.wire) == 8
            Secondary("FFFFFFFF").matches(found)
