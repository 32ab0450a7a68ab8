import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.payload.milesight import decoder


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


def test_stored_readings() -> None:
    """What came in over the first line, over the fourth in the period, four regions, and how long people stayed."""
    stored = "20ce010000000348000000 20ce020000000e05000700 20ce030000000f02100709 20ce04000000200333 12"
    seen = decoder("vs135")(bytes.fromhex(stored.replace(" ", "")), 85)
    assert {name: value.value for name, value in seen.items() if not name.endswith("timestamp")} == {
        "history_0_line_1_total_in": 72,
        "history_1_line_4_period_in": 5,
        "history_1_line_4_period_out": 7,
        **{f"history_2_region_{n}_count": count for n, count in enumerate((2, 16, 7, 9), 1)},
        "history_3_region_3_max_dwell": 0x1233,
    }
    assert seen["history_3_timestamp"] == Value(4, "s")


@pytest.mark.parametrize(
    ("hexed", "reason"), [("20ce0100000077", "unknown_type"), ("20ce01000000034800", "short"), ("10e40109", "short")]
)
def test_what_is_refused(hexed: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("vs133")(bytes.fromhex(hexed), 85)
    assert caught.value.reason is RejectReason(reason)


def test_versions() -> None:
    seen = decoder("vs133")(bytes.fromhex("ff0112ff090102ff1f85010002"), 85)
    assert [value.value for value in seen.values()] == ["v1.2", "v1.2", "v133.1.0.2"]
