import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_regions() -> None:
    seen = decoder("vs121")(bytes.fromhex("04c9030800a1"), 85)
    assert [seen[f"region_{n}"].value for n in range(1, 9)] == [1, 0, 0, 0, 0, 1, 0, 1]
    assert seen["people_count_all"] == Value(3)
    many = decoder("vs121")(bytes.fromhex("04c901ff0001"), 85)
    assert "region_17" not in many


def test_stored_counts() -> None:
    seen = decoder("vs350")(
        bytes.fromhex("20ce0100000000 01000200 20ce0200000001 0300040005000600".replace(" ", "")), 85
    )
    assert seen["history_0_period_out"] == Value(2)
    assert seen["history_1_total_out"] == Value(6)
    with pytest.raises(DecodeError) as caught:
        decoder("vs350")(bytes.fromhex("20ce010000000901000200"), 85)
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE


def test_desks_as_in_the_vendors_example() -> None:
    seen = decoder("vs321")(bytes.fromhex("0175640367110107ff0008f4020004686a06fe03000200"), 85)
    assert seen["temperature"] == Value(27.3, "Cel")
    assert seen["humidity"] == Value(53.0, "%")
    assert seen["illuminance_status"] == Value("dim")
    assert seen["detection_status"] == Value("normal")
    assert [seen[f"region_{n}_enable"].value for n in (1, 2, 3)] == ["enable", "enable", "disable"]
    assert [seen[f"region_{n}"].value for n in (1, 2, 3)] == ["vacant", "occupied", "vacant"]


def test_stored_desks_and_people() -> None:
    seen = decoder("vs321")(bytes.fromhex("20ce00105e5f00070020ce00105e5f0103000100"), 85)
    assert seen["history_0_people_total_counts"] == Value(7)
    assert seen["history_1_region_1"] == Value("occupied")
    with pytest.raises(DecodeError):
        decoder("vs321")(bytes.fromhex("20ce00105e5f"), 85)


def test_the_first_camera_has_no_short_firmware() -> None:
    assert decoder("vs121")(bytes.fromhex("ff0101 ff0a1f07004b"), 85) == {"protocol_version": Value(1)}
