"""Which ready file, sidecar or lock belongs to which document."""

from pathlib import Path

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, left, with_bench
from torhaus.daemon.scans.beside import Neighbours, named
from torhaus.daemon.scans.folder import Entry, Identity
from torhaus.daemon.scans.stations import Sidecar


def entry(place: str) -> Entry:
    return Entry(Path("/hot", place), Identity(1, hash(place), 1, 1), depth=place.count("/"))


def neighbours(beside: str, documents: str, *patterns: str, in_batches: bool = False) -> tuple[Neighbours, list[Entry]]:
    entries = [entry(place) for place in documents.split()]
    there = {e.name: e for e in map(entry, beside.split())}
    return Neighbours(there, entries, patterns, in_batches=in_batches), entries


@pytest.mark.parametrize(
    ("pattern", "place", "batch", "name"),
    [
        ("{stem}.xml", "a/b.c.pdf", "", "a/b.c.xml"),
        ("{name}.ready", "b.pdf", "", "b.pdf.ready"),
        ("{stem}.ok", "b", "", "b.ok"),
        ("INDEX.DAT", "b1/x/1.tif", "b1", "b1/INDEX.DAT"),
        ("INDEX.DAT", "b1/1.tif", "", "b1/INDEX.DAT"),
        ("{batch}.xml", "b1/1.tif", "b1", "b1.xml"),
    ],
)
def test_names(pattern: str, place: str, batch: str, name: str) -> None:
    assert named(pattern, place, batch) == name


@pytest.mark.parametrize(
    ("beside", "documents", "found"),
    [
        ("DOC.XML", "doc.tif", ["DOC.XML"]),
        ("doc.xml", "doc.tif doc.jpg", ["doc.xml", "doc.xml"]),
        ("A.xml a.xml", "A.pdf a.pdf", ["A.xml", "a.xml"]),
        ("A.xml", "A.pdf a.pdf", ["A.xml", None]),  # its own one is still to come
        ("A.xml a.xml", "A.pdf", ["A.xml"]),
        ("A.XML a.xml", "a.pdf", ["a.xml"]),
        ("A.XML a.XML", "a.pdf", [None]),  # nobody can tell
        ("", "a.pdf", [None]),
    ],
)
def test_whose_sidecar_it_is(beside: str, documents: str, found: list[str | None]) -> None:
    near, entries = neighbours(beside, documents, "{stem}.xml")
    got = [near.of("{stem}.xml", e) for e in entries]
    assert [None if e is None else e.name.decode() for e in got] == found


def test_one_for_all_or_one_for_each() -> None:
    near, entries = neighbours("doc.xml A.xml", "doc.tif A.pdf doc.jpg", "{stem}.xml")
    assert near.of_all("{stem}.xml", [entries[0], entries[2]]) == [entry("doc.xml")]
    near, entries = neighbours("A.xml", "A.pdf a.pdf", "{stem}.xml")
    assert near.of_all("{stem}.xml", entries) == [entry("A.xml"), None]
    assert len({near.shared("{stem}.xml", e) for e in entries}) == 2


def test_batches_that_differ_in_their_case() -> None:
    near, (one, other) = neighbours("B1.xml b1.xml", "B1/1.tif b1/1.tif", "{batch}.xml", in_batches=True)
    assert [near.of("{batch}.xml", e) for e in (one, other)] == [entry("B1.xml"), entry("b1.xml")]


def test_locks() -> None:
    near, entries = neighbours("A.PDF.lock b.lck b1/.lock", "a.pdf B.tif c.pdf")
    assert [near.is_locked([e], None) for e in entries] == [True, True, False]
    assert [near.is_locked([], batch) for batch in ("B1", "b", "b2")] == [True, True, False]


def test_nobody_gets_what_another_ones_sidecar_says(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for stem, department in (("SCAN1", "bauamt"), ("scan1", "sozialamt")):
            b.put(f"{stem}.pdf", fake_pdf(stem))
            b.put(f"{stem}.json", f'{{"department":"{department}"}}'.encode())
        assert await b.look() == 2
        told = {scan.name: scan.told.department for scan in await b.queue.list()}
        assert told == {b"SCAN1.pdf": "bauamt", b"scan1.pdf": "sozialamt"}
        assert left(b) == []

    sidecar = Sidecar(format="json", name="{stem}.json", fields={"department": "department"})
    with_bench(tmp_path, work, done="sidecar", sidecar=sidecar)
