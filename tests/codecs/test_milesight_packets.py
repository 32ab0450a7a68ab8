"""Stored packets, and what devices of the newer form say of themselves."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_each_packet_has_a_time_and_values() -> None:
    stored = "014b ed01 01000000 04c8000000 05f401 ed01 02000000 049cffffff"
    assert decoder("ts601")(bytes.fromhex(stored), 85) == {
        "battery": Value(75, "%"),
        "history_0_timestamp": Value(1, "s"),
        "history_0_temperature": Value(2.0, "Cel"),
        "history_0_humidity": Value(50.0, "%"),
        "history_1_timestamp": Value(2, "s"),
        "history_1_temperature": Value(-1.0, "Cel"),
    }


def test_a_type_that_is_not_known_ends_decoding() -> None:
    seen = decoder("wt102")(bytes.fromhex("ed01 01000000 019d08 f3 014b"), 85)
    assert set(seen) == {"history_0_timestamp", "history_0_temperature"}


@pytest.mark.parametrize("hexed", ["ed", "ed010100", "ed0101000000049cff"])
def test_what_is_cut_off(hexed: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("ts601")(bytes.fromhex(hexed), 85)
    assert caught.value.reason is RejectReason.SHORT


def test_about_the_device() -> None:
    seen = decoder("cth01")(bytes.fromhex("ee b9 c901 da0102010300000000 bb0100000002000000"), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "all_configurations_request_by_device": 1,
        "query_device_status": 1,
        "random_key": 1,
        "version_hardware_version": "v1.2",
        "version_firmware_version": "v1.3",
        "retrieve_historical_data_by_time_range_start_time": 1,
        "retrieve_historical_data_by_time_range_end_time": 2,
    }
