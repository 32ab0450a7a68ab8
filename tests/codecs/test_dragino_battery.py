"""Dragino's -LB sensors: what the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.dragino import decoder
from torhaus.codecs.payload.dragino_battery import BATTERY

_TIME = "66c1a2b0"
_SHOWN = "2024-08-18 07:28:48"


@pytest.mark.parametrize(
    ("model", "entry", "expected"),
    [
        ("s31-lb", f"0000 fff6 0226 03 {_TIME}", {"temp_c_sht31": -1.0, "hum_sht31": 55.0}),
        ("d23-lb", f"00eb 7fff fff6 03 {_TIME}", {"temp_c1": 23.5, "temp_c3": -1.0}),
        ("ltc2-lb", f"0000 00eb fff6 03 {_TIME}", {"temp_channel1": -1.0, "temp_channel2": 23.5}),
    ],
)
def test_stored_readings(model: str, entry: str, expected: dict[str, object]) -> None:
    seen = decoder(model)(bytes.fromhex(entry * 2), 3)
    assert seen["pnackmd"] == Value("False")
    found = {name.removeprefix("datalog_1_"): value.value for name, value in seen.items() if "_1_" in name}
    assert found == expected | {"exti_pin_level": "High", "exti_status": "True", "time": _SHOWN}


def test_stored_distances() -> None:
    seen = decoder("lds12-lb")(bytes.fromhex(f"8200 04d2 0064 e7 {_TIME}"), 3)
    assert seen["pnackmd"] == Value("True")
    assert seen["datalog_0_lidar_distance"] == Value(123.4, "cm")
    assert seen["datalog_0_lidar_temp"] == Value(-25, "Cel")
    seen = decoder("dds75-lb")(bytes.fromhex("07d0 07d2"), 6)
    assert seen["detect_mode_data_1"] == Value(2002, "mm")


@pytest.mark.parametrize(
    ("probe", "current_ma", "name", "value"),
    [
        ("0003", 12.0, "water_deep_cm", 150.0),
        ("0003", 3.9, "water_deep_cm", 0),
        ("0108", 12.0, "water_pressure_kpa", -0.05),
        ("0109", 12.0, "water_pressure_kpa", 0.0),
        ("010c", 20.0, "water_pressure_kpa", 100.0),
        ("0201", 20.0, "differential_pressure_pa", 100.0),
        ("020c", 4.5, "differential_pressure_pa", -937.5),
    ],
)
def test_pressure_probes(probe: str, current_ma: float, name: str, value: float) -> None:
    current = round(current_ma * 1000).to_bytes(2, "big").hex()
    seen = decoder("ps-lb")(bytes.fromhex(f"0ce4 {probe} {current} 0000 00"), 2)
    assert seen[name].value == pytest.approx(value)


@pytest.mark.parametrize("probe", ["010d", "0200", "0301"])
def test_a_probe_that_is_not_known(probe: str) -> None:
    seen = decoder("ps-lb")(bytes.fromhex(f"0ce4 {probe} 2ee0 0000 00"), 2)
    assert seen["idc_intput_ma"] == Value(12.0, "mA")
    assert not any("water" in name or "pressure" in name for name in seen)


@pytest.mark.parametrize(
    ("model", "text", "fport", "reason"),
    [
        ("s31-lb", "0ce4 66c1a2b0 05 fff1 0302", 2, RejectReason.UNKNOWN_TYPE),
        ("s31-lb", "00" * 12, 3, RejectReason.SHORT),
        ("dds75-lb", "1ce4 0000 0000 0000 07d0 07 00 0105 01", 2, RejectReason.SHORT),
        ("dds75-lb", "1ce4 07d0 00 0105 01", 2, RejectReason.SHORT),
        ("dds75-lb", "07d0 07", 6, RejectReason.SHORT),
        ("ltc2-lb", "0ce4 00c8 00d2 00", 7, RejectReason.SHORT),
        ("se01-lb", "0ce4 00eb 0c1c 07d0 0078 10", 3, RejectReason.UNKNOWN_TYPE),
        ("dds04-lb", "4ce4", 2, RejectReason.SHORT),
    ],
)
def test_what_is_refused(model: str, text: str, fport: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(model)(bytes.fromhex(text), fport)
    assert caught.value.reason is reason


@pytest.mark.parametrize("model", sorted(BATTERY))
def test_the_solar_ones_are_the_same(model: str) -> None:
    assert native("dragino", model.upper()) == f"dragino:{model}"
    assert native("dragino", model.removesuffix("-lb") + "-ls") == f"dragino:{model}"


def test_models_of_one_decoder() -> None:
    for name in ("D20-LB", "D20S-LB", "D22-LB", "D23-LB", "D20-LS"):
        assert native("dragino", name) == "dragino:d23-lb"
    assert native("dragino", "S31B-LB") == "dragino:s31-lb"
