from collections.abc import Callable
from contextlib import suppress
from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.fcnt import Kind
from torhaus.codecs.lorawan.keys import derive_1_1
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.codecs.lorawan.session import Opened, Session
from torhaus.codecs.model import DecodeError, RejectReason

V1_0 = SessionKeys.v1_0(b"\x01" * 16, b"\x02" * 16)
V1_1 = SessionKeys(derive_1_1(b"\x01" * 16, b"\x02" * 16, 3, 4, 5))
ADDR = 0x260B1A2C
CHANNELS = tuple(range(16))


def data(phy: bytes) -> DataFrame:
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    return frame


def open_(session: Session, fcnt: int, payload: bytes = b"x") -> Opened:
    phy = build_uplink(session.keys, ADDR, fcnt, 5, payload)
    return session.open_uplink(phy, data(phy))


def reason(call: Callable[[], object]) -> RejectReason:
    with pytest.raises(DecodeError) as caught:
        call()
    return caught.value.reason


def test_first_next_and_again() -> None:
    session = Session(V1_0, ADDR)
    first = open_(session, 3, b"first")
    assert first == Opened(3, Kind.NEXT, b"first", b"", 32)
    assert open_(session, 3) == Opened(3, Kind.NEXT, b"x", b"", 32)  # opening changed nothing
    session.accept(first)
    assert session.fcnt_up == 3
    again = open_(session, 3, b"first")
    assert (again.fcnt, again.kind) == (3, Kind.RETRANSMISSION)
    session.accept(again)
    assert open_(session, 9).kind is Kind.NEXT


def test_roll_over() -> None:
    session = Session(V1_0, ADDR, 0xFFFE)
    for fcnt in (0xFFFF, 0x10000, 0x10001):
        opened = open_(session, fcnt)
        assert (opened.fcnt, opened.kind) == (fcnt, Kind.NEXT)
        session.accept(opened)


def test_used_counters_are_replays() -> None:
    session = Session(V1_0, ADDR, 0x20005)
    assert reason(lambda: open_(session, 0x20004)) is RejectReason.REPLAY
    assert reason(lambda: open_(session, 0x10006)) is RejectReason.REPLAY
    assert reason(lambda: open_(session, 4)) is RejectReason.REPLAY
    assert reason(lambda: open_(session, 0x10004)) is RejectReason.MIC  # further back than is tried
    assert session.fcnt_up == 0x20005


def test_reset_only_where_allowed() -> None:
    session = Session(V1_0, ADDR, 5000)
    assert reason(lambda: open_(session, 0)) is RejectReason.REPLAY
    session.allow_reset = True
    opened = open_(session, 0)
    assert (opened.fcnt, opened.kind) == (0, Kind.RESET)
    session.accept(opened)
    assert open_(session, 1).kind is Kind.NEXT
    assert reason(lambda: open_(Session(V1_0, ADDR, 0x20005, allow_reset=True), 0x20004)) is RejectReason.REPLAY


def test_1_1_counters_never_restart() -> None:
    session = Session(V1_1, ADDR, 5000, allow_reset=True)
    phy = build_uplink(V1_1, ADDR, 0, 5, tx_dr=5)
    assert reason(lambda: session.open_uplink(phy, data(phy), tx_dr=5, tx_chs=(0,))) is RejectReason.REPLAY


def test_a_used_up_session() -> None:
    session = Session(V1_0, ADDR, (1 << 32) - 1)
    assert open_(session, (1 << 32) - 1).kind is Kind.RETRANSMISSION
    assert reason(lambda: open_(session, 0)) is RejectReason.REPLAY


def test_wrong_keys_address_and_direction() -> None:
    phy = build_uplink(V1_0, ADDR, 1, 5, b"x")
    other = SessionKeys.v1_0(b"\x03" * 16, b"\x02" * 16)
    assert reason(lambda: Session(other, ADDR).open_uplink(phy, data(phy))) is RejectReason.MIC
    assert reason(lambda: Session(V1_0, ADDR + 1).open_uplink(phy, data(phy))) is RejectReason.UNKNOWN_DEVICE
    down = build_downlink(V1_0, ADDR, 1, 5, b"x")
    assert reason(lambda: Session(V1_0, ADDR).open_uplink(down, data(down))) is RejectReason.UNSUPPORTED


def test_mac_commands() -> None:
    phy = build_uplink(V1_0, ADDR, 1, 0, b"\x02\x03")
    assert Session(V1_0, ADDR).open_uplink(phy, data(phy)).payload == b"\x02\x03"
    phy = build_uplink(V1_1, ADDR, 1, None, fopts=b"\x02", tx_dr=5, tx_ch=1)
    opened = Session(V1_1, ADDR).open_uplink(phy, data(phy), tx_dr=5, tx_chs=(1,))
    assert opened == Opened(1, Kind.NEXT, b"", b"\x02", 32)


def test_1_1_with_channels_to_try() -> None:
    phy = build_uplink(V1_1, ADDR, 70_000, 5, b"x", tx_dr=5, tx_ch=7)
    session = Session(V1_1, ADDR, 69_990)
    frame = data(phy)
    assert session.open_uplink(phy, frame, tx_dr=5, tx_chs=(7,)).mic_bits == 32
    assert session.open_uplink(phy, frame, tx_dr=5, tx_chs=CHANNELS).mic_bits == 28
    assert session.open_uplink(phy, frame, tx_dr=5, tx_chs=(6, 7, 8)).mic_bits == 30
    assert reason(lambda: session.open_uplink(phy, frame, tx_dr=5, tx_chs=(6,))) is RejectReason.MIC
    assert reason(lambda: session.open_uplink(phy, frame, tx_dr=4, tx_chs=CHANNELS)) is RejectReason.MIC


def test_1_1_by_half_only_where_allowed() -> None:
    phy = build_uplink(V1_1, ADDR, 1, 5, b"x", tx_dr=5, tx_ch=7)
    frame = data(phy)
    session = Session(V1_1, ADDR)
    assert reason(lambda: session.open_uplink(phy, frame)) is RejectReason.UNSUPPORTED
    assert reason(lambda: session.open_uplink(phy, frame, tx_dr=5)) is RejectReason.UNSUPPORTED
    session.allow_half_mic = True
    assert session.open_uplink(phy, frame) == Opened(1, Kind.NEXT, b"x", b"", 16)
    assert session.open_uplink(phy, frame, tx_chs=(7,)).mic_bits == 16
    # what is known is used: a wrong channel is not forgiven because halves are allowed
    assert reason(lambda: session.open_uplink(phy, frame, tx_dr=5, tx_chs=(6,))) is RejectReason.MIC
    spoiled = phy[:-1] + bytes([phy[-1] ^ 1])
    assert reason(lambda: session.open_uplink(spoiled, data(spoiled))) is RejectReason.MIC


def test_acknowledged_downlink_counter() -> None:
    phy = build_uplink(V1_1, ADDR, 1, 5, b"x", ack=True, conf_fcnt=12, tx_dr=5, tx_ch=0)
    session = Session(V1_1, ADDR)
    assert session.open_uplink(phy, data(phy), tx_dr=5, tx_chs=(0,), conf_fcnt=12).mic_bits == 32
    assert reason(lambda: session.open_uplink(phy, data(phy), tx_dr=5, tx_chs=(0,))) is RejectReason.MIC


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 0xFFFF), min_size=1, max_size=12), st.integers(0, 0x30000))
def test_any_gaps_are_followed(gaps: list[int], start: int) -> None:
    session = Session(V1_0, ADDR, start)
    fcnt = start
    for gap in gaps:
        fcnt += gap
        opened = open_(session, fcnt, b"payload")
        assert (opened.fcnt, opened.kind, opened.payload) == (fcnt, Kind.NEXT, b"payload")
        session.accept(opened)
        assert reason(partial(open_, session, fcnt - 1)) is RejectReason.REPLAY if gap > 1 else True


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.none() | st.integers(0, (1 << 32) - 1), st.sampled_from((V1_0, V1_1)))
def test_nothing_but_decode_errors_and_no_change(tail: bytes, last: int | None, keys: SessionKeys) -> None:
    session = Session(keys, ADDR, last, allow_reset=True)
    before = msgspec.structs.astuple(session)
    phy = b"\x40" + ADDR.to_bytes(4, "little") + tail
    with suppress(DecodeError):
        session.open_uplink(phy, data(phy), tx_dr=0, tx_chs=(0,))
    assert msgspec.structs.astuple(session) == before
