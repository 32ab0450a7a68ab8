from typing import Any

import msgspec
import pytest

from torhaus.daemon.evidence import config
from torhaus.daemon.evidence.config import Evidence

GOOD = {"tsa_url": "https://tsa.example.org/x", "tsa_ca_file": "/etc/torhaus/tsa.pem"}


def test_an_authority_needs_what_its_stamps_lead_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert msgspec.convert(GOOD, Evidence).stamp_every == "day"
    faults: list[tuple[dict[str, Any], str]] = [
        ({"tsa_ca_file": None}, "tsa_url: needs tsa_ca_file"),
        ({"tsa_url": "ftp://x"}, "tsa_url: must start with"),
        ({"tsa_url": "https://"}, "tsa_url: must start with"),
        ({"tsa_url": "https://[x"}, "tsa_url: must start with"),
        ({"tsa_url": "https://a:b@x"}, "without a password"),
        ({"stamp_every": "week"}, "Invalid enum value"),
    ]
    for change, text in faults:
        with pytest.raises(msgspec.ValidationError, match=text):
            msgspec.convert(GOOD | change, Evidence)
    monkeypatch.setattr(config, "is_installed", lambda: False)
    with pytest.raises(msgspec.ValidationError, match=r"torhaus\[stamps\]"):
        msgspec.convert(GOOD, Evidence)
    assert msgspec.convert({}, Evidence).tsa_url is None
