import pytest

from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.models import native
from torhaus.codecs.payload.tektelic import decoder
from torhaus.codecs.payload.tektelic_models import TABLES


def test_names_of_the_repositories() -> None:
    assert native("tektelic", "decoder_smart_room_sensor") == "tektelic:smart-room-sensor"
    assert native("tektelic", "t0008781-stork") == "tektelic:stork"
    assert native("tektelic", "decoder_edoctor") == "tektelic:edoctor"


@pytest.mark.parametrize("model", sorted(TABLES))
def test_every_channel_alone(model: str) -> None:
    for key, steps in TABLES[model].items():
        fields = decoder(model)(bytes.fromhex(key) + b"\x01" * sum(max(step.size or 0, 0) for step in steps), 10)
        assert len(fields) == len(steps)


def test_what_the_cycle_is() -> None:
    assert decoder("tundra")(bytes.fromhex("200000003c210001"), 100) == {
        "seconds_per_core_tick": Value(60, "s"),
        "ticks_per_battery": Value(1),
    }


def test_an_unknown_setting_alone() -> None:
    with pytest.raises(DecodeError) as caught:
        decoder("tundra")(b"\x50\x85", 100)
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE
