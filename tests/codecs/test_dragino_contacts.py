"""Dragino's -LB contacts, counters and inputs: what the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.dragino import decoder

_TIME = "66c1a2b0"


@pytest.mark.parametrize(
    ("mode", "behind", "expected"),
    [
        (0, "01f4 0000", {"work_mode": "IIC", "illum": 500}),
        (0, "7fff ffff", {"temp_c_sht": "NULL", "hum_sht": "NULL"}),
        (1, "0000 ffff", {"work_mode": "Distance", "distance_cm": "NULL"}),
        (3, "7fff fff6", {"work_mode": "3DS18B20", "temp_c2": "NULL", "temp_c3": -1.0}),
        (4, "0001 ffff", {"work_mode": "Weight", "weight": -65535}),
        (5, "ffffffff", {"work_mode": "1Count", "count": 4294967295}),
        (6, "11 10 0000", {"exti2_trigger": "TRUE", "exti2_status": "CLOSE", "exti3_status": "OPEN"}),
        (7, "03e8 07d0", {"adc2": 1.0, "adc3": 2.0}),
        (8, "fff6 00000001 00000002", {"temp_c3": -1.0, "count1": 1, "count2": 2}),
        (9, "03e8 01f4", {"pwm_mode": "us", "frequency": 1000, "dutycycle": 50.0}),
        (9, "0000 01f4", {"frequency": 0, "dutycycle": 0}),
        (10, "ff38 0000", {"work_mode": "TMP117", "temp_c_tmp117": -2.0}),
        (11, "00000007", {"work_mode": "Count+SHT31", "temp_c_sht": 23.5, "hum_sht": 100.0, "count": 7}),
    ],
)
def test_modes_of_the_sn50(mode: int, behind: str, expected: dict[str, object]) -> None:
    seen = decoder("sn50v3-lb")(bytes.fromhex(f"0ce4 00eb 03e8 {mode << 2:02x} {behind}"), 2)
    assert seen["bat_v"] == Value(3.3, "V")
    assert {name: seen[name].value for name in expected} == expected


def test_slow_pulses() -> None:
    seen = decoder("sn50v3-lb")(bytes.fromhex("0ce4 00eb 03e8 26 0064 0019"), 2)
    assert (seen["pwm_mode"], seen["frequency"]) == (Value("ms"), Value(10, "Hz"))
    assert seen["dutycycle"] == Value(25.0, "%")


@pytest.mark.parametrize(("flag", "litres"), [(0, 2.0), (1, 2.3), (2, 14.1), (3, 75.0)])
def test_litres_depend_on_the_flow_sensor(flag: int, litres: float) -> None:
    seen = decoder("sw3l-lb")(bytes.fromhex(f"{flag << 2:02x} 00000384 01 00 {_TIME}"), 2)
    assert seen["water_flow_value"] == Value(litres, "L")
    assert seen["last_pulse"] == Value(900)


def test_three_counters_or_one() -> None:
    seen = decoder("cpl03-lb")(bytes.fromhex("08 000001 000002 000003 02"), 2)
    assert [seen[f"{name}_total_pulse"].value for name in ("pa8", "pa4", "pb15")] == [1, 2, 3]
    assert [seen[f"{name}_roc"].value for name in ("pa8", "pa4", "pb15")] == ["FALSE", "TRUE", "FALSE"]
    seen = decoder("cpl03-lb")(bytes.fromhex("001c20 01 01 0005 01 00 01 0a"), 4)
    assert (seen["tdc"], seen["alarm_tdc"]) == (Value(7200, "s"), Value(10))


@pytest.mark.parametrize(
    ("model", "text", "fport", "reason"),
    [
        ("sn50v3-lb", "0ce4 00eb 03e8 30 00000000", 2, RejectReason.UNKNOWN_TYPE),
        ("sn50v3-lb", "0ce4 00eb 03e8 20 fff6 00000001", 2, RejectReason.SHORT),
        ("ds03a-lb", f"01 000007 000002 {_TIME} 02 000003", 2, RejectReason.SHORT),
        ("wl03a-lb", "03 000005 00000a", 2, RejectReason.SHORT),
        ("wl03a-lb", f"03 000005 00000a {_TIME} 00", 3, RejectReason.SHORT),
        ("cpl03-lb", "", 7, RejectReason.SHORT),
    ],
)
def test_what_is_refused(model: str, text: str, fport: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(model)(bytes.fromhex(text), fport)
    assert caught.value.reason is reason


def test_it_is_found_as_the_repositories_write_it() -> None:
    for name in ("SN50_v3-LB", "SN50v3-LB", "SN50_v3-LB/LS", "sn50v3-lbls"):
        assert native("dragino", name) == "dragino:sn50v3-lb"
    assert native("dragino", "cpl03-lb") == "dragino:cpl03-lb"
    assert native("dragino", "WL03A-LS") == "dragino:wl03a-lb"
