"""NMEA sentences: gathered by the second, checked, and turned into position and time."""

import random

import pytest

from tests.chunking import assert_any_chunking, run, telegrams
from torhaus.codecs.model import DecodeError, Reject, RejectReason
from torhaus.codecs.text.nmea import NmeaFramer, checksum, decode, sentence


def said(text: str) -> bytes:
    return f"${text}*{checksum(text.encode()):02X}".encode()


def gga(second: int) -> bytes:
    return said(f"GPGGA,0945{second:02d}.00,5146.1234,N,00834.5678,E,1,09,0.9,98.4,M,46.9,M,,")


def rmc(second: int) -> bytes:
    return said(f"GPRMC,0945{second:02d}.00,A,5146.1234,N,00834.5678,E,0.5,231.1,261126,,,A")


def test_one_frame_a_second() -> None:
    other = said("GPGSV,3,1,11,10,63,137,17")
    lines = [line for n in range(3) for line in (gga(n), other, rmc(n))]
    out = assert_any_chunking(NmeaFramer, b"\r\n".join(lines) + b"\r\n", junk=(b"noise\r\n",))
    assert telegrams(out) == [gga(n) + b"\r\n" + rmc(n) + b"\r\n" for n in range(2)]
    assert [r.reason for r in out if isinstance(r, Reject)] == [RejectReason.SHORT] * 2


def test_what_is_refused() -> None:
    wrong = gga(1)[:-1] + b"G"
    flipped = gga(1).replace(b"5146", b"5147")
    out = run(
        NmeaFramer,
        [wrong + b"\n" + flipped + b"\n" + b"hello\n" + b"$" * 200 + b"\n" + gga(2) + b"\n" + gga(3) + b"\n"],
    )
    assert telegrams(out) == [gga(2) + b"\r\n"]
    reasons = [r.reason for r in out if isinstance(r, Reject)]
    assert reasons[:2] == [RejectReason.CRC, RejectReason.SYNTAX]
    assert RejectReason.LONG in reasons


def test_the_same_kind_twice_begins_a_new_frame() -> None:
    out = run(NmeaFramer, [gga(1) + b"\n" + gga(1) + b"\n"])
    assert telegrams(out) == [gga(1) + b"\r\n"]


@pytest.mark.parametrize(
    "text",
    [
        "GPRMC,250000,A,5146.1,N,00834.5,E,0,0,261126,,,A",
        "GPRMC,094500,A,5146.1,N,00834.5,E,0,0,320126,,,A",
        "GPRMC,094500,A,5160.1,N,00834.5,E,0,0,260126,,,A",
        "GPRMC,094500,A,5146.1,N,18100.5,E,0,0,260126,,,A",
        "GPRMC,094500,A,5146.1,X,00834.5,E,0,0,260126,,,A",
        "GPRMC,094500,A,5146.1,N,00834.5,,0,0,260126,,,A",
    ],
)
def test_out_of_range(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(said(text))
    assert caught.value.reason is RejectReason.RANGE


def test_a_leap_second_and_a_sentence_with_little_in_it() -> None:
    assert decode(said("GPZDA,235960.00,31,12,2016,00,00"))["time"].value == "2016-12-31T23:59:59Z"
    assert {k: v.value for k, v in decode(said("GPRMC,,V,,,,,,,,,,N")).items()} == {"fix": False}
    with pytest.raises(DecodeError):
        decode(said("GPGGA,,,,,,,,,,,,,,"))


def test_fuzz() -> None:
    rng = random.Random(6)
    for _ in range(2000):
        body = "".join(rng.choices("0123456789.,NSEWAVM-", k=rng.randint(0, 60)))
        try:
            decode(said(f"GP{rng.choice(['GGA', 'RMC', 'ZDA'])},{body}"))
        except DecodeError as refusal:
            assert refusal.reason in {RejectReason.RANGE, RejectReason.SYNTAX}  # noqa: PT017
    with pytest.raises(DecodeError):
        sentence(b"$GPGGA,\xff*00")
