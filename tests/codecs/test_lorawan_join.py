"""Joins. "TTS" is the test of pkg/crypto/join.go in TheThingsNetwork/lorawan-stack (Apache-2.0), key 01 times 16."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.join import (
    JOIN_REQUEST,
    Asked,
    JoinAcceptBody,
    build_join_accept,
    build_join_request,
    build_rejoin_request,
    decrypt_join_accept,
    encrypt_join_accept,
    join_accept_mic,
    open_join_accept,
    parse_join_accept,
    request_mic,
    verify_request,
)
from torhaus.codecs.lorawan.phy import JoinRequest, RejoinRequest, parse
from torhaus.codecs.model import DecodeError, RejectReason

KEY = b"\x01" * 16
JS_INT = b"\x06" * 16
EUI = 0x0102030405060708
BODY = JoinAcceptBody(0x010203, 0x010203, 0x01020304, 0, 1)
CLEAR = bytes.fromhex("20030201030201040302010001")
ASKED = Asked(JOIN_REQUEST, 0x0807060504030201, 0x0201)


def reason(call: Callable[[], object]) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value.reason


def test_join_request_of_tts() -> None:
    phy = build_join_request(KEY, EUI, EUI, 0x0102)
    assert phy.hex() == "00080706050403020108070605040302010201e6e10c55"
    request = parse(phy)
    assert isinstance(request, JoinRequest)
    assert verify_request(KEY, phy, request)
    assert not verify_request(JS_INT, phy, request)


@pytest.mark.parametrize(
    ("rejoin_type", "third", "expected"),
    [
        (0, 0x010203, "c00003020108070605040302010201" + "11da47bd"),
        (1, EUI, "c001080706050403020108070605040302010201" + "67f9abe7"),
        (2, 0x010203, "c00203020108070605040302010201" + "2b459cf0"),
    ],
)
def test_rejoin_requests_of_tts(rejoin_type: int, third: int, expected: str) -> None:
    phy = build_rejoin_request(KEY, rejoin_type, third, EUI, 0x0102)
    assert phy.hex() == expected
    request = parse(phy)
    assert isinstance(request, RejoinRequest)
    assert verify_request(KEY, phy, request)


def test_join_accept_of_tts() -> None:
    phy = bytes.fromhex("20c9fbb259e11649096a568a9e3b7117c3")
    assert join_accept_mic(KEY, CLEAR).hex() == "32f54ab3"
    assert build_join_accept(KEY, BODY) == phy
    assert open_join_accept(KEY, phy) == BODY
    assert decrypt_join_accept(KEY, phy) == CLEAR + bytes.fromhex("32f54ab3")


def test_1_1_mic_of_tts() -> None:
    assert join_accept_mic(KEY, CLEAR, Asked(JOIN_REQUEST, 0x0807060504030201, 0x0201)).hex() == "48e9be5f"


def test_fields_of_dl_settings() -> None:
    body = JoinAcceptBody(1, 2, 3, 0xD3, 5)
    assert (body.opt_neg, body.rx1_dr_offset, body.rx2_data_rate) == (True, 5, 3)
    assert not BODY.opt_neg


def test_opt_neg_needs_js_int_key_and_the_question() -> None:
    body = JoinAcceptBody(3, 0x60000D, 0x260B1A2C, 0x83, 5, bytes(range(16)))
    phy = build_join_accept(KEY, body, js_int_key=JS_INT, asked=ASKED)
    assert len(phy) == 33
    assert open_join_accept(KEY, phy, js_int_key=JS_INT, asked=ASKED) == body
    assert reason(lambda: open_join_accept(KEY, phy)) is RejectReason.KEY
    assert reason(lambda: open_join_accept(KEY, phy, js_int_key=JS_INT)) is RejectReason.KEY
    assert reason(lambda: build_join_accept(KEY, body)) is RejectReason.KEY
    for wrong in (Asked(0, ASKED.join_eui, ASKED.nonce), Asked(0xFF, 1, ASKED.nonce), Asked(0xFF, ASKED.join_eui, 1)):
        assert reason(partial(open_join_accept, KEY, phy, js_int_key=JS_INT, asked=wrong)) is RejectReason.MIC
    assert reason(lambda: open_join_accept(KEY, phy, js_int_key=KEY, asked=ASKED)) is RejectReason.MIC


def test_a_wrong_key_opens_nothing() -> None:
    phy = build_join_accept(KEY, BODY)
    for wrong in range(2, 40):
        assert reason(partial(open_join_accept, bytes([wrong]) * 16, phy)) in {RejectReason.MIC, RejectReason.KEY}


def test_what_is_no_join_accept() -> None:
    request = build_join_request(KEY, 1, 2, 3)
    for call in (decrypt_join_accept, encrypt_join_accept, open_join_accept):
        assert reason(partial(call, KEY, request)) is RejectReason.SYNTAX
    assert reason(lambda: parse_join_accept(request)) is RejectReason.SYNTAX
    for size in range(40):
        if size not in {17, 33}:
            expected = RejectReason.SHORT if not size else RejectReason.SYNTAX
            assert reason(partial(parse_join_accept, (b"\x20" + bytes(40))[:size])) is expected


def test_numbers_and_keys_that_do_not_fit() -> None:
    for call in (
        lambda: build_join_request(KEY, 1 << 64, 0, 0),
        lambda: build_join_request(KEY, 0, -1, 0),
        lambda: build_join_request(KEY, 0, 0, 1 << 16),
        lambda: build_rejoin_request(KEY, 3, 0, 0, 0),
        lambda: build_rejoin_request(KEY, 0, 1 << 24, 0, 0),
        lambda: build_join_accept(KEY, JoinAcceptBody(1 << 24, 0, 0, 0, 0)),
        lambda: build_join_accept(KEY, JoinAcceptBody(0, 0, 1 << 32, 0, 0)),
        lambda: join_accept_mic(KEY, CLEAR, Asked(256, 0, 0)),
    ):
        assert reason(call) is RejectReason.RANGE
    assert reason(lambda: build_join_accept(KEY, JoinAcceptBody(0, 0, 0, 0, 0, bytes(15)))) is RejectReason.SYNTAX
    assert reason(lambda: request_mic(bytes(15), b"")) is RejectReason.KEY
    assert reason(lambda: open_join_accept(bytes(17), build_join_accept(KEY, BODY))) is RejectReason.KEY


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        JoinAcceptBody,
        st.integers(0, (1 << 24) - 1),
        st.integers(0, (1 << 24) - 1),
        st.integers(0, (1 << 32) - 1),
        st.integers(0, 255),
        st.integers(0, 15),
        st.just(b"") | st.binary(min_size=16, max_size=16),
    )
)
def test_built_and_opened_again(body: JoinAcceptBody) -> None:
    phy = build_join_accept(KEY, body, js_int_key=JS_INT, asked=ASKED)
    assert open_join_accept(KEY, phy, js_int_key=JS_INT, asked=ASKED) == body


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40))
def test_only_decode_errors_leave(phy: bytes) -> None:
    for spoiled in (phy, b"\x20" + phy):
        assert reason(partial(open_join_accept, KEY, spoiled, js_int_key=JS_INT, asked=ASKED)) in RejectReason
