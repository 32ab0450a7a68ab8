import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_smoke() -> None:
    seen = decoder("gs524n")(bytes.fromhex("221164051900"), 85)
    assert seen["event"] == Value("alarm")
    assert seen["concentration"] == Value(5)
    assert seen["temperature"] == Value(25, "Cel")


@pytest.mark.parametrize(("size", "reason"), [(5, RejectReason.SHORT), (7, RejectReason.LONG)])
def test_smoke_has_one_length(size: int, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("gs524n")(bytes(size), 85)
    assert caught.value.reason is reason


def test_all_values_of_a_thermostat() -> None:
    seen = decoder("wt301")(bytes.fromhex("550200090f0101010229" + "2a" + "000028aa"), 85)
    assert seen["mode"] == Value("heat")
    assert seen["temperature"] == Value(20.5, "Cel")
    assert seen["target_temperature"] == Value(21.0, "Cel")
    assert seen["server_temperature"] == Value(20.0, "Cel")
    assert seen["crc"] == Value(0xAA)


def test_the_older_decoder_of_both_models_has_other_names() -> None:
    payload = bytes.fromhex("5501000106" + "2a")
    assert decoder("wt301-wt302")(payload, 85) == {"temperature_target": Value(21.0, "Cel")}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [("5501000177" + "00", RejectReason.UNKNOWN_TYPE), ("5501020105" + "2a", RejectReason.SHORT)],
)
def test_no_frame_of_a_thermostat(payload: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("wt302")(bytes.fromhex(payload), 85)
    assert caught.value.reason is reason
