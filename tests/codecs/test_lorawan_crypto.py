"""What the golden vectors do not show: wrong keys, directions, counters, bounds. Vectors: test_lorawan_vectors.py."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.model import DecodeError, RejectReason

F, S, ENC, APP = (bytes([n]) * 16 for n in range(1, 5))
V1_0 = SessionKeys.v1_0(F, APP)
V1_1 = SessionKeys.v1_1(F, S, ENC, APP)
ADDR = 0x260B1A2C


def data(phy: bytes) -> DataFrame:
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return frame


def reason(call: Callable[[], object]) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value.reason


@pytest.mark.parametrize("keys", [V1_0, V1_1], ids=["1.0", "1.1"])
def test_every_flipped_bit_breaks_the_mic(keys: SessionKeys) -> None:
    up = build_uplink(keys, ADDR, 70_000, 5, b"hello", fopts=b"\x02", tx_dr=5, tx_ch=2)
    down = build_downlink(keys, ADDR, 70_000, 5, b"hello", fopts=b"\x02")
    assert keys.verify_uplink(up, data(up), 70_000, tx_dr=5, tx_ch=2)
    assert keys.verify_downlink(down, data(down), 70_000)
    for index in range(8 * len(up)):
        mask = 1 << index % 8
        for phy, uplink in ((up, True), (down, False)):
            spoiled = bytearray(phy)
            spoiled[index // 8] ^= mask
            try:
                frame = parse(bytes(spoiled))
            except DecodeError:
                continue
            if not isinstance(frame, DataFrame):
                continue
            if uplink:
                assert not keys.verify_uplink(bytes(spoiled), frame, 70_000, tx_dr=5, tx_ch=2)
            else:
                assert not keys.verify_downlink(bytes(spoiled), frame, 70_000)


@pytest.mark.parametrize("keys", [V1_0, V1_1], ids=["1.0", "1.1"])
def test_directions_are_not_interchangeable(keys: SessionKeys) -> None:
    up = build_uplink(keys, ADDR, 1, 5, b"x")
    assert not keys.verify_downlink(up, data(up), 1)
    down = build_downlink(keys, ADDR, 1, 5, b"x")
    assert not keys.verify_uplink(down, data(down), 1)
    assert up[9:-4] != down[9:-4]  # another keystream, too


def test_the_upper_half_of_the_counter_counts() -> None:
    phy = build_uplink(V1_0, ADDR, 0x10007, 5, b"x")
    frame = data(phy)
    assert frame.fcnt16 == 7
    assert V1_0.verify_uplink(phy, frame, 0x10007)
    assert not V1_0.verify_uplink(phy, frame, 7)
    assert V1_0.decrypt(frame, 0x10007) == b"x"


def test_port_0_is_encrypted_with_the_network_key() -> None:
    for keys, network in ((V1_0, F), (V1_1, ENC)):
        frame = data(build_uplink(keys, ADDR, 1, 0, b"\x02\x03"))
        assert keys.decrypt(frame, 1) == b"\x02\x03"
        assert SessionKeys.v1_0(network, b"\x99" * 16).decrypt(frame, 1) == b"\x02\x03"
        assert keys.decrypt(data(build_uplink(keys, ADDR, 1, 0)), 1) == b""


def test_1_0_leaves_fopts_in_clear_and_1_1_does_not() -> None:
    plain = data(build_uplink(V1_0, ADDR, 1, 5, b"x", fopts=b"\x02\x07"))
    assert plain.fopts == V1_0.decrypt_fopts(plain, 1) == b"\x02\x07"
    secret = data(build_uplink(V1_1, ADDR, 1, 5, b"x", fopts=b"\x02\x07"))
    assert secret.fopts != b"\x02\x07"
    assert V1_1.decrypt_fopts(secret, 1) == b"\x02\x07"
    assert V1_1.decrypt_fopts(data(build_uplink(V1_1, ADDR, 1, 5)), 1) == b""


def test_fopts_keystreams_of_the_two_downlink_counters_differ() -> None:
    n_counter = V1_1.crypt_fopts(bytes(15), ADDR, 1, uplink=False, fport=None)
    a_counter = V1_1.crypt_fopts(bytes(15), ADDR, 1, uplink=False, fport=5)
    up = V1_1.crypt_fopts(bytes(15), ADDR, 1, uplink=True, fport=5)
    assert len({n_counter, a_counter, up}) == 3


def test_half_of_a_1_1_mic_ignores_what_the_gateway_may_not_know() -> None:
    phy = build_uplink(V1_1, ADDR, 1, 5, b"x", ack=True, conf_fcnt=9, tx_dr=3, tx_ch=7)
    frame = data(phy)
    assert V1_1.verify_uplink(phy, frame, 1, conf_fcnt=9 + 0x10000, tx_dr=3, tx_ch=7)
    for wrong in ({"tx_dr": 4}, {"tx_ch": 6}, {"conf_fcnt": 8}):
        assert not V1_1.verify_uplink(phy, frame, 1, **({"conf_fcnt": 9, "tx_dr": 3, "tx_ch": 7} | wrong))
    assert V1_1.verify_uplink_half(phy, frame, 1)
    assert not V1_1.verify_uplink_half(phy, frame, 2)
    half = phy[:-4] + b"\0\0" + phy[-2:]
    assert V1_1.verify_uplink_half(half, data(half), 1)
    assert not V1_1.verify_uplink(half, data(half), 1, conf_fcnt=9, tx_dr=3, tx_ch=7)


def test_half_of_a_1_0_mic_is_all_of_it() -> None:
    phy = build_uplink(V1_0, ADDR, 1, 5, b"x")
    assert V1_0.verify_uplink_half(phy, data(phy), 1)
    for index in range(-4, 0):
        spoiled = bytearray(phy)
        spoiled[index] ^= 1
        assert not V1_0.verify_uplink_half(bytes(spoiled), data(bytes(spoiled)), 1)


def test_conf_fcnt_enters_only_with_ack() -> None:
    phy = build_downlink(V1_1, ADDR, 1, 5, b"x")
    assert V1_1.verify_downlink(phy, data(phy), 1, conf_fcnt=77)
    phy = build_downlink(V1_1, ADDR, 1, 5, b"x", ack=True, conf_fcnt=77)
    assert V1_1.verify_downlink(phy, data(phy), 1, conf_fcnt=77)
    assert not V1_1.verify_downlink(phy, data(phy), 1)


@pytest.mark.parametrize("keys", [V1_0, V1_1], ids=["1.0", "1.1"])
def test_numbers_that_do_not_fit(keys: SessionKeys) -> None:
    phy = build_uplink(keys, ADDR, 1, 5, b"x", fopts=b"\x02")
    frame = data(phy)
    for fcnt in (-1, 1 << 32):
        assert reason(partial(keys.verify_uplink, phy, frame, fcnt)) is RejectReason.RANGE
        assert reason(partial(keys.verify_uplink_half, phy, frame, fcnt)) is RejectReason.RANGE
        assert reason(partial(keys.verify_downlink, phy, frame, fcnt)) is RejectReason.RANGE
        assert reason(partial(keys.decrypt, frame, fcnt)) is RejectReason.RANGE
        assert reason(partial(keys.crypt_payload, b"x", ADDR, fcnt, uplink=True, fport=1)) is RejectReason.RANGE
    assert reason(lambda: keys.uplink_mic(bytes(256), ADDR, 1)) is RejectReason.RANGE
    assert reason(lambda: V1_1.verify_uplink(phy, frame, 1, tx_dr=256)) is RejectReason.RANGE
    assert reason(lambda: V1_1.decrypt_fopts(frame, 1 << 32)) is RejectReason.RANGE


def test_lengths_that_do_not_fit() -> None:
    assert reason(lambda: V1_1.uplink_mic(b"\x40", ADDR, 1)) is RejectReason.SHORT
    assert reason(lambda: V1_1.downlink_mic(b"", ADDR, 1)) is RejectReason.SHORT
    assert reason(lambda: V1_1.crypt_fopts(bytes(16), ADDR, 1, uplink=True, fport=None)) is RejectReason.LONG
    assert reason(lambda: V1_1.crypt_payload(bytes(257), ADDR, 1, uplink=True, fport=1)) is RejectReason.LONG


def test_printing_shows_no_key() -> None:
    assert repr(V1_1) == "SessionKeys(1.1)"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from((V1_0, V1_1)),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 32) - 1),
    st.integers(1, 255),
    st.binary(max_size=222),
    st.binary(max_size=15),
)
def test_what_was_built_opens_again(
    keys: SessionKeys, dev_addr: int, fcnt: int, fport: int, payload: bytes, fopts: bytes
) -> None:
    for build, verify in ((build_uplink, keys.verify_uplink), (build_downlink, keys.verify_downlink)):
        phy = build(keys, dev_addr, fcnt, fport, payload, fopts=fopts)
        frame = data(phy)
        assert (frame.dev_addr, frame.fcnt16, frame.fport) == (dev_addr, fcnt & 0xFFFF, fport)
        assert verify(phy, frame, fcnt)
        assert not verify(phy, frame, fcnt ^ 0x10000)
        assert keys.decrypt(frame, fcnt) == payload
        assert keys.decrypt_fopts(frame, fcnt) == fopts
