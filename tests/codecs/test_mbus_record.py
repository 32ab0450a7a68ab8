"""Records: what their blocks say, and how much of them is taken."""

import pytest

from torhaus.codecs.meter.mbus.record import Record, Rest, records
from torhaus.codecs.model import DecodeError, RejectReason


def test_blocks() -> None:
    found = list(records(bytes.fromhex("d4d1011301000000" + "1f55")))
    assert found == [Record("volume", 0.001, "m3", "max", 35, 1, 1), Rest(b"\x55", more=True)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("8480808080808080808080800013", RejectReason.LONG),
        ("0493ffffffffffffffffffffffff00", RejectReason.LONG),
        ("0413010000", RejectReason.SHORT),
        ("3f", RejectReason.SYNTAX),
    ],
)
def test_what_is_refused(data: str, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        list(records(bytes.fromhex(data)))
    assert caught.value.reason is reason
