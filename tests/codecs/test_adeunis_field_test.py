import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.adeunis_field_test import read_field_test


def position(latitude: str, longitude: str) -> Fields:
    return read_field_test(bytes.fromhex(f"10{latitude}{longitude}15"))


def test_hemispheres() -> None:
    north_east = position("51450000", "00830000")
    assert north_east["latitude"] == Value(51.75, "deg")
    assert north_east["longitude"] == Value(8.5, "deg")
    south_west = position("51450001", "00830001")
    assert south_west["latitude"] == Value(-51.75, "deg")
    assert south_west["longitude"] == Value(-8.5, "deg")


def test_only_what_is_flagged() -> None:
    assert read_field_test(b"\x02\x0e\x10") == {"trigger": Value("timer"), "battery_voltage": Value(3.6, "V")}
    assert read_field_test(b"\x41\x64\xf6") == {
        "trigger": Value("movement"),
        "downlink_rssi": Value(-100, "dB[mW]"),
        "downlink_snr": Value(-10, "dB"),
    }


@pytest.mark.parametrize(
    ("hexed", "reason"),
    [("", "short"), ("80", "short"), ("10a14500000083000015", "syntax"), ("1099450000" + "0083000015", "range")],
)
def test_what_is_refused(hexed: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_field_test(bytes.fromhex(hexed))
    assert caught.value.reason is RejectReason(reason)
