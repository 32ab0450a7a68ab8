from typing import Any

import pytest

from torhaus.codecs.encoders import Made, encoder
from torhaus.codecs.model import DecodeError
from torhaus.codecs.payload.milesight_orders import _ORDERS
from torhaus.codecs.registry import models


@pytest.mark.parametrize(
    ("model", "data", "payload"),
    [
        ("em300-th", {"report_interval": 600}, "ff035802"),
        ("ct101", {"report_interval": 20}, "ff8e001400"),
        ("em300-cl", {"collection_interval": 300}, "ffbb002c01"),
        ("am307", {"buzzer_enable": "disable", "reboot": "yes"}, "ff3e00ff10ff"),
        ("ws523", {"socket_status": "on"}, "0801ffff"),
        ("ws523", {"socket_status": False}, "0800ffff"),
        ("wt102", {"reboot": 1}, "be"),
    ],
)
def test_by_model(model: str, data: dict[str, Any], payload: str) -> None:
    encode = encoder(f"milesight:{model}")
    assert encode is not None
    assert encode(data) == Made(bytes.fromhex(payload), 85)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"report_interval": 0}, "from 1 to 64800"),
        ({"socket_status": "on"}, "'socket_status' is not known; there are"),
        ({"history_enable": "maybe"}, '"yes" or "no"'),
    ],
)
def test_what_a_model_does_not_know_is_refused(data: dict[str, Any], said: str) -> None:
    encode = encoder("milesight:em300-th")
    assert encode is not None
    with pytest.raises(DecodeError, match=said):
        encode(data)


def test_every_model_there_has_a_decoder_and_no_command_twice() -> None:
    known = set(models("milesight"))
    seen = [(order.name, model) for order in _ORDERS for model in order.models.split()]
    assert {model for _, model in seen} <= known
    assert len(seen) == len(set(seen))


def test_other_names_of_a_model_take_its_downlinks() -> None:
    for model in ("wt201-v3", "wt303-v2", "wt211-v1"):
        made = encoder(f"milesight:{model}")
        assert made is not None
        plain = encoder(f"milesight:{model[:5]}")
        assert plain is not None
        assert made({"reboot": 1}) == plain({"reboot": 1})
