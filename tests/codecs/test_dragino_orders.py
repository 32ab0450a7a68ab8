from typing import Any

import pytest

from torhaus.codecs.encoders import Made, encoder
from torhaus.codecs.model import DecodeError


@pytest.mark.parametrize(
    ("data", "payload"),
    [  # the first three are the examples of the vendor's page
        ({"transmit_interval": 30}, "0100001e"),
        ({"reboot": "yes"}, "04ff"),
        ({"confirmed_uplinks": True}, "05000001"),
        ({"confirmed_uplinks": "off"}, "05000000"),
        ({"transmit_interval": 1200}, "010004b0"),
    ],
)
def test_what_all_of_them_know(data: dict[str, Any], payload: str) -> None:
    encode = encoder("dragino:lht65")
    assert encode is not None
    assert encode(data) == Made(bytes.fromhex(payload), 2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"transmit_interval": 0}, "from 1 to 16777215"),
        ({"transmit_interval": "30"}, "whole number"),
        ({"reboot": "no"}, "leave it out"),
        ({"reboot": 1, "transmit_interval": 30}, "one command at a time"),
        ({"blink": 1}, "there are confirmed_uplinks, reboot, transmit_interval"),
    ],
)
def test_what_they_do_not_know_is_refused(data: dict[str, Any], said: str) -> None:
    encode = encoder("dragino:lht65")
    assert encode is not None
    with pytest.raises(DecodeError, match=said):
        encode(data)
