"""Settings of Tektelic's models, each register by itself and all behind each other."""

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.codecs.payload.tektelic import decoder
from torhaus.codecs.payload.tektelic_models import TABLES
from torhaus.codecs.payload.tektelic_settings import INDOOR
from torhaus.codecs.payload.tektelic_settings_outdoor import OUTDOOR

ALL = {**INDOOR, **OUTDOOR}


def _whole(model: str, key: str) -> bytes:
    size = sum(max(step.size or 0, 0) for step in ALL[model][key])
    return bytes.fromhex(key) + b"\x01" * size


def test_they_are_of_models_that_there_are() -> None:
    assert ALL.keys() <= TABLES.keys()


@pytest.mark.parametrize("model", sorted(ALL))
def test_registers_behind_each_other(model: str) -> None:
    """None reads into the next; each field has a name of its own."""
    decode = decoder(model)
    alone: Fields = {}
    for key in ALL[model]:
        found = decode(_whole(model, key), 100)
        assert not found.keys() & alone.keys(), key
        assert found or key in {"02", "04", "05"}
        alone |= found
    assert decode(b"".join(_whole(model, key) for key in list(ALL[model])[:30]), 100).items() <= alone.items()


@pytest.mark.parametrize("model", sorted(ALL))
def test_a_register_that_is_cut_off(model: str) -> None:
    for key in ALL[model]:
        with pytest.raises(DecodeError) as caught:
            decoder(model)(_whole(model, key)[:-1], 100)
        assert caught.value.reason is RejectReason.SHORT


def test_keys_are_not_given() -> None:
    """The application's key, and those of the session."""
    seen = decoder("smart-room-sensor")(
        b"\x02" + b"k" * 16 + b"\x04" + b"n" * 16 + b"\x05" + b"a" * 16 + b"\x47\0\0\0\x3c", 100
    )
    assert seen == {"light_light_sample_period": Value(60, "s")}


def test_bits_of_one_register() -> None:
    seen = decoder("tundra-sensor")(bytes.fromhex("11000c 120507 133403e81602"), 100)
    assert seen["loramac_loramac_opts_adr"] == Value(1)
    assert seen["loramac_loramac_opts_confirm_mode"] == Value(0)
    assert seen["loramac_loramac_dr_tx_dr_number"] == Value(5)
    assert seen["loramac_loramac_rx2_frequency"] == Value(872_671_254, "Hz")
