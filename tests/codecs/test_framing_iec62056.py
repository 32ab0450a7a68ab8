"""Read-outs and P1 telegrams in a stream, and the messages of a conversation."""

import random
import tomllib
from pathlib import Path

import pytest

from tests.chunking import assert_any_chunking, run, splits, telegrams
from torhaus.codecs.framing.crc import crc16_arc
from torhaus.codecs.framing.iec62056 import (
    MAX_LINE,
    MAX_READOUT,
    ReadoutFramer,
    acknowledge,
    bcc,
    block,
    check_p1,
    identification,
    rate_letter,
    sign_on,
)
from torhaus.codecs.model import DecodeError, Reject, RejectReason

METER = Path(__file__).parents[2] / "codecs" / "meter"


def vectors(name: str) -> list[bytes]:
    found = tomllib.loads((METER / f"{name}.vectors.toml").read_text("utf-8"))["vector"]
    return [bytes.fromhex(v["hex"]) for v in found if "expect" in v]


P1 = vectors("dsmr")
PUSHED = [v for v in vectors("iec62056") if v.startswith(b"/ESY")]
HEADS = [v[: v.index(b"!\r\n") + 3] for v in PUSHED]


def p1(n: int) -> bytes:
    text = b"/TOR5P%d\r\n\r\n1-0:1.8.0(%03d*kWh)\r\n!" % (n, n)
    return text + b"%04X\r\n" % crc16_arc(text)


def has_crc() -> ReadoutFramer:
    return ReadoutFramer(has_crc=True)


def test_p1_telegrams_any_way() -> None:
    for framer in (ReadoutFramer, has_crc):
        out = assert_any_chunking(framer, b"".join(P1[:3]) + p1(1))
        assert telegrams(out) == [*P1[:3], p1(1)]


def test_pushed_readouts_and_what_easymeter_says_behind_them() -> None:
    out = assert_any_chunking(ReadoutFramer, PUSHED[0] + PUSHED[1] + PUSHED[0])
    assert out == [HEADS[0], HEADS[1], HEADS[0]], "the two lines behind each are dropped, not refused"


def test_a_long_stretch_behind_a_telegram_is_refused() -> None:
    junk = b"x" * (MAX_LINE + 1)
    out = assert_any_chunking(ReadoutFramer, p1(1) + junk + p1(2), junk=())
    assert [o if isinstance(o, bytes) else o.data for o in out] == [p1(1), junk, p1(2)]


@pytest.mark.parametrize("n", [1, 8, 20, len(p1(1)) - 3])
def test_cut_off_by_the_next(n: int) -> None:
    out = assert_any_chunking(has_crc, p1(1)[:n] + b"\n" + p1(2), junk=())
    assert telegrams(out)[-1] == p1(2) or n == 1
    assert any(isinstance(o, Reject) for o in out)


def test_changed_anywhere_is_refused_and_the_next_is_good() -> None:
    good, rng = p1(1), random.Random(5)
    for at in range(len(good)):
        changed = good[:at] + bytes((good[at] ^ 1 << rng.randint(0, 6),)) + good[at + 1 :]
        if changed[-6:].upper() == good[-6:].upper() and changed[:-6] == good[:-6]:
            continue  # a hex digit in lower case
        out = run(has_crc, [changed + b"\r\n" + p1(2) + p1(3)])
        assert good not in telegrams(out)
        assert telegrams(out)[-1] == p1(3)


def test_reasons() -> None:
    wrong = p1(1).replace(b"001*", b"002*")
    (reject,) = run(has_crc, [wrong])
    assert isinstance(reject, Reject)
    assert reject.reason is RejectReason.CRC
    (reject,) = run(has_crc, [b"/TOR5X\r\n\r\n1-0:1.8.0(1*kWh)\r\n!\r\n"])
    assert isinstance(reject, Reject)
    assert reject.reason is RejectReason.SYNTAX
    (reject,) = run(has_crc, [p1(1)[:30]])
    assert isinstance(reject, Reject)
    assert reject.reason is RejectReason.SHORT


def test_no_end_is_bounded_and_a_good_one_behind_is_found() -> None:
    stream = b"/TOR5X\r\n" + b"1" * (2 * MAX_READOUT) + b"\r\n" + p1(2)
    whole = run(ReadoutFramer, [stream])
    assert next(r.reason for r in whole if isinstance(r, Reject)) is RejectReason.LONG
    assert telegrams(whole) == [p1(2)]
    for pieces in splits(stream, 3, 5):
        assert run(ReadoutFramer, pieces) == whole


def test_fuzz_of_the_framer() -> None:
    rng = random.Random(9)
    for _ in range(300):
        parts = [
            rng.choice([p1(1), p1(2)[: rng.randint(0, 40)], b"/", b"\n/", b"!\r\n", rng.randbytes(9)]) for _ in range(8)
        ]
        stream = b"".join(parts)
        whole = run(ReadoutFramer, [stream])
        assert run(ReadoutFramer, [stream[i : i + 1] for i in range(len(stream))]) == whole


def test_identification_lines() -> None:
    who = identification(b"/Els6\\2EK280\r\n")  # pwitab/iec62056-21, BSD-3-Clause
    assert (who.maker, who.rate, who.mode, who.text, who.protocol, who.baud) == ("Els", "6", "2", "EK280", "C", 19_200)
    assert identification(b"/LGZ4ZMF100AC.M26\r\n").baud == 4800
    assert identification(b"/TORCX\r\n").protocol == "B"
    assert identification(b"/TORCX\r\n").baud == 2400
    assert (identification(b"/TOR X\r\n").protocol, identification(b"/TOR X\r\n").baud) == ("A", 300)
    for wrong in (b"", b"/?!\r\n", b"/TOR5X", b"TOR5X\r\n", b"/12\r\n", b"/TOR5" + b"x" * 200 + b"\r\n"):
        with pytest.raises(DecodeError):
            identification(wrong)


def test_what_is_said_to_a_meter() -> None:
    assert sign_on() == b"/?!\r\n"
    assert sign_on("45678903") == b"/?45678903!\r\n"
    assert acknowledge("5") == b"\x06050\r\n"
    assert [rate_letter(n) for n in (300, 9600, 19_200, 5000, 1)] == ["0", "5", "6", "4", "0"]
    with pytest.raises(ValueError, match="at most 32"):
        sign_on("1!\r\n")


def test_block_check() -> None:
    assert bcc(b"P0\x02()\x03") == 0x60  # IEC 62056-21: SOH is not part of it
    good = b"\x021.8.0(1*kWh)\r\n!\r\n\x03"
    good += bytes((bcc(good[1:]),))
    for n in range(len(good)):
        assert block(good[:n]) is None
    assert block(good + b"more") == good
    with pytest.raises(DecodeError) as caught:
        block(good.replace(b"1*", b"2*"))
    assert caught.value.reason is RejectReason.CRC
    with pytest.raises(DecodeError):
        block(b"\x02" + b"1" * MAX_READOUT)


def test_crc_of_p1() -> None:
    for telegram in P1:
        check_p1(telegram)
    with pytest.raises(DecodeError):
        check_p1(P1[0].replace(b"000010.181", b"000010.182"))
