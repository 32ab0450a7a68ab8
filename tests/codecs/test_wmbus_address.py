"""Meters' addresses, as they are on the air and as people write them."""

import pytest

from torhaus.codecs.meter.wmbus.address import address_of, parse_name
from torhaus.codecs.model import DecodeError


def test_an_address_and_its_names() -> None:
    address = address_of(bytes.fromhex("2d2c785634121b16"))
    assert str(address) == "KAM/12345678/1b/16"
    assert address.names() == ("KAM/12345678/1b/16", "KAM/12345678", "12345678")
    assert address.medium == "cold_water"
    assert address_of(bytes.fromhex("6850785634127462")).medium == "warm_water", "of Techem, whose number it is"
    assert str(address_of(bytes.fromhex("ffffffffffffffff"))) == "0xffff/ffffffff/ff/ff"
    with pytest.raises(DecodeError):
        address_of(b"\0" * 7)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("12345678", "12345678"),
        (" 1234567A ", "1234567a"),
        ("kam/12345678", "KAM/12345678"),
        ("KAM/12345678/1B/16", "KAM/12345678/1b/16"),
        ("0xFFFF/12345678", "0xffff/12345678"),
    ],
)
def test_names_are_made_uniform(text: str, name: str) -> None:
    assert parse_name(text) == name
    assert parse_name(name) == name


@pytest.mark.parametrize(
    "text", ["", "1234567", "123456789", "KA/12345678", "12345678/1b/16", "KAM/12345678/1b", "x" * 99]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="8 digits"):
        parse_name(text)
