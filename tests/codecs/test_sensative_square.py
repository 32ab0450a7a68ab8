import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.sensative_square import decoder
from torhaus.codecs.registry import Decode


@pytest.fixture
def comfort() -> Decode:
    return decoder("square-comfort")


def test_each_value_is_older_than_the_one_before(comfort: Decode) -> None:
    """30: temp, two bytes, now; 70: one byte of age, 60 s before; b0: two bytes of age, 300 s before that."""
    assert comfort(bytes.fromhex("300898703c088eb0012cff9c"), 1) == {
        "temp": Value(22.0, "Cel"),
        "history_0_temp": Value(21.9, "Cel"),
        "history_0_temp_age": Value(60, "s"),
        "history_1_temp": Value(-1.0, "Cel"),
        "history_1_temp_age": Value(360, "s"),
    }


def test_an_age_of_four_bytes(comfort: Decode) -> None:
    """f5: age of four bytes, output 128 + 0x35 = 181; three bits of that number say that its value has two bytes."""
    assert comfort(bytes.fromhex("f50001518003e8"), 1) == {"lux": Value(1000, "lx"), "lux_age": Value(86400, "s")}


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ("700064", 1.0),  # 176, two bytes as they are
        ("6150", 80),  # 161, one byte
        ("21", 0),  # the same without value
    ],
)
def test_compressed(comfort: Decode, payload: str, value: float) -> None:
    seen = comfort(bytes.fromhex(payload), 11)
    assert [field.value for field in seen.values()] == [value]


@pytest.mark.parametrize(
    ("raw", "value"),
    [("03e8", 1000), ("0401", 1025), ("0801", 2051), ("8801", -2051), ("0c00", 4098)],
)
def test_compressed_numbers_are_the_middle_of_what_they_stand_for(raw: str, value: int) -> None:
    """0x58 is 144 + 8: number 152 of the radar, its size is 3: sign, five bits of exponent, ten of the number."""
    seen = decoder("puck-radar")(bytes.fromhex("58" + raw), 11)
    assert seen == {"nfc_contact_count": Value(value)}


@pytest.mark.parametrize(("raw", "age"), [("07", 14), ("0f", 30), ("11", 38), ("18", 68)])
def test_compressed_ages(comfort: Decode, raw: str, age: int) -> None:
    assert comfort(bytes.fromhex("a1" + raw), 11)["battery_percent_age"] == Value(age, "s")


def test_an_older_uplink(comfort: Decode) -> None:
    seen = comfort(bytes.fromhex("67503ee101331af7"), 12)
    assert seen == {"stored_at": Value(0x67503EE1, "s"), "stored_fport": Value(1), "humidity": Value(69.03, "%")}


@pytest.mark.parametrize("payload", ["67503ee10c331af7", "67503ee101"])
def test_no_older_uplink(comfort: Decode, payload: str) -> None:
    with pytest.raises(DecodeError) as caught:
        comfort(bytes.fromhex(payload), 12)
    assert caught.value.reason is RejectReason.SYNTAX


def test_what_was_asked_for(comfort: Decode) -> None:
    assert comfort(bytes.fromhex("0102"), 2) == {"vm_error": Value(1), "vm_status": Value(2)}
    assert comfort(bytes.fromhex("b2000000c805ffffffff"), 2) == {
        "debug_temp_hysteresis": Value(200),
        "debug_ref_5": Value(-1),
    }
    with pytest.raises(DecodeError):
        comfort(bytes.fromhex("010203"), 2)
