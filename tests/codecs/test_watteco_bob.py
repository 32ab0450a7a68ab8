"""Frames of the BoB Assistant: those in the vendor's published examples, and by hand."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.registry import load

_READ = load("watteco:bob-assistant")
_LEARNING = bytes.fromhex("6c000217500037017f1e14100c0b08090607040605090b0605030403050304030403030303040302")
_REPORT = bytes.fromhex("72 7f 3f 40 02 37 3c 00 02 17 50 00 00 10 20 30 1f 7f 010203040506070809")


def test_a_state() -> None:
    assert _READ(bytes.fromhex("53647f"), 1) == {
        "type": Value("State"),
        "state": Value("Sensor start"),
        "battery_percentage": Value(100.0, "%"),
    }


def test_a_learning_frame_of_the_vendor() -> None:
    """25 degrees, from scratch, nothing learnt yet; the strongest line is the first: 3.125 Hz."""
    seen = _READ(_LEARNING, 1)
    assert seen["temperature"] == Value(25, "Cel")
    assert seen["learning_from_scratch"] == Value(1)
    assert seen["learning_percentage"] == Value(0, "%")
    assert seen["peak_frequency"] == Value(3.125, "Hz")
    assert seen["vibration_level"].value == pytest.approx((2 * 128 + 23 + 0.8) / 1214.5)
    assert seen["fft1"].value == seen["vibration_level"].value
    assert "fft32" in seen


def test_a_report() -> None:
    """Period byte 60: one hour, of which half ran, of that half as it was learnt."""
    seen = _READ(_REPORT, 1)
    assert seen["report_length"] == Value(60, "min")
    assert seen["operating_time"].value == pytest.approx(60 * 63 / 127)
    assert seen["total_operating_time_known"].value == pytest.approx(60 * 63 / 127 * 64 / 127)
    assert seen["anomaly_level_to20_last_24h"] == Value(1)
    assert seen["anomaly_level_to80_last_6mo"] == Value(9)
    assert seen["battery_percentage"] == Value(100.0, "%")


def test_an_alarm() -> None:
    seen = _READ(b"\x61\x7f\x37\x00\x02\x17\x50\x00" + bytes(32), 1)
    assert seen["anomaly_level"] == Value(100.0, "%")
    assert seen["fft32"] == Value(0.0, "[g]")


@pytest.mark.parametrize(
    ("payload", "fport", "reason"),
    [
        (b"", 1, "short"),
        (b"\x53\x64", 1, "short"),
        (b"\x53\x64\x7f\x00", 1, "long"),
        (_REPORT[:-1], 1, "short"),
        (_LEARNING[:-1], 1, "short"),
        (b"\x00" * 27, 1, "unknown_type"),
        (b"\x53\x64\x7f", 125, "unknown_type"),
    ],
)
def test_what_is_refused(payload: bytes, fport: int, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        _READ(payload, fport)
    assert caught.value.reason is RejectReason(reason)


def test_its_names() -> None:
    assert native("nke", "bob") == native("nke-watteco", "bob-assistant") == "watteco:bob-assistant"
