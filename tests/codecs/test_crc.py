import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.framing.crc import crc16_kermit, crc16_x25

CHECK = b"123456789"


def bit_by_bit(data: bytes, init: int, final: int) -> int:
    crc = init
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ final


@pytest.mark.parametrize(("got", "want"), [(crc16_x25(CHECK), 0x906E), (crc16_kermit(CHECK), 0x2189)])
def test_check_values_of_the_catalogue(got: int, want: int) -> None:
    assert got == want


def test_empty_input() -> None:
    assert crc16_x25(b"") == 0
    assert crc16_kermit(b"") == 0


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_agrees_with_the_definition(data: bytes) -> None:
    assert crc16_x25(data) == bit_by_bit(data, 0xFFFF, 0xFFFF)
    assert crc16_kermit(data) == bit_by_bit(data, 0, 0)
