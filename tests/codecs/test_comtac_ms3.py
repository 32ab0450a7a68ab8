"""What the golden vectors do not show."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.models import native
from torhaus.codecs.payload.comtac_ms3 import decode


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes.fromhex("1300bc001f0100"), RejectReason.SHORT),
        (b"", RejectReason.SHORT),
        (b"\1" * 256, RejectReason.LONG),
    ],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, 3)
    assert caught.value.reason is reason


@pytest.mark.parametrize("place", ["7fffffff 0083b649", "02d7ad10 7fffffff"])
def test_half_a_position_is_none(place: str) -> None:
    seen = decode(bytes.fromhex(f"3380bc001f0100ff5ffecc03b10024fff2000dffc301630017 {place} 0bb8"))
    assert not {"latitude", "longitude", "altitude"} & seen.keys()


def test_it_is_found() -> None:
    for name in ("MS-3", "LPN MS-3"):
        assert native("comtac", name) == "comtac_ms3"
