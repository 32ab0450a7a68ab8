"""Payloads by hand after the channels in the vendor's decoder (AM304L, AM305L)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder

_STORED = "20ce00105e5f01e10001644103000102 00"


def test_an_office() -> None:
    seen = decoder("am304l")(bytes.fromhex("01755c 03671901 04687b 059f0580 069dc201"), 85)
    assert seen == {
        "battery": Value(92, "%"),
        "temperature": Value(28.1, "Cel"),
        "humidity": Value(61.5, "%"),
        "pir_pir_status": Value(1),
        "pir_pir_count": Value(5),
        "lux": Value(450, "lx"),
    }


def test_alarms_tell_their_value_too() -> None:
    seen = decoder("am305l")(bytes.fromhex("8367190113 877dd00711 869d0a0010 050001"), 85)
    assert seen["temperature"] == seen["temperature_alarm_temperature"] == Value(28.1, "Cel")
    assert seen["temperature_alarm_alarm_type"] == Value(19)
    assert seen["co2"] == seen["co2_alarm_co2"] == Value(2000, "[ppm]")
    assert seen["lux"] == Value(10, "lx")
    assert seen["pir_pir_status"] == seen["pir_status_change_status"] == Value(1)
    with pytest.raises(DecodeError):
        decoder("am304l")(bytes.fromhex("877dd00711"), 85)  # has no sensor for it


def test_stored_readings_are_all_kept() -> None:
    one = decoder("am304l")(bytes.fromhex(_STORED), 85)
    assert one["historical_data_retrieval_timestamp"] == Value(1_600_000_000, "s")
    assert one["historical_data_retrieval_temperature"] == Value(22.5, "Cel")
    assert one["historical_data_retrieval_humidity"] == Value(50.0, "%")
    assert one["historical_data_retrieval_pir_status"] == Value(1)
    assert one["historical_data_retrieval_pir_count"] == Value(3)
    assert one["historical_data_retrieval_als_level"] == Value(2)
    later = _STORED.replace("00105e5f", "01105e5f").replace("e100", "fa00")
    three = decoder("am304l")(bytes.fromhex(_STORED + later + _STORED), 85)
    assert three["history_0_temperature"] == three["historical_data_retrieval_temperature"] == Value(22.5, "Cel")
    assert three["history_1_temperature"] == Value(25.0, "Cel")
    assert three["history_1_timestamp"] == Value(1_600_000_001, "s")
    with_co2 = decoder("am305l")(bytes.fromhex(_STORED + "01e803"), 85)
    assert with_co2["historical_data_retrieval_co2"] == Value(1000, "[ppm]")


def test_versions() -> None:
    seen = decoder("am304l")(bytes.fromhex("ff0a010200030000 ff090301"), 85)
    assert seen == {"firmware_version": Value("v1.2-a3"), "hardware_version": Value("v3.1")}


def test_cut_off_at_every_byte() -> None:
    payload = bytes.fromhex(_STORED)
    for size in range(1, len(payload)):
        with pytest.raises(DecodeError) as caught:
            decoder("am304l")(payload[:size], 85)
        assert caught.value.reason is RejectReason.SHORT
