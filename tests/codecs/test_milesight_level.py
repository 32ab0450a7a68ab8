"""Payloads by hand after the channels in the vendor's decoder (EM411-RDL)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_a_radar_with_stored_readings() -> None:
    seen = decoder("em411-rdl")(bytes.fromhex("0482e803 20ce00105e5fe803e1000cfe11 20ce01105e5ffdfffeff0000 00"), 85)
    assert seen == {
        "distance": Value(1000, "mm"),
        "history_0_timestamp": Value(1_600_000_000, "s"),
        "history_0_distance": Value(1000, "mm"),
        "history_0_temperature": Value(22.5, "Cel"),
        "history_0_event_0": Value("threshold alarm"),
        "history_0_event_1": Value("mutation alarm"),
        "history_0_distance_mutation": Value(-500, "mm"),
        "history_1_timestamp": Value(1_600_000_001, "s"),
        "history_1_distance_sensor_status": Value("no target"),
        "history_1_temperature_sensor_status": Value("disabled"),
    }


def test_cut_off_at_every_byte() -> None:
    payload = bytes.fromhex("20ce00105e5fe803e1000cfe11")
    for size in range(1, len(payload)):
        with pytest.raises(DecodeError) as caught:
            decoder("em411-rdl")(payload[:size], 85)
        assert caught.value.reason is RejectReason.SHORT
