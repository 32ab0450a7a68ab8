"""Lines and frames of a fixed length, however the stream is cut up."""

import random
from functools import partial

import pytest

from tests.chunking import assert_any_chunking, run, splits, telegrams
from torhaus.codecs.framing.lines import FixedFramer, LineFramer
from torhaus.codecs.model import Reject, RejectReason

LINES = partial(LineFramer, b"\n", 20)
FIXED = partial(FixedFramer, b"\xaa\x55", 6)


def test_lines() -> None:
    out = assert_any_chunking(LINES, b"one\r\n\r\n two\nthree\n", junk=())
    assert out == [b"one", b" two", b"three"]


@pytest.mark.parametrize("end", [b"\r\n", b"\x03", b"\r"])
def test_other_terminators(end: bytes) -> None:
    make = partial(LineFramer, end, 20)
    assert assert_any_chunking(make, b"one" + end + b"two" + end, junk=()) == [b"one", b"two"]


def test_a_long_line_is_refused_to_its_end() -> None:
    out = assert_any_chunking(LINES, b"good\n" + b"x" * 50 + b"\ngood\n", junk=())
    assert telegrams(out) == [b"good", b"good"]
    assert [len(r.data) for r in out if isinstance(r, Reject)] == [20, 20, 10]
    assert {r.reason for r in out if isinstance(r, Reject)} == {RejectReason.LONG}
    exactly = assert_any_chunking(LINES, b"x" * 20 + b"\n" + b"y" * 21 + b"\n", junk=())
    assert telegrams(exactly) == [b"x" * 20]


def test_a_line_that_is_cut_off() -> None:
    assert run(LINES, [b"one\ntw"])[1:] == [Reject(b"tw", RejectReason.SHORT, "the link was lost inside a line")]


def test_fixed() -> None:
    one, two = b"\xaa\x551234", b"\xaa\x55\xaa\x5512"
    out = assert_any_chunking(FIXED, one + two + b"xx" + one + b"\xaa\x5512", junk=())
    assert telegrams(out) == [one, two, one]
    assert [r.data for r in out if isinstance(r, Reject)] == [b"xx", b"\xaa\x5512"]


def test_endless_babble_is_bounded() -> None:
    framer, kept = FIXED(), 0
    for _ in range(30):
        framer.feed(b"x" * 1000)
        kept = max(kept, len(framer._buf))
    assert kept <= 2 * 4096


@pytest.mark.parametrize("make", [LINES, FIXED])
def test_fuzz(make: "partial[LineFramer]") -> None:
    rng = random.Random(8)
    for n in range(200):
        stream = bytes(rng.choices(b"ab\r\n\xaa\x55", k=rng.randint(0, 120)))
        whole = run(make, [stream])
        for pieces in [*splits(stream, n, 4), [stream[i : i + 1] for i in range(len(stream))]]:
            assert run(make, pieces) == whole


def test_what_cannot_be() -> None:
    for wrong in ((b"", 10), (b"\n", 0), (b"\n", 5000)):
        with pytest.raises(ValueError, match="a line has"):
            LineFramer(*wrong)
    for fixed in ((b"", 4), (b"abc", 2), (b"a", 5000)):
        with pytest.raises(ValueError, match="a frame has"):
            FixedFramer(*fixed)
