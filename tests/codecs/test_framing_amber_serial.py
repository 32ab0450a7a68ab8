"""Messages of the AMB8465: whole, cut up, behind junk, damaged; with and without RSSI."""

import pytest

from tests.chunking import assert_any_chunking, telegrams
from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.framing.amber_serial import (
    CONFIRM,
    GET,
    RSSI,
    SET_MODE,
    TELEGRAM,
    AmberFramer,
    Message,
    build,
    heard,
    unwrap,
)
from torhaus.codecs.model import DecodeError, RejectReason

TELE = Meter().plain()


def test_a_request_as_the_manual_has_it() -> None:
    assert build(GET, b"\0\x80") == bytes.fromhex("ff0a02008077")


@pytest.mark.parametrize(("raw", "dbm"), [(0x60, -26.0), (0xE0, -90.0), (0x00, -74.0)])
def test_a_telegram_with_its_strength(raw: int, dbm: float) -> None:
    found = heard(unwrap(build(TELEGRAM, TELE[1:] + bytes((raw,)))), has_rssi=True, mode="S1")
    assert found is not None
    assert (found.telegram, found.rssi_dbm, found.mode) == (TELE, dbm, "S1")


def test_a_telegram_without_it_and_what_is_none() -> None:
    found = heard(unwrap(build(TELEGRAM, TELE[1:])), has_rssi=False)
    assert found is not None
    assert (found.telegram, found.rssi_dbm) == (TELE, None)
    assert heard(Message(SET_MODE | CONFIRM, b"\0"), has_rssi=True) is None
    with pytest.raises(DecodeError, match="no telegram"):
        heard(Message(TELEGRAM, b""), has_rssi=True)


def test_any_chunking() -> None:
    confirmed = build(GET | CONFIRM, bytes((RSSI, 1, 1)))
    first, second = build(TELEGRAM, TELE[1:]), build(TELEGRAM, Meter("87654321").mode_5()[1:])
    whole = assert_any_chunking(AmberFramer, first + confirmed + second, junk=(b"\0\1\2", b"junk", b"\xff\xff\xff"))
    assert telegrams(whole) == [first, confirmed, second]


def test_half_a_message_costs_only_itself() -> None:
    good = build(TELEGRAM, TELE[1:])
    framer = AmberFramer()
    other = build(TELEGRAM, Meter("87654321").mode_5()[1:])
    out = [*framer.feed(other[:15] + good + good), *framer.flush()]
    assert telegrams(out) == [good, good]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\x03", RejectReason.SHORT),
        (b"\x03\x03\0\0", RejectReason.SYNTAX),
        (b"\xff\x04\0\xfb", RejectReason.SYNTAX),
        (b"\xff\x03\0\0", RejectReason.CRC),
        (build(TELEGRAM) + b"\0", RejectReason.LONG),
    ],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        unwrap(data)
    assert caught.value.reason is reason
