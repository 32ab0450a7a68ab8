"""Messages of the iM871A: whole, cut up, behind junk, damaged; with and without what may be attached."""

import random

import pytest

from tests.chunking import assert_any_chunking, telegrams
from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.framing.crc import crc16_x25
from torhaus.codecs.framing.imst_hci import (
    CONFIG_SET,
    DEVICE,
    RADIO,
    TELEGRAM,
    ImstFramer,
    Message,
    build,
    heard,
    set_mode,
    unwrap,
)
from torhaus.codecs.model import DecodeError, RejectReason

TELE = Meter().plain()


def told(payload: bytes, rssi: int | None = 150, *, time: bool = False, crc: bool = True) -> bytes:
    """A telegram as the module reports it."""
    flags = (0x20 if time else 0) | (0x40 if rssi is not None else 0) | (0x80 if crc else 0)
    body = bytes((flags | RADIO, TELEGRAM, len(payload))) + payload + (bytes(4) if time else b"")
    body += bytes((rssi,)) if rssi is not None else b""
    return b"\xa5" + body + (crc16_x25(body).to_bytes(2, "little") if crc else b"")


def test_a_request_as_the_module_knows_it() -> None:
    assert build(DEVICE, 0x0F) == bytes.fromhex("a5810f003413")  # asks for device information
    assert set_mode("T1")[:10] == bytes.fromhex("a5810306000203300100")


@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("rssi", [None, 0, 150])
@pytest.mark.parametrize("crc", [False, True])
def test_what_may_be_attached(time: bool, rssi: int | None, crc: bool) -> None:
    message = unwrap(told(TELE[1:], rssi, time=time, crc=crc))
    found = heard(message, "T1")
    assert found is not None
    assert (found.telegram, found.mode) == (TELE, "T1")
    assert found.rssi_dbm == {None: None, 0: -126.7, 150: -46.7}[rssi]


def test_others_are_no_telegrams_and_too_short_ones_are_refused() -> None:
    assert heard(Message(DEVICE, CONFIG_SET, b"\0")) is None
    with pytest.raises(DecodeError, match="no telegram"):
        heard(Message(RADIO, TELEGRAM, b"\x44\0\0"))


def test_any_chunking() -> None:
    first, second = told(TELE[1:]), told(Meter("87654321").mode_5()[1:], time=True)
    answer = build(DEVICE, CONFIG_SET, b"\0")
    whole = assert_any_chunking(ImstFramer, first + answer + second)
    assert telegrams(whole) == [first, answer, second]


def test_false_starts_and_half_messages() -> None:
    good = told(TELE[1:])
    framer = ImstFramer()
    assert framer.feed(b"\xa5\x82\x03\xf0" + good[:20]) == []
    out = [*framer.feed(good), *framer.flush()]
    assert telegrams(out) == [good]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xa5\x82\x03", RejectReason.SHORT),
        (b"\x00\x82\x03\x00", RejectReason.SYNTAX),
        (b"\xa5\x92\x03\x00", RejectReason.SYNTAX),
        (b"\xa5\x82\x09\x00", RejectReason.SYNTAX),
        (build(DEVICE, 1)[:-1] + b"\0", RejectReason.CRC),
        (build(DEVICE, 1) + b"\0", RejectReason.LONG),
    ],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        unwrap(data)
    assert caught.value.reason is reason


def test_noise_gives_no_telegram() -> None:
    rand = random.Random(871)
    framer = ImstFramer()
    for _ in range(200):
        for piece in framer.feed(rand.choice((b"\xa5\x82\x03", b"")) + rand.randbytes(40)):
            assert not isinstance(piece, bytes) or unwrap(piece)
    framer.flush()
