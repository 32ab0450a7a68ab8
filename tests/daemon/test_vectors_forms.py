"""A line's form is known by its keys."""

from importlib import import_module
from typing import Any

import pytest

from torhaus.daemon.vectors.forms import FORMS, check_of, form_of


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ({"bytes_hex": "00", "vendor": "elsys", "direction": "uplink"}, "payload"),
        ({"hex": "00", "codec": "elsys"}, "payload"),
        ({"direction": "downlink-encode"}, "downlink"),
        ({"hex": "68", "kind": "ok", "source": "libmbus"}, "mbus"),
        ({"telegram": "44", "key": None}, "wmbus"),
        ({"raw_hex": "2f", "kind": "readout"}, "iec62056"),
        ({"text": "/", "kind": "readout"}, "iec62056"),
        ({"phy_payload": "40", "kind": "phy"}, "lorawan"),
        ({"file": "a.bin", "both_decoders_agree": True}, "sml"),
    ],
)
def test_form(line: dict[str, Any], form: str) -> None:
    assert form_of(line) == form


def test_every_form_has_its_module() -> None:
    for module in FORMS.values():
        assert callable(import_module(module).check)


def test_a_form_without_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FORMS, "sml")
    with pytest.raises(ValueError, match="no codec for lines of the form sml"):
        check_of({"file": "a.bin", "both_decoders_agree": True})
