import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.outbox_fakes import AT, reading
from torhaus.codecs.model import Reception, Stamp, Value
from torhaus.daemon.outbox.record import (
    HEADER_BYTES,
    Lora,
    Record,
    Stored,
    count,
    pack,
    pack_copy,
    seed,
    unpack,
    unpack_copy,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
integers = st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | integers | st.floats(allow_nan=False) | text
stamps = st.builds(Stamp, st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63 - 1), st.booleans())
loras = st.builds(
    Lora,
    freq_hz=integers,
    modulation=text,
    datarate=text,
    fcnt=st.none() | st.integers(0, 2**32 - 1),
    rx=st.lists(st.builds(Reception, text, rssi_dbm=st.none() | st.floats(allow_nan=False)), max_size=2),
)
records = st.builds(
    Record,
    st.sampled_from(["reading", "frame", "event"]),
    text,
    device=st.none() | text,
    fields=st.none() | st.dictionaries(text, st.builds(Value, scalars, st.none() | text), max_size=3),
    reason=st.none() | text,
    lora=st.none() | loras,
    event=st.none() | st.dictionaries(text, integers | text, max_size=3),
    raw=st.none() | st.binary(max_size=60),
    payload=st.none() | st.binary(max_size=20),
    pending=st.booleans(),
)
SEED = seed("3f2a91c0", "boot")


@given(st.lists(st.tuples(stamps, records), max_size=5), st.integers(0, 2**61), st.integers(0, 2**61))
@settings(max_examples=100, deadline=None)
def test_what_is_packed_comes_back(rows: list[tuple[Stamp, Record]], first: int, seq: int) -> None:
    data = pack(rows, first, seq, SEED)
    found = unpack(data, first, seq, "3f2a91c0", "boot")
    assert [(s.at, s.record) for s in found] == rows
    assert [(s.pos - first, s.seq - seq) for s in found] == [(i, i) for i in range(len(rows))]
    assert count(data) == len(rows)
    for skip in range(len(rows) + 1):
        assert unpack(data, first, seq, "3f2a91c0", "boot", skip=skip, most=2) == found[skip : skip + 2]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_flipped_bit_costs_its_record_and_no_other(data: st.DataObject) -> None:
    rows = [(AT, reading(i)) for i in range(5)]
    packed = pack(rows, 100, 7, SEED)
    bit = data.draw(st.integers(0, len(packed) * 8 - 1))
    broken = bytearray(packed)
    broken[bit // 8] ^= 1 << bit % 8
    whole = unpack(packed, 100, 7, "3f2a91c0", "boot")
    found = unpack(bytes(broken), 100, 7, "3f2a91c0", "boot")
    assert all(s in whole for s in found)
    hit = bit // 8 // (len(packed) // 5)
    is_length = bit // 8 % (len(packed) // 5) < 4
    expected = whole[:hit] if is_length else whole[:hit] + whole[hit + 1 :]
    assert found[: len(expected)] == expected
    assert len(found) < 5


def test_the_crc_covers_position_number_times_flags_store_and_boot() -> None:
    packed = pack([(AT, reading(1))], 5, 6, SEED)
    assert len(unpack(packed, 5, 6, "3f2a91c0", "boot")) == 1
    assert unpack(packed, 4, 6, "3f2a91c0", "boot") == []
    assert unpack(packed, 5, 7, "3f2a91c0", "boot") == []
    assert unpack(packed, 5, 6, "3f2a91c1", "boot") == []
    assert unpack(packed, 5, 6, "3f2a91c0", "other") == []
    for offset in range(HEADER_BYTES):
        changed = bytearray(packed)
        changed[offset] ^= 1
        assert unpack(bytes(changed), 5, 6, "3f2a91c0", "boot") == []


@given(st.binary(max_size=200), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_nothing(data: bytes, skip: int) -> None:
    assert unpack(data, 0, 0, "3f2a91c0", "boot", skip=skip) == []
    count(data)


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_a_truncated_row_keeps_its_beginning(cut: int) -> None:
    packed = pack([(AT, reading(i)) for i in range(3)], 0, 0, SEED)
    found = unpack(packed[:cut], 0, 0, "3f2a91c0", "boot")
    assert [s.seq for s in found] == list(range(cut // (len(packed) // 3)))


@pytest.mark.parametrize(
    "bad", [Value(10**30), Value("\ud800"), Value(-(2**63) - 1)], ids=["too big", "surrogate", "too small"]
)
def test_a_record_without_a_stored_form_is_reduced_to_its_raw_bytes(bad: Value) -> None:
    poison = Record("reading", "gw", "d", fields={"x": bad}, raw=b"raw", payload=b"p", pending=True)
    packed = pack([(AT, reading(1)), (AT, poison), (AT, reading(3))], 0, 0, SEED)
    one, two, three = (s.record for s in unpack(packed, 0, 0, "3f2a91c0", "boot"))
    assert (one, three) == (reading(1), reading(3))
    assert two == poison  # what is fed from memory is what is on disk
    assert (two.kind, two.reason, two.raw, two.fields, two.pending) == ("frame", "range", b"raw", None, False)


def test_bodies_of_an_older_torhaus_are_readable() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(["frame", "gw"]), type=Record) == Record("frame", "gw")
    newer = [*msgspec.to_builtins(Record("frame", "gw", raw=b"x"), builtin_types=[bytes]), "a field of tomorrow"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(newer), type=Record) == Record("frame", "gw", raw=b"x")


def test_a_copy_is_what_was_written_or_nothing() -> None:
    stored = Stored(4, "3f2a91c0", 2, "boot", AT, reading(1))
    blob = pack_copy(stored)
    assert unpack_copy(blob) == stored
    for i in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[i // 8] ^= 1 << i % 8
        assert unpack_copy(bytes(changed)) is None
    assert unpack_copy(None) is None
    assert unpack_copy(b"") is None
