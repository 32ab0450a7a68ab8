"""What the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.models import native
from torhaus.codecs.payload.comtac_lpn_do import decode


@pytest.mark.parametrize(
    ("data", "reason"),
    [(bytes.fromhex("14000977ef"), RejectReason.SHORT), (b"", RejectReason.SHORT), (b"\1" * 256, RejectReason.LONG)],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, 2)
    assert caught.value.reason is reason


def test_it_is_found() -> None:
    for name in ("LPN_DO", "LPN DO"):
        assert native("comtac", name) == "comtac_lpn_do"
