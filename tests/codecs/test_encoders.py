"""Native encoders, all of them: what is registered, and that only DecodeError leaves them whatever they are given."""

import random
from typing import Any

import pytest

from torhaus.codecs.encoders import ENCODERS, Made, encoder
from torhaus.codecs.model import DecodeError
from torhaus.codecs.registry import CODECS, FAMILIES, models

NAMES = ("dragino:lht65", "milesight:em300-th", "milesight:ws523", "netvox")
ODD: list[Any] = [
    None, True, 0, -1, 1 << 80, 1e300, float("inf"), "", "yes", "\0", [], [1], {}, {"a": {}}, {"": 1}, {"reboot": []},
    {"report_interval": 10**400}, {"report_interval": 1.5}, {"transmit_interval": True}, {"Cmd": 5}, {"Cmd": "On"},
    {"Cmd": "ConfigReportReq", "Device": "R711", "MinTime": float("inf")}, {"Cmd": "x" * 1000, "Device": "y" * 1000},
]  # fmt: skip


def test_they_are_codecs() -> None:
    assert ENCODERS.keys() <= CODECS.keys() | FAMILIES.keys()
    assert encoder("comtac_cm4") is None
    assert encoder("nothing:like-it") is None
    assert encoder("milesight:nothing-like-it") is None
    assert encoder("dragino:nothing-like-it") is None
    assert all(encoder(f"dragino:{model}") for model in models("dragino"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", ODD, ids=repr)
def test_what_is_no_order_is_refused(name: str, data: Any) -> None:
    encode = encoder(name)
    assert encode is not None
    with pytest.raises(DecodeError) as refused:
        encode(data)
    assert refused.value.detail


@pytest.mark.parametrize("name", NAMES)
def test_whatever_they_are_given(name: str) -> None:
    encode = encoder(name)
    assert encode is not None
    draw = random.Random(8)
    words = [
        "report_interval", "reboot", "transmit_interval", "Cmd", "Device", "MinTime", "MaxTime", "BatteryChange",
        "R711", "ConfigReportReq", "SetSwitchTypeReq", "R831C", "SwitchType", "Toggle", "yes", "off", "socket_status",
    ]  # fmt: skip
    values = [*words, *ODD, 1, 600, 0.1, 65535, 65536]
    for _ in range(5000):
        data = {draw.choice(words): draw.choice(values) for _ in range(draw.randrange(1, 7))}
        try:
            made = encode(data)
        except DecodeError:
            continue
        assert isinstance(made, Made)
        assert 0 < len(made.payload) <= 51
