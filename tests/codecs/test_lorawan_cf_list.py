from contextlib import suppress
from random import Random

import pytest

from torhaus.codecs.lorawan.cf_list import CfList, decode_cf_list, encode_cf_list
from torhaus.codecs.model import DecodeError


def test_frequencies() -> None:
    """867.1 to 867.9 MHz, as networks in Europe send them."""
    data = bytes.fromhex("184f84e85684b85e84886684586e8400")
    found = CfList(0, (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000))
    assert decode_cf_list(data) == found
    assert encode_cf_list(found) == data


def test_masks() -> None:
    """Sub-band 2 and its wide channel, as networks in America send them."""
    data = bytes.fromhex("00ff0000000000000200000000000001")
    found = CfList(1, channels=(*range(8, 16), 65))
    assert decode_cf_list(data) == found
    assert encode_cf_list(found) == data


def test_unused_places_are_zero() -> None:
    assert decode_cf_list(encode_cf_list(CfList(0, (867_100_000,)))).freqs_hz == (867_100_000, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "cf_list",
    [CfList(0, (1,) * 5), CfList(0, (100,) * 6), CfList(0, (100 << 24,)), CfList(1, channels=(96,)), CfList(2)],
)
def test_what_cannot_be_said(cf_list: CfList) -> None:
    with pytest.raises(DecodeError):
        encode_cf_list(cf_list)


def test_hostile_bytes() -> None:
    random = Random(3)
    for _ in range(3000):
        data = random.randbytes(random.randint(0, 18))
        with suppress(DecodeError):
            assert decode_cf_list(encode_cf_list(decode_cf_list(data))) == decode_cf_list(data)
    with pytest.raises(DecodeError, match="CFListType 2"):
        decode_cf_list(bytes(15) + b"\x02")
    with pytest.raises(DecodeError, match="a CFList has 16 bytes, this one 15"):
        decode_cf_list(bytes(15))
