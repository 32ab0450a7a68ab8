import pytest

from torhaus.codecs.lorawan.net_id import dev_addr_prefix
from torhaus.codecs.model import DecodeError, RejectReason


@pytest.mark.parametrize(
    ("net_id", "lowest", "highest"),
    [
        (0x000013, 0x26000000, 0x27FFFFFF),  # type 0: 7 bits
        (0x200001, 0x81000000, 0x81FFFFFF),  # type 1: 10 and six bits
        (0x40010A, 0xD0A00000, 0xD0AFFFFF),  # type 2: 110 and nine bits
        (0x600001, 0xE0020000, 0xE003FFFF),  # type 3
        (0x800001, 0xF0008000, 0xF000FFFF),  # type 4
        (0xA00001, 0xF8002000, 0xF8003FFF),  # type 5
        (0xC00002, 0xFC000800, 0xFC000BFF),  # type 6
        (0xE00003, 0xFE000180, 0xFE0001FF),  # type 7
    ],
)
def test_every_type(net_id: int, lowest: int, highest: int) -> None:
    value, bits = dev_addr_prefix(net_id)
    assert (value << (32 - bits), (value << (32 - bits)) | ((1 << (32 - bits)) - 1)) == (lowest, highest)


@pytest.mark.parametrize("net_id", [-1, 1 << 24])
def test_what_is_none(net_id: int) -> None:
    with pytest.raises(DecodeError) as e:
        dev_addr_prefix(net_id)
    assert e.value.reason is RejectReason.RANGE
