import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


def test_regions() -> None:
    seen = decoder("vs121")(bytes.fromhex("04c9030800a1"), 85)
    assert [seen[f"region_{n}"].value for n in range(1, 9)] == [1, 0, 0, 0, 0, 1, 0, 1]
    assert seen["people_count_all"] == Value(3)
    many = decoder("vs121")(bytes.fromhex("04c901ff0001"), 85)
    assert "region_17" not in many


def test_lines_dwell_and_occlusion() -> None:
    seen = decoder("vs133")(bytes.fromhex("03d24800000010e401091011211ee4020100 020050fc000001".replace(" ", "")), 85)
    assert {name: value.value for name, value in seen.items()} == {
        "line_1_total_in": 72,
        "region_1_avg_dwell": 4105,
        "region_1_max_dwell": 8465,
        "region_2_child_avg_dwell": 1,
        "region_2_child_max_dwell": 2,
        "master_occlusion_alarm": "alarm_triggered",
    }


def test_stored_counts() -> None:
    seen = decoder("vs350")(
        bytes.fromhex("20ce0100000000 01000200 20ce0200000001 0300040005000600".replace(" ", "")), 85
    )
    assert seen["history_0_period_out"] == Value(2)
    assert seen["history_1_total_out"] == Value(6)
    with pytest.raises(DecodeError) as caught:
        decoder("vs350")(bytes.fromhex("20ce010000000901000200"), 85)
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE
