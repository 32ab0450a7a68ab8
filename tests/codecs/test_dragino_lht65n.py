"""Payloads by hand after the fields in the vendor's decoder of the LHT65N."""

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.dragino import decoder

_DECODE = decoder("lht65n")
_OWN = "cbf6 0866 0258"


def _seen(text: str, fport: int = 2) -> Fields:
    return _DECODE(bytes.fromhex(text), fport)


@pytest.mark.parametrize(
    ("external", "expected"),
    [
        ("00 00000000", {"ext_sensor": "No external sensor"}),
        ("02 ff38 7fff", {"ext_sensor": "Temperature Sensor", "temp_c_tmp117": -2.0}),
        ("04 01 00 0000", {"work_mode": "Interrupt Sensor send", "exti_pin_level": "High", "exti_status": "False"}),
        ("05 0123 0000", {"work_mode": "Illumination Sensor", "ill_lx": 291}),
        ("06 0bb8 0000", {"work_mode": "ADC Sensor", "adc_v": 3.0}),
        ("07 0005 0000", {"work_mode": "Interrupt Sensor count", "exit_count": 5}),
        ("08 80000001", {"work_mode": "Interrupt Sensor count", "exit_count": 2147483649}),
        ("0b 0834 0226", {"work_mode": "SHT31 Sensor", "ext_temp_c_sht": 21.0, "ext_hum_sht": 55.0}),
        (
            "81 7fff 7fff",
            {"ext_sensor": "Temperature Sensor", "no_connect": "Sensor no connection", "temp_c_ds": 327.67},
        ),
    ],
)
def test_external_sensors(external: str, expected: dict[str, object]) -> None:
    assert {name: value.value for name, value in _seen(_OWN + external).items()} == {
        "bat_v": 3.062, "bat_status": "Good", "temp_c_sht": 21.5, "hum_sht": 60.0, "node_type": "LHT65N", **expected
    }  # fmt: skip


@pytest.mark.parametrize(
    ("external", "name", "identifier"),
    [
        ("0f 05060708", "DS18B20ID", "01 02 03 04 05 06 07 08 "),
        ("10 0834 0226", "SHT31ID", "01 02 03 04 "),
        ("20 0834 0506", "NE117ID", "01 02 03 04 05 06 "),
    ],
)
def test_identifiers(external: str, name: str, identifier: str) -> None:
    """In the place of the own readings."""
    seen = _seen("cbf6 01020304" + external)
    assert seen["work_mode"] == Value(name)
    assert seen["id"] == Value(identifier)
    assert "temp_c_sht" not in seen


def test_an_uplink_with_its_time_has_no_voltage() -> None:
    seen = _seen("0866 0bb8 c258 0a 66c1a2b0")
    assert seen["temp_c_tmp117"] == Value(21.5, "Cel")
    assert seen["bat_status"] == Value(3)
    assert seen["systimestamp"] == Value(0x66C1A2B0, "s")
    assert "bat_v" not in seen


@pytest.mark.parametrize(
    ("mark", "value", "expected"),
    [
        ("41", "ff38", {"datalog_1_temp_c_ds": -2.0}),
        ("82", "ff38", {"datalog_1_temp_c_tmp117": -2.0}),
        ("44", "0001", {"datalog_1_exti_pin_level": "Low", "datalog_1_exti_status": "True"}),
        ("45", "0123", {"datalog_1_ill_lx": 291}),
        ("46", "0bb8", {"datalog_1_adc_v": 3.0}),
        ("4e", "ffff", {"datalog_1_exit_count": 65535}),
        ("4b", "0834", {"datalog_1_ext_temp_c_sht": 21.0}),
        ("40", "7fff", {}),
    ],
)
def test_stored_readings(mark: str, value: str, expected: dict[str, object]) -> None:
    first = "7fff 0102 0258 40 66c1a2b0"
    seen = _seen(f"{first} {value} 0866 0258 {mark} 66c1a2b0", 3)
    found = {name: field.value for name, field in seen.items() if name.startswith("datalog_1")}
    assert found == expected | {
        "datalog_1_temp_c_sht": 21.5,
        "datalog_1_hum_sht": 60.0,
        "datalog_1_time": "2024-08-18 07:28:48",
    }


def test_answers_on_the_port_of_readings_are_stored_ones() -> None:
    assert _seen("7fff 0866 0258 40 66c1a2b0") == _seen("7fff 0866 0258 40 66c1a2b0", 3)


def test_temperatures_only() -> None:
    seen = _seen("0bf6 02 0866 ff38", 3)
    assert seen["sensor"] == Value("tmp117")
    assert (seen["temp_0"], seen["temp_1"]) == (Value(21.5, "Cel"), Value(-2.0, "Cel"))


@pytest.mark.parametrize(
    ("text", "fport", "reason"),
    [
        (_OWN + "01 0834", 2, RejectReason.SHORT),
        (_OWN + "01 0834 7fff 00", 2, RejectReason.LONG),
        (_OWN + "41 0834 7fff 00", 2, RejectReason.SHORT),
        ("0bf6 02 0866 ff", 3, RejectReason.SHORT),
        ("0bf6 05 0866", 3, RejectReason.UNKNOWN_TYPE),
        ("0b01", 5, RejectReason.SHORT),
        (_OWN + "01 0834 7fff", 4, RejectReason.UNKNOWN_TYPE),
    ],
)
def test_what_is_refused(text: str, fport: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        _seen(text, fport)
    assert caught.value.reason is reason


def test_it_is_found() -> None:
    assert native("dragino", "LHT65N") == native("dragino", "lht65n-ne117") == "dragino:lht65n"
