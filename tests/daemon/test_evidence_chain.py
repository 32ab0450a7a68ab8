"""Whatever is done to a journal is named with the entry's number, from the journal itself or from what others kept."""

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.evidence_scene import Journal, journal_of
from torhaus.daemon.evidence.chain import MAX_FAULTS, Chain, parse_entry
from torhaus.daemon.evidence.report import Report
from torhaus.daemon.evidence.verifier import check_journal, parse_heads


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return journal_of(tmp_path_factory.mktemp("journal"))


def check(journal: Journal, *heads: str) -> Report:
    return check_journal(journal.lines(), "", parse_heads("\n".join(heads)))


def found(report: Report) -> list[tuple[int, str]]:
    return [(fault.seq, fault.what) for fault in report.faults]


def head(journal: Journal, seq: int) -> str:
    return f"{seq}:{journal.hash(seq)}"


def test_an_untouched_one_is_good(whole: Journal) -> None:
    report = check(whole, head(whole, 3), head(whole, len(whole.entries)))
    assert (report.faults, report.entries) == ([], len(whole.entries))
    assert len(whole.seqs("root")) == 3
    assert len(whole.top) == 5  # first line, three roots, the head


def test_no_names_are_in_it(whole: Journal) -> None:
    assert b"secret" not in b"".join(whole.lines())


def edit(journal: Journal) -> None:
    journal.put(6, journal.raw(6).replace(b"source_removed", b"source_removes"), journal.hash(6))


def edit_and_hash(journal: Journal) -> None:
    entry = journal.get(6)
    journal.put(6, msgspec.json.encode(msgspec.structs.replace(entry, at=entry.at + 1), order="sorted"))


def remove(journal: Journal) -> None:
    del journal.entries[5]


def remove_two(journal: Journal) -> None:
    del journal.entries[5:7]


def swap(journal: Journal) -> None:
    journal.entries[5], journal.entries[6] = journal.entries[6], journal.entries[5]


def repeat(journal: Journal) -> None:
    journal.entries.insert(8, journal.entries[5])


def garbage(journal: Journal) -> None:
    journal.put(6, b"garbage")


def space(journal: Journal) -> None:
    journal.put(6, journal.raw(6)[:-1] + b" }")


def other_hash(journal: Journal) -> None:
    journal.put(6, journal.raw(6), "ab" * 32)


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (edit, [(6, "changed")]),
        (edit_and_hash, [(6, "replaced")]),
        (remove, [(6, "removed")]),
        (remove_two, [(6, "removed")]),
        (swap, [(6, "order")]),
        (repeat, [(6, "double")]),
        (garbage, [(6, "syntax"), (6, "replaced")]),
        (space, [(6, "syntax"), (6, "replaced")]),
        (other_hash, [(6, "changed"), (6, "replaced")]),
    ],
)
def test_tampering_is_named(whole: Journal, tamper: Callable[[Journal], None], named: list[tuple[int, str]]) -> None:
    journal = whole.copy()
    tamper(journal)
    at_root = whole.seqs("root")[0]
    assert [each for each in found(check(journal)) if each[0] != at_root] == named


def test_what_is_removed_is_named_with_its_end(whole: Journal) -> None:
    journal = whole.copy()
    remove_two(journal)
    assert check(journal).faults[0].text == "entries 6 to 7 were removed"


def test_a_cut_tail_is_seen_by_what_was_published(whole: Journal) -> None:
    journal, last = whole.copy(), len(whole.entries)
    del journal.entries[-4:]
    report = check(journal, head(whole, last))
    assert (last - 4, "tail") in found(report)
    assert f"entries {last - 3} to {last} were cut off" in report.faults[-1].text
    journal.top = journal.top[:1]  # roots and head are cut off, too
    assert found(check(journal)) == []  # nothing of it is left here:
    assert found(check(journal, head(whole, last - 2))) == [(last - 4, "tail")]  # central services know


def test_a_chain_made_anew_is_seen_by_heads_kept_elsewhere(whole: Journal) -> None:
    journal = whole.copy()
    del journal.entries[5]  # and all made to fit again, with nothing that was signed before
    journal.top = journal.top[:1]
    journal.rechain()
    roots = list(journal.seqs("root"))
    assert {fault.what for fault in check(journal).faults} == {"root"}  # whoever does that makes the roots anew, too
    del journal.entries[roots[0] - 1 :]
    assert found(check(journal)) == []
    report = check(journal, head(whole, 4), head(whole, 8))
    assert found(report) == [(8, "head")]
    assert "entry 8 or one before it, after 4," in report.faults[0].text


def test_a_root_that_was_signed_must_be_there(whole: Journal) -> None:
    journal = whole.copy()
    first = journal.seqs("root")[0]
    data = journal.get(first).data | {"root": "00" * 32}
    journal.rechain(lambda e: msgspec.structs.replace(e, data=data) if e.seq == first else e)
    named = found(check(journal))
    assert (first, "root") in named
    kept = [line for line in whole.top if line.startswith(b'{"root"')]
    roots = [json.dumps(json.loads(line)["root"]) for line in kept]
    journal = whole.copy()
    journal.top = journal.top[:1]
    assert found(check(journal, *roots)) == []
    del journal.entries[first - 1 :]
    assert (first - 1, "tail") in found(check(journal, *roots))


def test_signatures_are_checked(whole: Journal) -> None:
    journal = whole.copy()
    journal.top = [line.replace(b'"first":1', b'"first":2') for line in journal.top]
    journal.top[0] = whole.top[0]
    report = check(journal)
    assert [fault.what for fault in report.faults] == ["signature"]
    assert next(f.what for f in check_journal(whole.lines(), "00" * 32).faults) == "key"


def test_a_part_is_checked_from_the_root_before_it(whole: Journal) -> None:
    journal = whole.copy()
    first = journal.seqs("root")[1]
    top = json.loads(journal.top[0]) | {"first": first}
    journal.top[0] = json.dumps(top).encode() + b"\n"
    journal.entries = journal.entries[first - 1 :]
    report = check(journal)
    assert (report.faults, report.facts[0]) == ([], f"entries before {first} are not in it")
    del journal.entries[0]
    assert found(check(journal))[0] == (first, "removed")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_found(whole: Journal, data: st.DataObject) -> None:
    journal = whole.copy()
    seq = data.draw(st.integers(1, len(journal.entries)))
    line = bytearray(journal.entries[seq - 1])
    bit = data.draw(st.integers(0, (len(line) - 1) * 8 - 1))
    line[bit // 8] ^= 1 << bit % 8
    journal.entries[seq - 1] = bytes(line)
    assert check(journal).faults


def test_a_thousand_faults_are_told_as_the_first_hundred() -> None:
    chain = Chain(1)
    for _ in range(1000):
        chain.add(b"no entry", "00" * 32)
    chain.end()
    assert len(chain.faults) == MAX_FAULTS


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"3", b"{}", b"[" * 100_000, b"\xff", b'{"seq":' + b"9" * 5000 + b"}", b'{"a":NaN}']
)
def test_what_is_no_entry(raw: bytes) -> None:
    assert parse_entry(raw) is None


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=9), st.integers(-(2**53), 2**53), st.none())))
def test_both_ways_to_write_json_agree(data: dict[str, str | int | None]) -> None:
    """What the daemon hashes is what the verifier, which has the standard library only, takes for an entry."""
    from torhaus.daemon.scans.evidence import Entry

    raw = msgspec.json.encode(Entry(1, 2, None, "e", data, "0" * 64), order="sorted")
    assert parse_entry(raw) is not None
