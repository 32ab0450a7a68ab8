import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_sound_is_named_by_its_weights() -> None:
    assert decoder("ws302")(bytes.fromhex("055b053f02da016a02"), 85) == {
        "laf": Value(57.5, "dB[SPL]"),
        "l_aeq": Value(47.4, "dB[SPL]"),
        "la_fmax": Value(61.8, "dB[SPL]"),
    }
    with pytest.raises(DecodeError) as caught:
        decoder("ws302")(bytes.fromhex("055b0f3f02da016a02"), 85)
    assert caught.value.reason is RejectReason.RANGE


def test_a_valve() -> None:
    assert decoder("wt101")(bytes.fromhex("03670a010467c80005923207000 1".replace(" ", "")), 85) == {
        "temperature": Value(26.6, "Cel"),
        "target_temperature": Value(20.0, "Cel"),
        "valve_opening": Value(50, "%"),
        "window_detection": Value("open"),
    }
