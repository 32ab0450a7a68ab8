"""The fixed data structure."""

import pytest

from torhaus.codecs.meter.mbus.fixed import fixed
from torhaus.codecs.model import DecodeError

BODY = bytes.fromhex("785634120a00e97e0100000035010000")


def test_both_byte_orders() -> None:
    low = fixed(BODY, swapped=False)
    high = fixed(BODY[:4][::-1] + BODY[4:8] + BODY[8:12][::-1] + BODY[12:][::-1], swapped=True)
    assert low == high
    assert low["volume_storage_1"].value == 0.135


def test_another_length_is_refused() -> None:
    for body in (BODY[:-1], BODY + b"\x00"):
        with pytest.raises(DecodeError):
            fixed(body, swapped=False)
