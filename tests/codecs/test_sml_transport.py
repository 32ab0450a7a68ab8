import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chunking import assert_any_chunking, run, splits, telegrams
from torhaus.codecs.framing.crc import crc16_kermit, crc16_x25
from torhaus.codecs.framing.sml_transport import ESCAPE, MAX_FRAME, START, SmlFramer, unwrap, wrap
from torhaus.codecs.model import DecodeError, Reject, RejectReason

VECTORS = Path(os.environ.get("TORHAUS_VECTORS", str(Path(__file__).parents[3] / "shared" / "vectors"))) / "sml"

FILES = (
    b"\x76" * 21 + b"\x00",
    b"A" * 40,
    b"\x01" * 3 + ESCAPE + b"B" + ESCAPE + ESCAPE + b"\x00",
    b"\x1b" * 5 + b"\x00",
)
TELEGRAMS = [wrap(file) for file in FILES]
STREAM = b"".join(TELEGRAMS)
# pieces of which hostile streams are made
ENDS = [b"\x1a\x00\x00\x00", b"\x1a\x01\x1b\x1b", b"\x02\x02\x02\x02", b"\x01\x01"]
SHARDS = st.sampled_from([START, ESCAPE, b"\x1b", *ENDS, *TELEGRAMS, TELEGRAMS[0][:-3]])


def rejects(out: list[bytes | Reject]) -> list[Reject]:
    return [item for item in out if isinstance(item, Reject)]


def test_telegrams_come_back_whole_and_unwrap_gives_the_file() -> None:
    out = assert_any_chunking(SmlFramer, STREAM)
    assert out == TELEGRAMS
    assert [unwrap(telegram) for telegram in TELEGRAMS] == list(FILES)


def test_the_example_layout_of_the_document() -> None:
    telegram = wrap(b"\x76\x00")
    assert telegram.hex() == "1b1b1b1b01010101" + "7600" + "0000" + "1b1b1b1b1a02" + telegram[-2:].hex()
    assert len(telegram) % 4 == 0


def test_kermit_checksum_is_taken_too() -> None:
    telegram = wrap(b"\x76\x00", crc16_kermit)
    assert telegram != wrap(b"\x76\x00")
    assert assert_any_chunking(SmlFramer, telegram) == [telegram]
    assert unwrap(telegram) == b"\x76\x00"


def test_escape_in_the_body_is_doubled() -> None:
    telegram = wrap(ESCAPE + b"\x1a\x00")
    assert ESCAPE + ESCAPE in telegram
    assert unwrap(telegram) == ESCAPE + b"\x1a\x00"


def test_bad_checksum_in_mid_stream_costs_one_telegram() -> None:
    bad = bytearray(TELEGRAMS[1])
    bad[12] ^= 0x40
    out = assert_any_chunking(SmlFramer, TELEGRAMS[0] + bytes(bad) + TELEGRAMS[2])
    assert telegrams(out) == [TELEGRAMS[0], TELEGRAMS[2]]
    assert [(r.data, r.reason) for r in rejects(out)] == [(bytes(bad), RejectReason.CRC)]


@pytest.mark.parametrize("lost", range(1, 16))
def test_bytes_lost_at_the_end_do_not_cost_the_next_telegram(lost: int) -> None:
    cut = TELEGRAMS[1][:-lost]
    out = assert_any_chunking(SmlFramer, cut + TELEGRAMS[0])
    assert telegrams(out) == [TELEGRAMS[0]]
    assert [r.data for r in rejects(out)] == [cut]


@pytest.mark.parametrize("lost", range(1, 9))
def test_bytes_lost_at_the_start_make_junk_of_it(lost: int) -> None:
    out = assert_any_chunking(SmlFramer, TELEGRAMS[0][lost:] + TELEGRAMS[1])
    assert telegrams(out) == [TELEGRAMS[1]]
    assert [(r.data, r.reason) for r in rejects(out)] == [(TELEGRAMS[0][lost:], RejectReason.SYNTAX)]


def test_junk_that_ends_like_a_start() -> None:
    out = assert_any_chunking(SmlFramer, b"\x1b\x1b" + TELEGRAMS[0] + b"\x1b" + TELEGRAMS[1])
    assert telegrams(out) == TELEGRAMS[:2]


def test_unknown_escape_sequence_and_too_much_filling() -> None:
    version2 = START.replace(b"\x01", b"\x02") + TELEGRAMS[0][8:]
    assert telegrams(run(SmlFramer, [version2])) == []
    inside = START + b"abcd" + ESCAPE + b"\x02\x02\x02\x02"
    assert [r.reason for r in rejects(run(SmlFramer, [inside + TELEGRAMS[0]]))] == [RejectReason.SYNTAX]
    filled = TELEGRAMS[0][:-3] + b"\x04" + TELEGRAMS[0][-2:]
    out = run(SmlFramer, [filled + TELEGRAMS[1]])
    assert [r.reason for r in rejects(out)] == [RejectReason.SYNTAX]
    assert telegrams(out) == [TELEGRAMS[1]]


def test_a_telegram_without_end_is_refused_at_the_limit() -> None:
    endless = START + bytes(MAX_FRAME + 100)
    out = run(SmlFramer, [endless + TELEGRAMS[0]])
    assert telegrams(out) == [TELEGRAMS[0]]
    assert [(len(r.data), r.reason) for r in rejects(out)] == [
        (MAX_FRAME, RejectReason.LONG),
        (108, RejectReason.SYNTAX),
    ]


@pytest.mark.parametrize("size", [MAX_FRAME - 24, MAX_FRAME - 16, MAX_FRAME - 12])
def test_the_longest_telegram(size: int) -> None:
    telegram = wrap(b"x" * size)
    out = run(SmlFramer, [telegram + TELEGRAMS[0]])
    assert telegrams(out)[-1] == TELEGRAMS[0]
    assert (telegrams(out)[0] == telegram) is (len(telegram) <= MAX_FRAME)


def test_the_buffer_is_bounded() -> None:
    framer = SmlFramer()
    assert b"".join(r.data for r in rejects(framer.feed(b"x" * 1_000_000))) == b"x" * (
        1_000_000 // MAX_FRAME * MAX_FRAME
    )
    assert len(framer.reset()[0].data) < MAX_FRAME + 8
    framer.feed(START)
    for _ in range(100):
        framer.feed(b"x" * 1000)
        assert len(framer._buf) <= 2 * MAX_FRAME + 8


def test_hidden_starts_do_not_cost_quadratic_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # each 1b1b1b1b before a start makes an escaped escape of the start's own first half
    hidden = START + (ESCAPE + START) * 1300 + ESCAPE + b"\x1a\x00\x00\x00"
    steps = 0
    step = SmlFramer._telegram

    def counted(self: SmlFramer, out: list[bytes | Reject]) -> bool:
        nonlocal steps
        steps += 1
        return step(self, out)

    monkeypatch.setattr(SmlFramer, "_telegram", counted)
    out = run(SmlFramer, [hidden * 4 + TELEGRAMS[0]])
    assert telegrams(out) == [TELEGRAMS[0]]
    assert steps < 4 * 2 * 1310


def test_reset_gives_back_what_is_incomplete() -> None:
    framer = SmlFramer()
    assert framer.feed(TELEGRAMS[0][:20]) == []
    assert framer.reset() == [Reject(TELEGRAMS[0][:20], RejectReason.SHORT, "the link was lost inside a telegram")]
    assert framer.feed(TELEGRAMS[0]) == [TELEGRAMS[0]]
    assert framer.reset() == []


@settings(max_examples=200, deadline=None)
@given(st.lists(SHARDS | st.binary(max_size=8), max_size=30), st.integers(0, 1000))
def test_nothing_is_lost_whatever_comes(shards: list[bytes], seed: int) -> None:
    stream = b"".join(shards)
    out = run(SmlFramer, [stream])
    assert b"".join(item.data if isinstance(item, Reject) else item for item in out) == stream
    for pieces in splits(stream, seed, 3):
        assert run(SmlFramer, pieces) == out
    for telegram in telegrams(out):
        assert len(telegram) <= MAX_FRAME
    if shards and shards[-1] == TELEGRAMS[1]:
        assert telegrams(out)[-1] == TELEGRAMS[1]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.lists(SHARDS, max_size=6).map(b"".join))
def test_wrap_and_unwrap_are_opposites(file: bytes) -> None:
    telegram = wrap(file)
    assert unwrap(telegram) == file
    try:
        unwrap(file)
    except DecodeError:
        return
    assert telegrams(run(SmlFramer, [file]))


@pytest.mark.parametrize(
    ("telegram", "reason"),
    [
        (b"", RejectReason.SHORT),
        (TELEGRAMS[0][:-1], RejectReason.SYNTAX),
        (TELEGRAMS[0][1:], RejectReason.SYNTAX),
        (TELEGRAMS[0][:-1] + b"\x00", RejectReason.CRC),
        (START + bytes(MAX_FRAME), RejectReason.LONG),
        (START + ESCAPE + b"\x1a\x03\x1d\x3e", RejectReason.SYNTAX),
    ],
)
def test_unwrap_refuses(telegram: bytes, reason: RejectReason) -> None:
    if telegram[-4:-2] == b"\x1a\x03":
        telegram = telegram[:-2] + crc16_x25(telegram[:-2]).to_bytes(2, "little")
    with pytest.raises(DecodeError) as caught:
        unwrap(telegram)
    assert caught.value.reason is reason


def dumps() -> list[dict[str, object]]:
    index = VECTORS / "index.jsonl"
    return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []


@pytest.mark.skipif(not VECTORS.exists(), reason=f"no SML dumps at {VECTORS} (TORHAUS_VECTORS)")
def test_dumps_of_real_meters() -> None:
    for line in dumps():
        stream = (VECTORS / str(line["file"])).read_bytes()
        out = assert_any_chunking(SmlFramer, stream)
        assert len(telegrams(out)) == line["frames"], line["file"]
        assert sum(r.reason is RejectReason.CRC for r in rejects(out)) == line["crc_errors"], line["file"]
        assert b"".join(item.data if isinstance(item, Reject) else item for item in out) == stream
