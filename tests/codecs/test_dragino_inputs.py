import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.dragino import decoder


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        (1, {"avi1_v": Value(1.0, "V"), "aci2_ma": Value(4.0, "mA"), "di1_status": Value("H")}),
        (2, {"count1_times": Value(0x03E807D0), "count2_times": Value(0x0BB80FA0), "first_status": Value("No")}),
        (3, {"count1_times": Value(0x03E807D0), "aci1_ma": Value(3.0, "mA")}),
        (4, {"acount_times": Value(0x0BB80FA0)}),
        (5, {"avi2_v": Value(2.0, "V"), "aci1_ma": Value(3.0, "mA"), "count1_times": Value(4000)}),
        (6, {"av1_l_flag": Value("False"), "ac2_h_flag": Value("True"), "di1_flag": Value("True")}),
    ],
)
def test_a_controller_by_its_mode(mode: int, fields: dict[str, Value]) -> None:
    found = decoder("lt22222-l")(bytes.fromhex("03e807d00bb80fa009ff") + bytes([0x40 | mode]), 2)
    assert found["hardware_mode"] == Value("LT22222")
    assert {name: found.get(name) for name in fields} == fields
    assert ("do1_status" in found) is (mode != 6)


@pytest.mark.parametrize(("model", "last"), [("lt22222-l", 0x47), ("lt33222-l", 0x81)])
def test_other_hardware_and_modes_are_not_guessed(model: str, last: int) -> None:
    with pytest.raises(DecodeError) as refused:
        decoder(model)(bytes(10) + bytes([last]), 2)
    assert refused.value.reason is RejectReason.UNKNOWN_TYPE


def test_the_lsn50_measures_light_where_there_is_no_humidity() -> None:
    dark = decoder("lsn50-v2")(bytes.fromhex("0b54000000000001000000"), 2)
    assert dark["illum"] == Value(256, "lx")
    assert "hum_sht" not in dark
    with pytest.raises(DecodeError, match="working mode 9"):
        decoder("lsn50v2-d20")(bytes.fromhex("0b54000000002400010000"), 2)


def test_three_thermometers_have_other_modes() -> None:
    with pytest.raises(DecodeError, match="working mode 0"):
        decoder("lsn50v2-d20-d22-d23")(bytes(11), 2)
