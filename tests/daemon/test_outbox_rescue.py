import random

import msgspec
import pytest

from tests.daemon.outbox_fakes import AT, pending, reading
from torhaus.daemon.outbox.pages import Row
from torhaus.daemon.outbox.record import Record, pack, seed, unpack
from torhaus.daemon.outbox.rescue import Batch, Piece, Rescue, batch_of, claim

STORE, BOOT, FIRST, SEQ = "3f2a91c0", "b" * 32, 1000, 40
STEP = SEQ - FIRST


def batch(count: int = 8, weight: int = 20) -> Batch:
    records: list[tuple[object, Record]] = [(AT, reading(n, weight=weight)) for n in range(count)]
    data = pack(records, FIRST, SEQ, seed(STORE, BOOT))  # type: ignore[arg-type]
    return Batch(FIRST, count, SEQ, BOOT, AT.wall_ns, data)


def changed(row: Batch, **columns: object) -> Batch:
    return msgspec.structs.replace(row, **columns)


def positions(found: list[Piece]) -> list[int]:
    """Where the intact records are; they are checked as any reader of the log would."""
    for piece in found:
        assert len(unpack(piece.data, piece.first, piece.seq, STORE, piece.boot)) == piece.n
    return [p for piece in found for p in range(piece.first, piece.first + piece.n)]


def rescue(*boots: str) -> Rescue:
    return Rescue(STORE, STEP, boots or (BOOT,))


ALL = list(range(FIRST, FIRST + 8))


def test_a_whole_row_is_one_piece_as_it_was() -> None:
    row = batch()
    (piece,) = rescue().pieces(row)
    assert (piece.first, piece.n, piece.seq, piece.boot, piece.data) == (FIRST, 8, SEQ, BOOT, row.data)


@pytest.mark.parametrize(
    "columns",
    [{"first": 7}, {"seq": 9}, {"boot": "c" * 32}, {"n": 3}, {"n": 0}, {"first": 7, "boot": ""}, {"wall_ns": 0}],
)
def test_a_row_with_a_changed_column_is_known_by_its_records(columns: dict[str, object]) -> None:
    assert positions(rescue().pieces(changed(batch(), **columns))) == ALL


def test_of_another_store_nothing_is_taken() -> None:
    assert Rescue("00000000", STEP, (BOOT,)).pieces(batch()) == []


def test_a_changed_byte_costs_one_record() -> None:
    for number in range(60):
        row, rand = batch(), random.Random(number)
        data = bytearray(row.data)
        data[rand.randrange(len(data))] ^= 1 << rand.randrange(8)
        found = positions(rescue().pieces(changed(row, data=bytes(data))))
        assert len(found) == 7
        assert set(found) < set(ALL)


def test_a_stretch_of_changed_bytes_costs_what_it_touches() -> None:
    row = batch(30)
    each = len(row.data) // 30
    data = row.data[: 5 * each + 3] + bytes(4 * each) + row.data[9 * each + 3 :]
    found = positions(rescue().pieces(changed(row, data=data)))
    assert set(found) >= {*range(FIRST, FIRST + 5), *range(FIRST + 11, FIRST + 30)}


def test_of_a_row_that_is_cut_off_the_beginning_is_taken() -> None:
    row = batch()
    for length in range(0, len(row.data), 7):
        found = positions(rescue().pieces(changed(row, data=row.data[:length])))
        assert found == ALL[: len(found)]
        assert len(found) >= length * 8 // len(row.data) - 1


def test_junk_gives_nothing() -> None:
    rand = random.Random(1)
    for _ in range(20):
        assert rescue().pieces(changed(batch(), data=rand.randbytes(2000))) == []


def test_a_piece_can_be_cut() -> None:
    (piece,) = rescue().pieces(batch())
    part = piece.cut(FIRST + 2, FIRST + 5)
    assert (part.first, part.n, part.seq) == (FIRST + 2, 3, SEQ + 2)
    assert positions([part]) == ALL[2:5]
    assert piece.cut(0, 1 << 40) is piece


def test_a_piece_tells_what_waits_for_a_script_and_what_is_an_alarm() -> None:
    loud = reading(2)
    loud.alarm = True
    data = pack([(AT, reading(0)), (AT, pending(1)), (AT, loud)], FIRST, SEQ, seed(STORE, BOOT))
    (piece,) = rescue().pieces(Batch(FIRST, 3, SEQ, BOOT, AT.wall_ns, data))
    assert (piece.pending, piece.alarms) == (1, [FIRST + 2])


def test_only_what_can_be_a_row_is_taken_for_one() -> None:
    good = (None, 2, SEQ, BOOT, 5, 0, b"x")
    assert batch_of(Row(FIRST, good, True)) == Batch(FIRST, 2, SEQ, BOOT, 5, b"x")
    for row in (
        Row(None, good, True),
        Row(-1, good, True),
        Row(FIRST, good[:6], True),
        Row(FIRST, (None, 2, -1, BOOT, 5, 0, b"x"), True),
        Row(FIRST, (None, 2, SEQ, b"", 5, 0, b"x"), True),
        Row(FIRST, (None, 2, SEQ, BOOT, 5, 0, "x"), True),
    ):
        assert batch_of(row) is None
    assert batch_of(Row(FIRST, (None, "2", SEQ, BOOT, None, 0, b"x"), True)) == Batch(FIRST, 0, SEQ, BOOT, 0, b"x")


def test_a_row_is_believed_about_its_extent_only_if_its_keys_agree() -> None:
    assert claim(batch(), STEP) == FIRST + 8
    assert claim(changed(batch(), seq=3), STEP) == 0
    assert claim(changed(batch(), n=1 << 40), STEP) == 0
