"""Payloads by hand after the types in the vendor's decoder (CTH01)."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder

_READ = decoder("cth01")


def test_currents_and_voltages() -> None:
    currents = "e80300" + "ffffff" + 10 * "0a0000"
    seen = _READ(bytes.fromhex(f"016608 022c01 05{currents} 06d859d959ffff"), 85)
    assert seen["temperature"] == Value(21.5, "Cel")
    assert seen["voltage_three_phase_imbalcance"] == Value(3.0, "%")
    assert seen["current_0_value"] == Value(10.0, "A")
    assert seen["current_1_value"] == Value("error")
    assert seen["current_11_value"] == Value(0.1, "A")
    assert [seen[f"voltage_{n}_value"] for n in range(3)] == [Value(230.0, "V"), Value(230.01, "V"), Value("error")]


def test_groups_of_one_and_of_three() -> None:
    seen = _READ(bytes.fromhex("0802 18fcffff e8030000 d0070000 ffffffff 0e00 40e20100 ffffffff"), 85)
    assert seen == {
        "active_power1_mask1": Value(0),
        "active_power1_mask2": Value(1),
        "active_power1_group1_value": Value(-1.0, "kW"),
        "active_power1_group2_chan1": Value(1.0, "kW"),
        "active_power1_group2_chan2": Value(2.0, "kW"),
        "active_power1_group2_chan3": Value("error"),
        "forward_active_energy1_mask1": Value(0),
        "forward_active_energy1_mask2": Value(0),
        "forward_active_energy1_group1_value": Value(123.456, "kW.h"),
        "forward_active_energy1_group2_value": Value("error"),
    }
    factors = _READ(bytes.fromhex("0701 5f6061 64 64 ff"), 85)
    assert factors["power_factor_group1_chan3"] == Value(0.97)
    assert factors["power_factor_group4_value"] == Value("error")


@pytest.mark.parametrize("key", range(0x08, 0x18))
def test_every_quantity_has_its_unit(key: int) -> None:
    seen = _READ(bytes((key, 0)) + 2 * bytes.fromhex("e8030000"), 85)
    units = [value.unit for name, value in seen.items() if name.endswith("_value")]
    assert units == 2 * [("kW", "kvar", "kV.A", "kW.h", "kW.h", "kvar.h", "kvar.h", "kV.A.h")[key // 2 - 4]]


def test_cut_off_at_every_byte() -> None:
    payload = bytes.fromhex("0802 18fcffff e8030000 d0070000 ffffffff")
    for size in range(1, len(payload)):
        with pytest.raises(DecodeError) as caught:
            _READ(payload[:size], 85)
        assert caught.value.reason is RejectReason.SHORT


def test_alarms_stand_in_the_list_of_events_too() -> None:
    seen = _READ(bytes.fromhex("3111 13 e80300 30 00 35 12 2c01 36"), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "current_alarm_channel": 0x11,
        "current_alarm_info_type": 0x13,
        "current_alarm_info_over_range_alarm_trigger_current": 10.0,
        "event_0_channel": 0x11,
        "event_0_info_type": 0x13,
        "event_0_info_over_range_alarm_trigger_current": 10.0,
        "temperature_alarm_type": 0,
        "event_1_type": 0,
        "voltage_unbalance_alarm_type": 0x12,
        "voltage_unbalance_alarm_over_range_alarm_deactivation_voltage_un": 3.0,
        "event_2_type": 0x12,
        "event_2_over_range_alarm_deactivation_voltage_unbalance": 3.0,
        "power_loss_alarm": 1,
    }


def test_stored_packets() -> None:
    seen = _READ(bytes.fromhex("ed01 01000000 016608 ed01 02000000 022c01"), 85)
    assert seen["history_0_temperature"] == Value(21.5, "Cel")
    assert seen["history_1_voltage_three_phase_imbalcance"] == Value(3.0, "%")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("6403414231", {"bluetooth_name_length": 3, "bluetooth_name_content": "AB1"}),
        (
            "6a 01 00 6400 01 c800 00 3200",
            {
                "current_interface4_type": 1,
                "current_interface4_config_0_direction": 0,
                "current_interface4_config_0_range": 100,
                "current_interface4_config_1_direction": 1,
                "current_interface4_config_1_range": 200,
                "current_interface4_config_2_direction": 0,
                "current_interface4_config_2_range": 50,
            },
        ),
        (
            "77 03 01 02 0000 6400",
            {
                "current_alarm_settings_0_channel": 3,
                "current_alarm_settings_0_enable": 1,
                "current_alarm_settings_0_threshold_condition": 2,
                "current_alarm_settings_0_threshold_min": 0,
                "current_alarm_settings_0_threshold_max": 100,
            },
        ),
        (
            "7b 01 02 0200 0300",
            {
                "voltage_unbalance_alarm_settings_enable": 1,
                "voltage_unbalance_alarm_settings_threshold_condition": 2,
                "voltage_unbalance_alarm_settings_threshold_min": 2,
                "voltage_unbalance_alarm_settings_threshold_max": 3,
            },
        ),
        ("5f02 c50001", {"reset_energy_channel": 2, "data_storage_settings_enable": 1}),
    ],
)
def test_settings(payload: str, expected: dict[str, object]) -> None:
    seen = _READ(bytes.fromhex(payload), 85)
    assert {name: value.value for name, value in seen.items()} == expected
