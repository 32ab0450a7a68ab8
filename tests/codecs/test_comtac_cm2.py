"""What the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.models import native
from torhaus.codecs.payload.comtac_cm2 import decode


@pytest.mark.parametrize(
    ("data", "reason"),
    [(bytes.fromhex("0110000a5efe"), RejectReason.SHORT), (b"", RejectReason.SHORT), (b"\1" * 256, RejectReason.LONG)],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, 3)
    assert caught.value.reason is reason


def test_the_port_tells_what_it_is() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(b"\2\1\3", 99)
    assert caught.value.reason is RejectReason.UNKNOWN_TYPE


def test_it_is_found() -> None:
    for name in ("CM-2", "LPN CM-2 Sensor"):
        assert native("comtac", name) == "comtac_cm2"
