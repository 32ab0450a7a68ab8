"""Stored frames as a packet forwarder would send them, and when an answer is to go out."""

from typing import Any

import pytest

from tests.daemon.gwmp_server import GATEWAY
from torhaus.codecs.framing.semtech_udp import parse_push
from torhaus.codecs.framing.semtech_udp_client import build_push_data
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Immediately, TxAnswer, TxStatus
from torhaus.codecs.model import Reception
from torhaus.daemon.config.model import parse_time
from torhaus.daemon.forward.gwmp_frames import (
    MAX_ALONE_BYTES,
    MAX_BYTES,
    Counter,
    Uplink,
    datagrams,
    item_of,
    tx_ack_of,
    uplink_of,
)
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.relay import LATE_S
from torhaus.daemon.outbox.record import Lora

AT = "2026-11-23T09:53:25.400Z"


def message(raw: bytes | None = b"\x40abc", *, clock: Any = "synced", **reception: Any) -> Message:
    lora = Lora(868_100_000, "LORA", "SF7BW125", "4/5", rx=[Reception(GATEWAY, **reception)])
    return Message("s/0/1", "frame", "s", AT, clock, False, lora=lora, raw=raw)


def uplink(age_s: float = 0.1, **values: Any) -> Uplink:
    found = uplink_of(0, message(**values), age_s)
    assert found is not None
    return found


def txpk(tmst: int | None = None, **more: Any) -> Txpk:
    return Txpk(data=b"\x60down", freq_hz=868_100_000, modulation="LORA", datarate="SF9BW125", tmst_us=tmst, **more)


def test_a_frame_of_just_now_goes_out_as_it_was_heard() -> None:
    one = uplink(tmst_us=7, rssi_dbm=-97, snr_db=7.5)
    assert (one.tmst_us, one.context, one.is_late, one.gateway) == (7, b"\0\0\0\7", False, GATEWAY)
    push = parse_push(build_push_data(b"ab", GATEWAY, [(one.phy, one.radio)]), GATEWAY)
    assert push.frames == [(b"\x40abc", one.radio)]
    assert one.radio.rx[0].time is None


def test_a_late_one_has_the_counter_of_now_and_its_own_time() -> None:
    one = uplink(60.5, tmst_us=(1 << 32) - 1_000_000)
    assert (one.tmst_us, one.is_late) == (59_500_000, True)
    assert (one.radio.rx[0].tmst_us, one.radio.rx[0].time) == (59_500_000, AT)
    assert uplink(60.5, tmst_us=7, time="2026-11-23T09:53:25.401234Z").radio.rx[0].time == "2026-11-23T09:53:25.401234Z"


def test_a_time_that_is_not_known_is_not_told() -> None:
    one = uplink(float("inf"), clock="unsynced", tmst_us=7)
    assert (one.is_late, one.tmst_us, one.radio.rx[0].time) == (True, 7, None)


def test_gateways_without_a_counter_get_one_from_the_clock() -> None:
    one = uplink(context=b"0123456789abcdef")
    at_ns = parse_time(AT)
    assert at_ns is not None
    assert (one.tmst_us, one.context) == (at_ns // 1000 % (1 << 32), b"0123456789abcdef")


@pytest.mark.parametrize("raw", [None, b"", bytes(256)])
def test_what_is_no_frame(raw: bytes | None) -> None:
    assert uplink_of(0, message(raw), 0) is None


def test_who_heard_it_must_be_known() -> None:
    one = message()
    assert one.lora is not None
    one.lora.rx = []
    assert uplink_of(0, one, 0) is None
    one.lora = None
    assert uplink_of(0, one, 0) is None


def test_datagrams_hold_at_most_eight_frames_and_fit_any_path() -> None:
    small = [uplink(tmst_us=n, raw=b"\x40a") for n in range(20)]
    found = datagrams(small, GATEWAY)
    assert [u for part in found for u in part] == small
    for uplinks in (small, [uplink(tmst_us=n, raw=bytes([64]) * 255) for n in range(7)]):
        for part in datagrams(uplinks, GATEWAY):
            assert 1 <= len(part) <= 8
            assert len(build_push_data(b"ab", GATEWAY, [(u.phy, u.radio) for u in part])) <= MAX_BYTES
    assert datagrams([], GATEWAY) == []


def test_long_meta_is_left_out() -> None:
    one = uplink(tmst_us=1, meta={str(n): "x" * 128 for n in range(32)})
    ((found,),) = datagrams([one], GATEWAY)
    assert found.radio.rx[0].meta is None
    assert len(build_push_data(b"ab", GATEWAY, [(found.phy, found.radio)])) < MAX_ALONE_BYTES
    assert datagrams([uplink(tmst_us=1, meta={"a": "b"})], GATEWAY)[0][0].radio.rx[0].meta == {"a": "b"}


def test_an_answer_finds_its_frame() -> None:
    counter = Counter()
    counter.note(uplink(tmst_us=(1 << 32) - 5, context=b"station"))
    assert counter.timing_of(txpk(1_000_000 - 5)) == After(1_000_000, b"station")
    assert counter.timing_of(txpk(15_000_000 - 5)) == After(15_000_000, b"station")
    assert counter.timing_of(txpk(17_000_000 - 5)) is None
    assert counter.timing_of(txpk(1_000_000 - 4)) is None, "not of this frame, and the counter is not the gateway's"


def test_a_gateway_with_a_counter_can_be_asked_for_any_moment() -> None:
    counter = Counter()
    assert counter.timing_of(txpk(500)) is None, "nothing is known of it yet"
    counter.note(uplink(tmst_us=7))
    assert counter.timing_of(txpk(500)) == After(1_000_000, (500 - 1_000_000).to_bytes(5, "big", signed=True)[1:])


def test_what_answers_a_late_frame_is_not_sent() -> None:
    counter = Counter()
    counter.note(uplink(tmst_us=7))
    late = uplink(LATE_S + 1, tmst_us=1_234_567)
    counter.note(late)
    assert counter.timing_of(txpk(late.tmst_us + 1_000_000)) is None
    assert counter.timing_of(txpk(late.tmst_us + 2_000_000)) is None
    assert counter.timing_of(txpk(5_000_007)) == After(5_000_000, b"\0\0\0\7")


def test_other_moments() -> None:
    counter = Counter()
    assert counter.timing_of(txpk(immediate=True)) == Immediately()
    assert counter.timing_of(txpk(gps_time_ms=1_400_000_000_123)) == AtGpsTime(1_400_000_000_123_000)


def test_only_so_many_are_remembered() -> None:
    counter = Counter(most=2)
    for n in range(3):
        counter.note(uplink(tmst_us=n, context=b"%d" % n))
    assert [counter.timing_of(txpk(1_000_000 + n)) for n in range(3)] == [
        None,
        After(1_000_000, b"1"),
        After(1_000_000, b"2"),
    ]


def test_a_txpk_becomes_an_item() -> None:
    tx = txpk(
        1,
        coderate="4/5",
        power_dbm=14,
        invert_polarization=True,
        crc=False,
        preamble=8,
        deviation_hz=1,
        antenna=2,
        board=3,
    )
    item = item_of(tx, Immediately())
    for name in ("data", "freq_hz", "modulation", "datarate", "coderate", "power_dbm", "invert_polarization", "crc"):
        assert getattr(item, name) == getattr(tx, name)
    assert (item.deviation_hz, item.antenna, item.board, item.at) == (1, 2, 3, Immediately())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (TxAnswer(TxStatus.OK), TxAck()),
        (TxAnswer(TxStatus.OK, "TX_POWER", 12), TxAck(None, "TX_POWER", 12)),
        (TxAnswer(TxStatus.TOO_EARLY), TxAck("TOO_EARLY")),
        (TxAnswer(TxStatus.NO_GATEWAY), TxAck("TOO_LATE")),
        (TxAnswer(TxStatus.NO_ANSWER), TxAck("TOO_LATE")),
        (TxAnswer(TxStatus.QUEUE_FULL), TxAck("COLLISION_PACKET")),
        (TxAnswer(TxStatus.DUTY_CYCLE_OVERFLOW), TxAck("COLLISION_PACKET")),
    ],
)
def test_what_became_of_it_in_words_that_gwmp_has(answer: TxAnswer, expected: TxAck) -> None:
    assert tx_ack_of(answer) == expected
    words = {"TOO_LATE", "TOO_EARLY", "COLLISION_PACKET", "COLLISION_BEACON", "TX_FREQ", "TX_POWER", "GPS_UNLOCKED"}
    assert all(tx_ack_of(TxAnswer(status)).error in {None, *words} for status in TxStatus)
