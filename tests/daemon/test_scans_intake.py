import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import Bench, blob, fake_pdf, left, make_pdf, with_bench
from torhaus.daemon.scans.check import ProcessCheck
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import (
    ScanMoved,
    Unfinished,
)
from torhaus.daemon.scans.intake import AT_ONCE
from torhaus.daemon.scans.states import Reason, State

PDF = fake_pdf()


async def one_file(b: Bench) -> None:
    b.put("a.pdf", PDF)
    assert await b.look() == 1
    [scan] = await b.queue.list()
    assert (scan.state, scan.name, scan.pages, blob(b, scan)) == (State.SPOOLED, b"a.pdf", 1, PDF)
    assert left(b) == []
    assert await b.look() == 0


def test_a_finished_file_becomes_one_scan(tmp_path: Path) -> None:
    b = with_bench(tmp_path, one_file)
    assert [(e.state, e.size_bytes) for e in b.told(ScanMoved)] == [(State.SPOOLED, len(PDF))]


def test_a_slow_writer_is_waited_for(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        data = fake_pdf("x" * 1000)
        for part in range(1, 6):  # pauses of 20 s: longer than stable_s
            b.put("slow.pdf", data[: len(data) * part // 6])
            assert await b.look(20) == 0
        assert b.check.checked == 5  # each version is checked once
        await b.look(20)
        assert b.check.checked == 5
        b.put("slow.pdf", data)
        assert await b.look() == 1
        assert blob(b, (await b.queue.list())[0]) == data

    b = with_bench(tmp_path, work)
    assert {e.reason for e in b.told(Unfinished)} == {Reason.DAMAGED}


def test_a_file_that_keeps_growing_is_left_alone(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(5):
            b.put("log.pdf", PDF * (n + 1))
            await b.queue.intakes[0].step()
            b.clock.pass_s(4)
        assert b.check.checked == 0

    with_bench(tmp_path, work)


def test_reopen_and_append_before_it_is_taken(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        path = b.put("a.pdf", b"%PDF-1.7 body")
        await b.look()
        with path.open("ab") as file:
            file.write(b"\n%%EOF\n")
        assert await b.look() == 1
        assert blob(b, (await b.queue.list())[0]) == b"%PDF-1.7 body\n%%EOF\n"

    with_bench(tmp_path, work)


def test_a_file_that_stays_unfinished_goes_to_quarantine_with_its_bytes(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("cut.pdf", b"%PDF-1.7 cut")
        assert await b.look(599) == 0
        b.clock.pass_s(2)
        assert await b.queue.intakes[0].step() == 1
        [scan] = await b.queue.list()
        assert (scan.state, scan.reason, blob(b, scan)) == (State.QUARANTINED, Reason.DAMAGED, b"%PDF-1.7 cut")
        assert left(b) == []
        await b.deliver()
        assert list(b.out.iterdir()) == []

    with_bench(tmp_path, work)


def test_empty_files_are_waited_for_and_then_quarantined(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("grows.pdf", b"")
        b.put("empty.pdf", b"")
        assert await b.look(300) == 0
        b.put("grows.pdf", PDF)
        assert await b.look(301) == 2
        assert await b.states() == ["quarantined", "spooled"]
        assert b.check.checked == 2

    with_bench(tmp_path, work)


def test_truncated_pdf_with_the_real_check(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        good = make_pdf(5)
        b.put("cut.pdf", good[: len(good) * 9 // 10])
        b.put("zeros.pdf", good[: len(good) // 2] + bytes(len(good) - len(good) // 2))
        b.put("good.pdf", good)
        assert await b.look() == 1
        [scan] = await b.queue.list()
        assert (scan.name, scan.media_type, scan.pages) == (b"good.pdf", "application/pdf", 5)
        assert left(b) == ["cut.pdf", "zeros.pdf"]

    with_bench(tmp_path, work, check=ProcessCheck(Disk(), Limits()))


def test_names_stay_what_they_were(tmp_path: Path) -> None:
    names = [b"Bu\xdfgeld.pdf", unicodedata.normalize("NFD", "Müller.pdf").encode(), "日本.pdf".encode(), b"a\nb.pdf"]

    async def work(b: Bench) -> None:
        for n, name in enumerate(names):
            b.put(name, fake_pdf(n))
        assert await b.look() == 4
        scans = await b.queue.list()
        assert {scan.name for scan in scans} == set(names)
        assert left(b) == []
        await b.deliver()
        assert sorted(path.name.partition("-")[2] for path in b.out.iterdir()) == sorted(
            ["Bußgeld.pdf", "Müller.pdf", "日本.pdf", "a_b.pdf"]
        )

    with_bench(tmp_path, work)


def test_same_name_three_times_is_three_scans(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(3):
            b.put("SCN_0001.pdf", fake_pdf(n))
            assert await b.look() == 1
        scans = await b.queue.list()
        assert [blob(b, scan) for scan in scans] == [fake_pdf(2), fake_pdf(1), fake_pdf(0)]
        await b.deliver()
        assert sorted(p.name for p in b.out.iterdir()) == ["1-SCN_0001.pdf", "2-SCN_0001.pdf", "3-SCN_0001.pdf"]

    with_bench(tmp_path, work)


@pytest.mark.parametrize(("rule", "states"), [("mark", ["verified", "verified"]), ("hold", ["verified", "held"])])
def test_two_identical_files_are_two_scans_one_marked(tmp_path: Path, rule: str, states: list[str]) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", PDF)
        b.put("b.pdf", PDF)
        assert await b.look() == 2
        second, first = await b.queue.list()
        assert (first.duplicate_of, second.duplicate_of) == (None, first.id)
        await b.deliver()
        assert await b.states() == states
        if rule == "hold":
            assert (await b.queue.retry(second.id)).state is State.SEALED
            await b.deliver()
        assert sorted(p.name for p in b.out.iterdir()) == ["1-a.pdf", "2-b.pdf"]

    with_bench(tmp_path, work, duplicates=rule)


@pytest.mark.parametrize(
    ("verdict", "rules", "reason", "flags"),
    [
        (Verdict("application/octet-stream", Reason.UNKNOWN_TYPE), {}, Reason.UNKNOWN_TYPE, ()),
        (Verdict("application/octet-stream", Reason.UNKNOWN_TYPE), {"unknown_types": "pass"}, None, ("unchecked",)),
        (Verdict("application/pdf", None, 0, ("encrypted",)), {}, None, ("encrypted",)),
        (
            Verdict("application/pdf", None, 0, ("encrypted",)),
            {"encrypted": "quarantine"},
            Reason.ENCRYPTED,
            ("encrypted",),
        ),
        (Verdict("application/octet-stream", Reason.CHECK_CRASHED), {}, Reason.CHECK_CRASHED, ()),
    ],
)
def test_the_stations_rules(
    tmp_path: Path, verdict: Verdict, rules: dict[str, Any], reason: Reason | None, flags: tuple[str, ...]
) -> None:
    class Fixed:
        async def check(self, path: Path, *, codes: bool = False) -> Verdict:
            return verdict

        async def close(self) -> None:
            pass

    async def work(b: Bench) -> None:
        b.put("a.bin", b"x")
        await b.look()
        b.clock.pass_s(600)
        await b.queue.intakes[0].step()
        [scan] = await b.queue.list()
        assert (scan.reason, scan.flags) == (reason, flags)
        assert scan.state is (State.SPOOLED if reason is None else State.QUARANTINED)

    with_bench(tmp_path, work, check=Fixed(), **rules)


def test_files_present_at_start_get_the_same_care_in_bulk(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(100):
            b.put(f"{n}.pdf", fake_pdf(n))
        b.put("half.pdf", b"%PDF-1.7")
        assert await b.queue.intakes[0].step() == 0
        b.clock.pass_s(6)
        assert await b.queue.intakes[0].step() == 100
        assert left(b) == ["half.pdf"]

    with_bench(tmp_path, work)


def test_events_and_evidence_never_have_a_name(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("geheim-4711.pdf", PDF)
        await b.look()
        await b.deliver()
        _scan, entries = await b.queue.show((await b.queue.list())[0].id)
        assert "geheim" not in repr(entries) + repr(b.events)

    with_bench(tmp_path, work)


def test_many_at_once_get_their_numbers_in_the_order_of_their_names(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        names = [f"{n:03}.pdf" for n in range(3 * AT_ONCE + 1)]
        for n, name in enumerate(names):
            b.put(name, fake_pdf(n) if n % 5 else fake_pdf(n)[:-3])
        good = [name for n, name in enumerate(names) if n % 5]
        assert await b.look() == len(good)
        found = sorted(await b.queue.list(), key=lambda scan: scan.seq)
        assert [scan.name.decode() for scan in found] == good
        assert left(b) == [name for n, name in enumerate(names) if not n % 5]

    with_bench(tmp_path, work)
