"""When a document is finished, by every rule a station can have; and what is held when its signal never comes."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import Bench, fake_pdf, left, with_bench
from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.events import NotTaken
from torhaus.daemon.scans.finished import match
from torhaus.daemon.scans.folder import Entry, Identity
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import Sidecar

XML = Sidecar(format="xml", name="{stem}.xml", fields={"department": "doc/@d", "pages": "doc/@n?"})
INDEX = Sidecar(format="columns", name="INDEX.DAT", fields={"document": "1", "pages": "2"})


async def found(b: Bench) -> list[tuple[str, str, str | None]]:
    """Name, state and reason, oldest first."""
    scans = reversed(await b.queue.list())
    return [(os.fsdecode(s.name), s.state.value, s.reason.value if s.reason else None) for s in scans]


async def step(b: Bench, wait_s: float = 0) -> int:
    b.clock.pass_s(wait_s)
    return await b.queue.intakes[0].step()


def age(path: Path, seconds: float) -> None:
    """As written so long ago."""
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))


def test_a_final_name_is_a_signal_in_itself(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf.part", fake_pdf())
        assert await step(b) == 0
        (b.hot / "a.pdf.part").rename(b.hot / "a.pdf")
        b.put("cut.pdf", b"%PDF-1.7 cut")
        assert await step(b) == 1
        assert left(b) == ["cut.pdf"]  # the strict check all the same

    with_bench(tmp_path, work, done="renamed")


@pytest.mark.parametrize("pattern", ["{name}.ready", "{stem}.ok"])
def test_a_ready_file_is_waited_for_and_goes_with_its_document(tmp_path: Path, pattern: str) -> None:
    async def work(b: Bench) -> None:
        b.put("A.PDF", fake_pdf())
        assert await b.look(300) == 0
        b.put(pattern.replace("{name}", "a.pdf").replace("{stem}", "A"), b"")
        assert await step(b) == 1
        assert left(b) == []

    with_bench(tmp_path, work, done="ready_file", ready_file=pattern)


def test_a_ready_file_of_the_document_before_says_nothing(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        age(b.put("SCN_0001.pdf.ready", b""), 60)
        b.put("SCN_0001.pdf", fake_pdf())
        assert await b.look(300) == 0
        b.put("SCN_0001.pdf.ready", b"")
        assert await step(b) == 1

    with_bench(tmp_path, work, done="ready_file", ready_file="{name}.ready")


def test_without_its_signal_a_document_is_held_in_the_end(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        assert await b.look(599) == 0
        assert await step(b, 2) == 1
        assert await found(b) == [("a.pdf", "held", "no_signal")]

    with_bench(tmp_path, work, done="ready_file", ready_file="{name}.ready")


def test_all_but_the_newest(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n, name in enumerate(("1.pdf", "2.pdf", "3.pdf")):
            age(b.put(name, fake_pdf(n)), 30 - n)
        assert await step(b) == 2
        assert left(b) == ["3.pdf"]
        assert await step(b, 601) == 1  # nothing newer came for give_up_s

    with_bench(tmp_path, work, done="all_but_newest")


def test_what_is_locked_is_not_taken(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf(1))
        b.put("a.lck", b"")
        b.put("b.pdf", fake_pdf(2))
        b.put("b.pdf.lock", b"")
        assert await b.look() == 0
        (b.hot / "a.lck").unlink()
        assert await step(b, 6) == 1
        assert await step(b, 700) == await step(b, 700) == 0
        assert left(b) == ["b.pdf", "b.pdf.lock"]

    b = with_bench(tmp_path, work)
    assert [e.kind for e in b.told(NotTaken)] == ["locked"]


def test_a_sidecar_says_where_its_document_goes(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        assert await b.look(300) == 0
        b.put("a.xml", b"<doc d='bau")
        assert await step(b) == 0
        b.put("a.xml", b"<doc d='Bauamt' n='1'/>")
        assert await step(b) == 1
        [scan] = await b.queue.list()
        assert scan.told == Told(department="bauamt", pages=1)
        assert left(b) == []
        await b.queue.seal()
        assert await found(b) == [("a.pdf", "held", "no_route")]  # a sidecar is never overruled by the station

    with_bench(tmp_path, work, done="sidecar", sidecar=XML)


def test_pages_are_compared_with_the_sidecar(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        b.put("a.xml", b"<doc d='bauamt' n='12'/>")
        assert await step(b) == 1
        await b.queue.seal()
        assert await found(b) == [("a.pdf", "held", "page_count")]

    with_bench(tmp_path, work, done="sidecar", sidecar=XML)


@pytest.mark.parametrize(
    ("sidecar", "reason"), [(None, "no_signal"), (b"<doc>", "sidecar_unread"), (b"<doc d='../x'/>", "sidecar_unread")]
)
def test_a_sidecar_that_is_missing_or_cannot_be_read(tmp_path: Path, sidecar: bytes | None, reason: str) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        if sidecar is not None:
            b.put("a.xml", sidecar)
        assert await b.look(599) == 0
        assert await step(b, 2) == 1
        assert await found(b) == [("a.pdf", "held", reason)]
        assert left(b) == []

    with_bench(tmp_path, work, done="sidecar", sidecar=XML)


def batch(b: Bench, name: str, *documents: str) -> Path:
    folder = b.hot / name
    for document in documents:
        (folder / document).parent.mkdir(parents=True, exist_ok=True)
        (folder / document).write_bytes(fake_pdf(f"{name}/{document}"))
    return folder


def test_a_batch_is_one_whole_in_the_order_people_count(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        folder = batch(b, "BATCH001", "p10.pdf", "p2.pdf", "1/p1.pdf")
        (folder / "INDEX.DAT").write_bytes(b"1\\p1.pdf;1\r\np2.pdf;1\r\n")
        assert await b.look() == 0  # p10 is not in the index
        (folder / "INDEX.DAT").write_bytes(b"1\\p1.pdf;1\r\np2.pdf;1\r\nC:\\BATCH001\\p10.pdf;1\r\n")
        assert await b.look() == 3
        assert [name for name, _, _ in await found(b)] == [
            "BATCH001/1/p1.pdf", "BATCH001/p2.pdf", "BATCH001/p10.pdf",
        ]  # fmt: skip
        assert {s.batch for s in await b.queue.list()} == {"1-BATCH001"}
        assert list(b.hot.iterdir()) == [b.hot / ".torhaus"]
        await b.deliver()
        assert sorted(p.name for p in b.out.iterdir()) == [
            "1-BATCH001_1_p1.pdf", "2-BATCH001_p2.pdf", "3-BATCH001_p10.pdf",
        ]  # fmt: skip

    with_bench(tmp_path, work, done="sidecar", sidecar=INDEX, batches="folders", subfolder_depth=2)


def test_one_bad_document_holds_its_batch(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        folder = batch(b, "b1", "1.pdf", "2.pdf")
        (folder / "2.pdf").write_bytes(b"%PDF-1.7 cut")
        batch(b, "b2", "1.pdf")
        assert await b.look() == 1
        assert list((b.root / "state/scans/tmp").iterdir()) == []  # no copy is left of what is not taken
        assert await b.look(3601) == 2
        assert await found(b) == [
            ("b2/1.pdf", "spooled", None),
            ("b1/1.pdf", "held", "batch_incomplete"),
            ("b1/2.pdf", "quarantined", "damaged"),
        ]

    with_bench(tmp_path, work, batches="folders")


def test_a_batch_that_lacks_documents_is_held_in_the_end(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        folder = batch(b, "b1", "1.pdf")
        (folder / "INDEX.DAT").write_bytes(b"1.pdf;1\n2.pdf;1\n")
        assert await b.look(3599) == 0
        assert await step(b, 2) == 1
        assert await found(b) == [("b1/1.pdf", "held", "batch_incomplete")]

    with_bench(tmp_path, work, done="sidecar", sidecar=INDEX, batches="folders")


def test_counts_of_a_batch_and_its_sidecar_beside_it(tmp_path: Path) -> None:
    layout = Sidecar(
        format="json", name="{batch}.json",
        fields={"documents": "docs", "batch_pages": "pages", "batch": "id?", "trouble": "jam?"},
    )  # fmt: skip

    async def work(b: Bench) -> None:
        batch(b, "b1", "1.pdf", "2.pdf")
        b.put("b1.json", b'{"docs": 3, "pages": 2}')
        assert await step(b) == 0
        b.put("b1.json", b'{"docs": 2, "pages": 2, "id": "Mo-7"}')
        assert await step(b) == 2
        assert {s.batch for s in await b.queue.list()} == {"1-Mo-7"}
        batch(b, "b0", "1.pdf")
        b.put("b0.json", b'{"docs": 1, "pages": 1, "id": "a\\n\\u202e' + b"x" * 300 + b'"}')
        assert await step(b) == 1  # what is shown, linked and printed
        assert (await b.queue.list())[0].batch == "3-a\ufffd\ufffd" + "x" * 197
        batch(b, "b2", "1.pdf")
        b.put("b2.json", b'{"docs": 1, "pages": 5}')
        batch(b, "b3", "1.pdf")
        b.put("b3.json", b'{"docs": 1, "pages": 1, "jam": "feeder"}')
        assert await step(b) == 2
        assert (await found(b))[3:] == [("b2/1.pdf", "held", "page_count"), ("b3/1.pdf", "held", "source_incomplete")]
        assert left(b) == []

    with_bench(tmp_path, work, done="sidecar", sidecar=layout, batches="folders")


def test_a_batch_with_a_ready_file_or_a_lock_in_it(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        folder = batch(b, "b1", "1.pdf")
        assert await b.look() == 0
        (folder / "BATCH.LCK").touch()
        (folder / "done").touch()
        assert await b.look() == 0
        (folder / "BATCH.LCK").unlink()
        assert await step(b) == 1
        assert not folder.exists()

    with_bench(tmp_path, work, done="ready_file", ready_file="done", batches="folders")


def test_a_crash_between_commit_and_removal_of_a_batch(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        folder = batch(b, "b1", "1.pdf", "2.pdf")
        disk: Any = b.disk
        disk.fault = _dead
        assert await b.look() == 2
        disk.fault = lambda _name, _path: None
        await b.restart()
        assert await b.look(700) == 0
        assert not folder.exists()
        assert len(await b.queue.list()) == 2

    def _dead(name: str, path: Path) -> None:
        if name in {"rename", "unlink"} and path.name in {"1.pdf", "2.pdf"}:
            raise OSError(5, "dead")

    with_bench(tmp_path, work, batches="folders")


def entry(name: str) -> Entry:
    path = Path("/hot") / name
    return Entry(path, Identity(1, hash(name), 1, 1), depth=name.count("/"))


@pytest.mark.parametrize(
    ("names", "said", "good"),
    [
        (["a.tif", "b.tif"], ["b.tif", "a.tif"], True),
        (["1/a.tif", "2/a.tif"], ["C:\\x\\1\\A.TIF", "C:\\x\\2\\A.TIF"], True),
        (["1/a.tif", "2/a.tif"], ["a.tif", "a.tif"], False),
        (["a.tif"], ["a.tif", "a.tif"], False),
        (["a.tif", "b.tif"], ["a.tif"], False),
        (["a.tif"], ["c.tif"], False),
    ],
)
def test_records_and_documents_name_each_other(names: list[str], said: list[str], good: bool) -> None:
    matched = match([entry(n) for n in names], tuple(Told(document=s) for s in said))
    assert (matched is not None) is good


def test_one_record_without_a_name_is_for_all_and_counts_them() -> None:
    entries = [entry("a.tif"), entry("b.tif")]
    assert match(entries, (Told(documents=2),)) is not None
    assert match(entries, (Told(documents=3),)) is None
    assert Reason.BATCH_INCOMPLETE.value == "batch_incomplete"
