from typing import Any

import pytest

from torhaus.codecs.encoders import Made, encoder
from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.elsys import decode


def made(data: dict[str, Any]) -> Made:
    encode = encoder("elsys")
    assert encode is not None
    return encode(data)


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        ({"spl_per": 600}, "3e051400000258"),
        ({"temp_per": 1, "send_per": 6}, "3e0a15000000011f00000006"),
        ({"ack": "yes"}, "3e020a01"),
        ({"reboot": True}, "3e01fe"),
        ({"reboot": 1, "pir_cfg": 2}, "3e031102fe"),
    ],
)
def test_settings(data: dict[str, Any], payload: str) -> None:
    assert made(data) == Made(bytes.fromhex(payload), 6)


def test_the_sensors_own_settings_have_the_same_form() -> None:
    """What a sensor sends of itself is read by its length only: it may hold keys."""
    assert decode(made({"spl_per": 600, "ack": 0}).payload, 6)["settings_length"].value == 7


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"spl_per": 0}, "from 1"),
        ({"temp_per": -1}, "from 0"),
        ({"temp_per": 1.5}, "whole number"),
        ({"pir_cfg": 3}, "from 0 to 2"),
        ({"reboot": 0}, "leave it out"),
        ({"app_key": "00" * 16}, "not known"),
        ({"port": 7}, "not known"),
        ({}, "an object"),
        (
            {f"{name}_per": 1 for name in ("temp", "rh", "light", "pir", "co2", "ext", "acc", "vdd", "send", "press")},
            "more than every data rate",
        ),
    ],
)
def test_what_is_refused(data: dict[str, Any], said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        made(data)


def test_keys_cannot_be_set() -> None:
    for name in ("app_s_key", "nwk_s_key", "dev_eui", "app_eui", "app_key", "dev_addr", "ota", "lock", "settings"):
        with pytest.raises(DecodeError, match="not known"):
            made({name: 1})


def test_there_are_no_models() -> None:
    assert encoder("elsys:ers") is None
