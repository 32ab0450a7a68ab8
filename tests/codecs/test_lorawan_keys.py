from collections.abc import Callable

import pytest

from torhaus.codecs.lorawan.keys import (
    KeySet,
    KeyType,
    Version,
    derive_1_0,
    derive_1_1,
    derive_join_server,
    keys_1_0,
    keys_1_1,
    session_key,
)
from torhaus.codecs.model import DecodeError, RejectReason

NWK = bytes(15) + b"\x01"
APP = b"\x01" + bytes(14) + b"\x01"


def reason(call: Callable[[], object]) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value.reason


def test_opt_neg_set_uses_the_join_eui_and_both_root_keys() -> None:
    """lora-packet, "session keys 1.1 OptNeg set"."""
    derived = derive_1_1(NWK, APP, 3, 1, 0xE8C2)
    assert derived.version is Version.V1_1
    assert derived.f_nwk_s_int_key.hex() == "bbd966509be6435f4bcb63acc310466a"
    assert derived.s_nwk_s_int_key.hex() == "dea9e621c747af79a65f82dcaed92a99"
    assert derived.nwk_s_enc_key.hex() == "c8eefda7400395c94ab072e9c353b29d"
    assert derived.app_s_key.hex() == "eb45a0a167b6f1cccb9a678d761c0b03"


def test_opt_neg_unset_gives_one_network_key() -> None:
    derived = derive_1_0(NWK, 0x58, 0x600008, 0xE8B8)
    assert derived.version is Version.V1_0
    assert derived.f_nwk_s_int_key == derived.s_nwk_s_int_key == derived.nwk_s_enc_key
    assert derived.f_nwk_s_int_key == session_key(NWK, KeyType.F_NWK_S_INT, 0x58, b"\x08\x00\x60", 0xE8B8)
    assert derived.app_s_key == session_key(NWK, KeyType.APP_S, 0x58, b"\x08\x00\x60", 0xE8B8)


def test_keys_are_16_bytes() -> None:
    assert reason(lambda: keys_1_0(bytes(15), bytes(16))) is RejectReason.KEY
    assert reason(lambda: keys_1_0(bytes(16), bytes(17))) is RejectReason.KEY
    assert reason(lambda: keys_1_1(bytes(16), bytes(16), b"", bytes(16))) is RejectReason.KEY
    assert reason(lambda: derive_1_0(bytes(24), 0, 0, 0)) is RejectReason.KEY
    assert reason(lambda: derive_1_1(bytes(16), bytes(32), 0, 0, 0)) is RejectReason.KEY
    assert reason(lambda: derive_join_server(b"", 0)) is RejectReason.KEY


def test_a_1_0_session_has_one_network_key() -> None:
    assert reason(lambda: KeySet(Version.V1_0, APP, NWK, APP, APP)) is RejectReason.KEY


def test_numbers_that_do_not_fit() -> None:
    for call in (
        lambda: derive_1_0(APP, 1 << 24, 0, 0),
        lambda: derive_1_0(APP, 0, 1 << 24, 0),
        lambda: derive_1_0(APP, 0, 0, 1 << 16),
        lambda: derive_1_0(APP, -1, 0, 0),
        lambda: derive_1_1(NWK, APP, 0, 1 << 64, 0),
        lambda: derive_join_server(NWK, -1),
        lambda: session_key(NWK, KeyType.APP_S, 0, b"\0\0\0\0", 0),
    ):
        assert reason(call) is RejectReason.RANGE


def test_printing_shows_no_key() -> None:
    secret = bytes(range(0x41, 0x51))  # "ABCDEFGHIJKLMNOP"
    shown = repr(keys_1_0(secret, secret)) + str(keys_1_1(secret, secret, secret, secret))
    server = derive_join_server(secret, 1)
    assert "ABC" not in shown + repr(server)
    assert repr(server.js_int_key) not in repr(server)
