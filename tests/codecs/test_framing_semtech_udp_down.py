"""PULL_RESP and TX_ACK both ways, and that nothing but DecodeError comes of whatever else is sent."""

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codecs.gwmp_fakes import EUI, PHY
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_down import (
    MAX_PULL_RESP,
    MAX_TX_ACK,
    PullResp,
    TxAck,
    Txpk,
    build_pull_resp,
    build_tx_ack,
    parse_pull_resp,
    parse_tx_ack,
)
from torhaus.codecs.model import MAX_DETAIL, DecodeError, RejectReason

TOKEN = b"\x12\x34"
HEAD = b"\x02\x12\x34\x03"
ACK_HEAD = b"\x02\x12\x34\x05" + bytes.fromhex(EUI)
PLAIN: dict[str, Any] = {
    "tmst": 3_512_348_611, "freq": 868.3, "rfch": 0, "powe": 14, "modu": "LORA", "datr": "SF9BW125", "codr": "4/5",
    "ipol": True, "prea": 8, "size": len(PHY), "data": base64.b64encode(PHY).decode(), "ncrc": True,
}  # fmt: skip
small = st.none() | st.integers(0, 255)


@st.composite
def txpks(draw: st.DrawFn) -> Txpk:
    when = draw(
        st.just((True, None, None))
        | st.tuples(st.just(False), st.integers(0, (1 << 32) - 1), st.none())
        | st.tuples(st.just(False), st.none(), st.integers(0, 1 << 52))
    )
    fsk = draw(st.booleans())
    return Txpk(
        data=draw(st.binary(min_size=1, max_size=255)),
        freq_hz=draw(st.integers(100_000_000, 2_500_000_000)),
        modulation="FSK" if fsk else "LORA",
        datarate=str(draw(st.integers(300, 500_000))) if fsk else f"SF{draw(st.integers(5, 12))}BW125",
        coderate=None if fsk else "4/5",
        power_dbm=draw(st.none() | st.integers(-20, 30).map(float)),
        invert_polarization=draw(st.booleans()),
        crc=draw(st.booleans()),
        preamble=draw(st.none() | st.integers(0, 65_535)),
        deviation_hz=draw(st.none() | st.integers(0, 200_000)),
        rf_chain=draw(st.integers(0, 3)),
        board=draw(small),
        antenna=draw(small),
        immediate=when[0],
        tmst_us=when[1],
        gps_time_ms=when[2],
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(version=st.sampled_from([1, 2]), token=st.binary(min_size=2, max_size=2), tx=txpks())
def test_a_txpk_is_read_as_it_was_meant(version: int, token: bytes, tx: Txpk) -> None:
    datagram = build_pull_resp(version, token, tx)
    assert len(datagram) <= MAX_PULL_RESP
    assert parse_pull_resp(datagram) == PullResp(version, token, tx)
    assert parse_pull_resp(datagram + b"\0") == PullResp(version, token, tx)  # some end it as C does a string


def test_what_packet_forwarders_refuse_a_txpk_without() -> None:
    lora = Txpk(data=PHY, freq_hz=868_100_000, modulation="LORA", datarate="SF7BW125", coderate="4/5", immediate=True)
    body = json.loads(build_pull_resp(2, TOKEN, lora)[4:])["txpk"]
    assert {"imme": True, "freq": 868.1, "rfch": 0, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5"}.items() <= (
        body.items()
    )
    assert (body["size"], base64.b64decode(body["data"]), body["ipol"]) == (len(PHY), PHY, False)
    assert "ncrc" not in body
    assert "tmst" not in body
    fsk = Txpk(data=PHY, freq_hz=868_800_000, modulation="FSK", datarate="50000", deviation_hz=25_000, tmst_us=1 << 32)
    body = json.loads(build_pull_resp(2, TOKEN, fsk)[4:])["txpk"]
    assert (body["datr"], body["fdev"], body["tmst"]) == (50_000, 25_000, 0)
    assert "imme" not in body


def test_power_goes_out_in_whole_dbm_and_never_more_than_asked() -> None:
    for asked, sent in ((16.15, 16), (13.99, 13), (14.0, 14), (-0.5, -1)):
        tx = Txpk(data=PHY, freq_hz=868_100_000, modulation="LORA", datarate="SF7BW125", immediate=True,
                  power_dbm=asked)  # fmt: skip
        assert json.loads(build_pull_resp(2, TOKEN, tx)[4:])["txpk"]["powe"] == sent


def parsed(**changes: object) -> Txpk:
    return parse_pull_resp(HEAD + json.dumps({"txpk": PLAIN | changes}).encode()).txpk


def test_what_servers_leave_out_and_add() -> None:
    tx = parsed(tmms=5, imme=False, brd=None, unknown={"x": [1]})
    assert (tx.tmst_us, tx.gps_time_ms, tx.immediate) == (3_512_348_611, None, False)  # tmst comes before tmms
    assert (tx.invert_polarization, tx.crc, tx.preamble, tx.power_dbm) == (True, False, 8, 14.0)
    tx = parsed(imme=True, ipol=None, ncrc=None, codr=None)
    assert (tx.tmst_us, tx.immediate, tx.invert_polarization, tx.crc, tx.coderate) == (None, True, False, True, None)
    assert parsed(tmst=None, tmms=5).gps_time_ms == 5
    assert parsed(data=PLAIN["data"].rstrip("=")).data == PHY
    assert parsed(powe=13.5).power_dbm == 13.5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tmst": None}, RejectReason.SYNTAX),
        ({"tmst": -1}, RejectReason.SYNTAX),
        ({"tmst": 1 << 32}, RejectReason.SYNTAX),
        ({"freq": 1e300}, RejectReason.SYNTAX),
        ({"data": "?"}, RejectReason.SYNTAX),
        ({"data": ""}, RejectReason.RANGE),
        ({"data": "A" * 344}, RejectReason.RANGE),
        ({"data": "A" * 513}, RejectReason.SYNTAX),
        ({"datr": "SF13BW125"}, RejectReason.RANGE),
        ({"datr": 50_000}, RejectReason.RANGE),
        ({"modu": "FSK"}, RejectReason.RANGE),
        ({"modu": "LR-FHSS", "datr": "M0CW137"}, RejectReason.UNSUPPORTED),
        ({"nhdr": True}, RejectReason.UNSUPPORTED),
        ({"powe": 400}, RejectReason.SYNTAX),
        ({"rfch": -1}, RejectReason.SYNTAX),
    ],
)
def test_a_txpk_that_cannot_be_sent(changes: dict[str, object], reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refusal:
        parsed(**changes)
    assert refusal.value.reason is reason


# -- TX_ACK ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ack"),
    [
        (b"", TxAck()),
        (b"\0", TxAck()),
        (b"{}", TxAck()),
        (b'{"txpk_ack":null}', TxAck()),
        (b'{"txpk_ack":{"error":"NONE"}}', TxAck()),
        (b'{"txpk_ack":{"error":""}}', TxAck()),
        (b'{"txpk_ack":{"error":null}}\0', TxAck()),
        (b'{"txpk_ack":{"error":"TOO_LATE"}}', TxAck("TOO_LATE")),
        (b'{"txpk_ack":{"error":"TX_POWER"}}', TxAck("TX_POWER")),  # before revision 1.5: refused
        (b'{"txpk_ack":{"error":"out of \\u0007paper"}}', TxAck("out of ?paper")),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":20}}', TxAck(None, "TX_POWER", 20.0)),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":"13.5"}}', TxAck(None, "TX_POWER", 13.5)),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":"loud"}}', TxAck(None, "TX_POWER")),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":[20]}}', TxAck(None, "TX_POWER")),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":1e300}}', TxAck(None, "TX_POWER")),
        (b'{"txpk_ack":{"warn":"TX_POWER","value":"nan"}}', TxAck(None, "TX_POWER")),
        (b'{"txpk_ack":{"warn":"SOMETHING","value":20}}', TxAck(None, "SOMETHING")),
        (b'{"txpk_ack":{"error":"NONE","warn":"TX_POWER","value":true}}', TxAck(None, "TX_POWER")),
    ],
)
def test_what_gateways_say(body: bytes, ack: TxAck) -> None:
    assert gwmp.parse_header(ACK_HEAD + body).kind == gwmp.TX_ACK
    assert parse_tx_ack(ACK_HEAD + body) == ack


words = st.none() | st.sampled_from(["TOO_LATE", "COLLISION_PACKET", "?"])


@given(error=words, warning=st.none() | st.just("TX_POWER"), power=st.none() | st.integers(0, 30).map(float))
def test_an_answer_is_read_as_it_was_meant(error: str | None, warning: str | None, power: float | None) -> None:
    ack = TxAck(error, warning, power if warning else None)
    datagram = build_tx_ack(TOKEN, EUI, ack)
    assert gwmp.parse_header(datagram) == gwmp.Header(2, TOKEN, gwmp.TX_ACK, EUI)
    assert parse_tx_ack(datagram) == ack
    assert len(build_tx_ack(TOKEN, EUI, TxAck())) == 12


# -- hostile -----------------------------------------------------------------------------------------------------------


def check(refusal: DecodeError) -> None:
    assert isinstance(refusal.reason, RejectReason)
    assert len(refusal.detail) <= MAX_DETAIL


def attempt(datagram: bytes) -> None:
    for parse in (parse_pull_resp, parse_tx_ack):
        try:
            parse(datagram)
        except DecodeError as refusal:
            check(refusal)


GOOD = [
    HEAD + json.dumps({"txpk": PLAIN}).encode(),
    ACK_HEAD + b'{"txpk_ack":{"warn":"TX_POWER","value":20}}',
    ACK_HEAD + b'{"txpk_ack":{"error":"TOO_LATE"}}',
]


def test_truncated_extended_and_changed() -> None:
    random_ = random.Random(4711)
    for good in GOOD:
        for n in range(len(good)):
            attempt(good[:n])
            attempt(good[n:])
            attempt(good[:n] + bytes((good[n] ^ 1 << random_.randrange(8),)) + good[n + 1 :])
            attempt(good[:n] + bytes((random_.randrange(256),)) + good[n:])
        for _ in range(50):
            attempt(random_.randbytes(random_.randrange(40)) + good)
            attempt(good + random_.randbytes(random_.randrange(1, 40)))
        attempt(good[:12] + b"[" * 100_000)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_anything(body: bytes) -> None:
    attempt(body)
    attempt(HEAD + body)
    attempt(ACK_HEAD + body)
    attempt(HEAD + b'{"txpk":' + body + b"}")
    attempt(ACK_HEAD + b'{"txpk_ack":' + body + b"}")


def test_every_length_is_bounded() -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_pull_resp(HEAD + b" " * MAX_PULL_RESP)
    assert refusal.value.reason is RejectReason.LONG
    with pytest.raises(DecodeError) as refusal:
        parse_tx_ack(ACK_HEAD + b" " * MAX_TX_ACK)
    assert refusal.value.reason is RejectReason.LONG
    with pytest.raises(DecodeError):
        parse_tx_ack(ACK_HEAD + b'{"txpk_ack":{"error":"' + b"x" * 129 + b'"}}')
    with pytest.raises(DecodeError) as refusal:
        parse_pull_resp(b"\x02\x12\x34\x01{}")
    assert refusal.value.reason is RejectReason.UNKNOWN_TYPE
    with pytest.raises(DecodeError) as refusal:
        parse_pull_resp(b"\x02\x12")
    assert refusal.value.reason is RejectReason.SHORT
