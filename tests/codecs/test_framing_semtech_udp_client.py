"""What a gateway sends is read by the server side as it was meant, and the server's answers by the gateway side."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codecs.gwmp_fakes import EUI, PHY
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.framing.semtech_udp_client import Answer, build_pull_data, build_push_data, parse_answer
from torhaus.codecs.model import DecodeError, Radio, Reception, RejectReason

TOKEN = b"\xab\xcd"
small = st.none() | st.integers(0, 255)
level = st.none() | st.integers(-200, 50).map(float)
text = st.text(max_size=40)
LORA = st.tuples(
    st.just("LORA"), st.builds("SF{}BW{}".format, st.integers(5, 12), st.sampled_from([125, 250, 500, 812]))
)
FSK = st.tuples(st.just("FSK"), st.integers(300, 500_000).map(str))
LR_FHSS = st.tuples(st.just("LR-FHSS"), st.just("M0CW137"))


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, Radio]:
    """A frame with one antenna or several: these share all that `rsig` has no place for."""
    shared: dict[str, Any] = {
        "rf_chain": draw(small),
        "modem": draw(small),
        "board": draw(small),
        "tmst_us": draw(st.none() | st.integers(0, (1 << 32) - 1)),
        "time": draw(st.none() | st.just("2026-11-25T10:00:00.123456Z")),
        "gps_time_ms": draw(st.none() | st.integers(0, 1 << 52)),
        "fine_time_key": draw(small),
        "grid_steps": draw(small),
        "crc": draw(st.sampled_from([None, -1, 0, 1])),
        "meta": draw(st.none() | st.dictionaries(text, text, min_size=1, max_size=4)),
    }
    n = draw(st.integers(1, 3))
    rx = [
        Reception(
            EUI,
            rssi_dbm=draw(level),
            snr_db=draw(st.none() | st.integers(-80, 80).map(lambda q: q / 4)),
            signal_rssi_dbm=draw(level),
            channel=draw(small),
            antenna=draw(small),
            fine_time_ns=draw(st.none() | st.integers(0, 999_999_999)),
            frequency_offset_hz=draw(st.none() | st.integers(-50_000, 50_000)),
            encrypted_fine_time=draw(st.none() | st.just("H3P3N2i9qc4yt7rK7ldqoQ==")),
            rssi_deviation_db=draw(level),
            **shared,
        )
        for _ in range(n)
    ]
    modulation, datarate = draw(LORA | FSK | LR_FHSS)
    coderate = draw(st.none() | st.sampled_from(["4/5", "4/6", "4/8LI", "OFF"]))
    hz = draw(st.integers(100_000_000, 2_500_000_000))
    return draw(st.binary(min_size=1, max_size=255)), Radio(hz, modulation, datarate, coderate, rx)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    sent=st.lists(frames(), max_size=3),
    stat=st.none() | st.dictionaries(text, st.integers(-1000, 1 << 40) | text | st.just(7.5), max_size=5),
)
def test_what_is_built_is_read_as_it_was_meant(
    sent: list[tuple[bytes, Radio]], stat: dict[str, float | int | str] | None
) -> None:
    datagram = build_push_data(TOKEN, EUI, sent, stat)
    assert gwmp.parse_header(datagram) == gwmp.Header(2, TOKEN, gwmp.PUSH_DATA, EUI)
    push = gwmp.parse_push(datagram, EUI)
    assert push.rejects == []
    assert push.frames == sent
    assert push.stat == stat


def test_what_a_server_without_rsig_needs_is_beside_it() -> None:
    rx = [Reception(EUI, -60.4, 7.5, antenna=0, channel=2), Reception(EUI, -71, 3.0, antenna=1, channel=2)]
    body = json.loads(build_push_data(TOKEN, EUI, [(PHY, Radio(868_100_000, "LORA", "SF7BW125", "4/5", rx))])[12:])
    (rxpk,) = body["rxpk"]
    assert (rxpk["rssi"], rxpk["lsnr"], rxpk["chan"], rxpk["freq"], rxpk["size"]) == (-60, 7.5, 2, 868.1, len(PHY))
    assert rxpk["rsig"][1] == {"ant": 1, "chan": 2, "rssic": -71, "lsnr": 3.0}
    bare = json.loads(build_push_data(TOKEN, EUI, [(PHY, Radio(868_100_000, "FSK", "50000"))])[12:])
    assert set(bare["rxpk"][0]) == {"freq", "modu", "datr", "size", "data"}


def test_a_frame_that_no_datagram_holds_is_left_to_the_next() -> None:
    frame = (PHY, Radio(868_100_000, "LORA", "SF7BW125"))
    push = gwmp.parse_push(build_push_data(TOKEN, EUI, [frame] * (gwmp.MAX_RXPK + 1)), EUI)
    assert len(push.frames) == gwmp.MAX_RXPK


@pytest.mark.parametrize("version", [1, 2])
def test_the_server_acknowledges_and_the_gateway_understands(version: int) -> None:
    for datagram, kind in (
        (build_push_data(TOKEN, EUI, version=version), gwmp.PUSH_ACK),
        (build_pull_data(TOKEN, EUI, version), gwmp.PULL_ACK),
    ):
        header = gwmp.parse_header(datagram)
        assert (header.version, header.gateway) == (version, EUI)
        assert parse_answer(gwmp.ack(header)) == Answer(version, TOKEN, kind)
    assert len(build_pull_data(TOKEN, EUI)) == 12


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", RejectReason.SHORT),
        (b"\x02\xab\xcd", RejectReason.SHORT),
        (b"\x00\xab\xcd\x01", RejectReason.UNKNOWN_TYPE),
        (b"\x03\xab\xcd\x01", RejectReason.UNKNOWN_TYPE),
        (b"\x02\xab\xcd\x00", RejectReason.UNKNOWN_TYPE),  # a gateway's own
        (b"\x02\xab\xcd\x05", RejectReason.UNKNOWN_TYPE),
        (b"\x02\xab\xcd\x06", RejectReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_server_sends(datagram: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse_answer(datagram)
    assert refusal.value.reason is reason


def test_the_head_is_read_whatever_follows() -> None:
    for junk in (b"", b"\0", b"{}", bytes(70_000)):
        assert parse_answer(b"\x02\xab\xcd\x03" + junk) == Answer(2, TOKEN, gwmp.PULL_RESP)
