import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.aes import (
    check_key,
    cmac,
    cmac_context,
    ecb_context,
    ecb_decrypt,
    keystream_context,
    xor_keystream,
)
from torhaus.codecs.model import DecodeError, RejectReason

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
PLAIN = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
    ],
)
def test_cmac_of_rfc_4493_section_4(size: int, expected: str) -> None:
    assert cmac(KEY, PLAIN[:size]).hex() == expected


def test_a_context_can_be_copied_again_and_again() -> None:
    base = cmac_context(KEY)
    for _ in range(3):
        mac = base.copy()
        mac.update(PLAIN[:16])
        assert mac.finalize() == cmac(KEY, PLAIN[:16])


def test_ecb_of_sp_800_38a_f_1_1_and_back() -> None:
    context = ecb_context(KEY)
    for _ in range(3):
        assert context.update(PLAIN[:16]).hex() == "3ad77bb40d7a3660a89ecaf32466ef97"
    assert ecb_decrypt(KEY, bytes.fromhex("3ad77bb40d7a3660a89ecaf32466ef97")) == PLAIN[:16]


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17), bytes(32), "0" * 16])
def test_keys_have_16_bytes(key: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        check_key(key, "AppKey")
    assert caught.value.reason is RejectReason.KEY
    assert "AppKey" in caught.value.detail


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=256), st.binary(min_size=15, max_size=15))
def test_keystream_is_block_by_block(data: bytes, head: bytes) -> None:
    context = keystream_context(KEY)
    got = xor_keystream(context, head + b"\x01", data)
    block = ecb_context(KEY)
    stream = b"".join(block.update(head + bytes([i])) for i in range(1, 17))
    assert got == bytes(a ^ b for a, b in zip(data, stream, strict=False))
    assert xor_keystream(context, head + b"\x01", got) == data


def test_keystream_is_bounded() -> None:
    with pytest.raises(DecodeError) as caught:
        xor_keystream(keystream_context(KEY), bytes(16), bytes(257))
    assert caught.value.reason is RejectReason.LONG
