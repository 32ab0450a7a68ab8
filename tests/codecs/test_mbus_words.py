"""Manufacturers, media and states in words."""

from torhaus.codecs.meter.mbus.words import manufacturer, medium, status


def test_words() -> None:
    assert manufacturer(0x2C2D) == "KAM"
    assert manufacturer(0x0000) == "0x0000"
    assert manufacturer(0xFFFF) == "0xffff"
    assert medium(0x07) == "water"
    assert medium(0x16) == "cold_water"
    assert medium(0xEE) == "reserved_ee"
    assert status(0) == "ok"
    assert status(0x0E) == "error,power_low,permanent_error"
    assert status(0x70) == "temporary_error,manufacturer_60"
