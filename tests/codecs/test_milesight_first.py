"""Models with the names of the vendor's first decoder: the same bytes, other names."""

import pytest

from torhaus.codecs.encoders import encoder
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.payload.milesight import MODELS, decoder, variants
from torhaus.codecs.payload.milesight_first import ALIASED, DIFFERS


def values(model: str, payload: str) -> dict[str, object]:
    return {name: value.value for name, value in decoder(model)(bytes.fromhex(payload), 85).items()}


@pytest.mark.parametrize("model", sorted(DIFFERS))
def test_each_has_both(model: str) -> None:
    assert {model, f"{model}-v1"} <= MODELS
    assert variants(model)[0] == f"{model}-v1"
    assert variants(f"{model}-v1") == ()


def test_a_second_decoder_that_gives_both_names() -> None:
    assert {f"{model}-v2" for model in ALIASED} <= MODELS
    assert values("em500-swl-v2", "03770200") == {"depth": 2, "distance": 2}
    assert values("em500-swl-v2", "0377fdff") == {"depth_error": "out of range"}
    assert values("em500-swl-v1", "03770200") == {"distance": 2}


@pytest.mark.parametrize(
    ("model", "payload", "now", "first"),
    [
        ("em300-mcs", "060001", {"magnet_status": "open"}, {"door": "open"}),
        ("em300-sld", "050001", {"leakage_status": "leak"}, {"water_leak": "leak"}),
        ("ws301", "040000", {"tamper_status": "installed"}, {"install": "yes"}),
        ("ws101", "ff2e03", {"button_event_status": "double press"}, {"press": "double"}),
        ("ws202", "040000", {"daylight": "dim"}, {"daylight": "dark"}),
        (
            "wt102",
            "019d08",
            {"temperature": 22.05, "fahrenheit_temperature": 71.69, "celsius_temperature": 22.05},
            {"temperature": 22.1},
        ),
        (
            "wt102",
            "0163f7",
            {"temperature": -22.05, "fahrenheit_temperature": -7.69, "celsius_temperature": -22.05},
            {"temperature": -22.0},
        ),
        ("vs121", "06cd05", {"people_count_max": 5}, {"people_max": 5}),
        ("ct101", "ff0a010f", {"firmware_version": "v1.f"}, {"firmware_version": "v1.15"}),
        (
            "em400-mud",
            "83670100018482100000",
            {
                "temperature": 0.1,
                "temperature_alarm": "threshold_alarm",
                "distance": 16,
                "distance_alarm": "threshold_alarm_release",
            },
            {"temperature": 0.1, "temperature_abnormal": True, "distance": 16, "distance_alarming": False},
        ),
        (
            "em310-tilt",
            "03cf01000200030005",
            {
                "angle_x": 0.01,
                "angle_y": 0.02,
                "angle_z": 0.03,
                "threshold_x": "trigger",
                "threshold_y": "normal",
                "threshold_z": "trigger",
            },
            {
                "angle_x": 0.01,
                "angle_y": 0.02,
                "angle_z": 0.03,
                "threhold_x": "trigger",
                "threhold_y": "normal",
                "threhold_z": "trigger",
            },
        ),
        (
            "ws302",
            "055b053f02da016a02",
            {"laf": 57.5, "l_aeq": 47.4, "la_fmax": 61.8},
            {"freq_weight": "A", "time_weight": "fast", "la": 57.5, "laeq": 47.4, "lamax": 61.8},
        ),
        (
            "uc11xx",
            "01c801020304090001",
            {"gpio_counter_1": 0x04030201, "gpio_output_1": "high"},
            {"counter1": 0x04030201, "dout1": "on"},
        ),
    ],
)
def test_names(model: str, payload: str, now: dict[str, object], first: dict[str, object]) -> None:
    assert values(model, payload) == now
    assert values(f"{model}-v1", payload) == first


def test_the_regions_of_a_people_counter() -> None:
    assert values("vs121-v1", "04c903020001") == {
        "people_counter_all": 3, "region_count": 2, "region_1": 1, "region_2": 0,
    }  # fmt: skip


def test_what_is_cut_off() -> None:
    for model, payload in (("vs121-v1", "04c9030200"), ("ws302-v1", "055b053f02da01"), ("at101-v1", "06d900112233")):
        with pytest.raises(DecodeError) as caught:
            values(model, payload)
        assert caught.value.reason is RejectReason.SHORT
    with pytest.raises(DecodeError) as caught:
        values("ws302-v1", "055b033f02da016a02")
    assert caught.value.reason is RejectReason.RANGE


def test_downlinks_are_those_of_the_model() -> None:
    now, first = encoder("milesight:em300-mcs"), encoder("milesight:em300-mcs-v1")
    assert now is not None
    assert first is not None
    assert now({"report_interval": 600}) == first({"report_interval": 600})
