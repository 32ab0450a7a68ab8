"""Pulling from network scanners: whole jobs become a batch, and what may not be whole is held with the reason."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.escl_scanner import Scanner
from tests.daemon.pull_bench import PullBench, with_pull
from tests.daemon.scans_fakes import MagicCheck, fake_pdf
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.pull.pulls import Pull
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.stations import EsclStation

PAGES = [fake_pdf(n) for n in range(3)]


class Counted(MagicCheck):
    """A document with `P` pages in it."""

    async def check(self, path: Content, *, codes: bool = False) -> Verdict:
        verdict = await super().check(path, codes=codes)
        with path.open("rb") as file:
            text = file.read()
        return Verdict(verdict.media_type, verdict.reason, max(1, text.count(b"P\n")))


def pull(root: Path, scanner: Scanner, work: Callable[[PullBench, Pull], Awaitable[None]], **station: Any) -> None:
    async def go() -> None:
        async with scanner:
            b = PullBench(
                root,
                EsclStation(
                    name="flatbed", url=scanner.url, target="archive", ready_s=5.0, **{"page_s": 5.0, **station}
                ),
                Counted(),
            )
            await b.queue.open()
            try:
                await work(b, await b.pull())
            finally:
                await b.queue.close()

    asyncio.run(go())


def test_a_whole_job_is_a_batch_in_order(tmp_path: Path) -> None:
    scanner = Scanner(PAGES)
    scanner.busy, scanner.busy_order = 2, 2

    async def work(b: PullBench, done: Pull) -> None:
        assert (done.state, done.files, done.said) == ("done", 3, "")
        assert await b.states() == [("spooled", None)] * 3
        scans = await b.scans()
        assert [s.name[-8:] for s in scans] == [b"0001.pdf", b"0002.pdf", b"0003.pdf"]
        assert {s.batch for s in scans} == {f"1-{done.job}"}
        assert list((b.root / "state/scans/pull/flatbed").iterdir()) == [b.root / "state/scans/pull/flatbed/.torhaus"]
        assert scanner.settings == {
            "InputSource": "Feeder",
            "ColorMode": "RGB24",
            "DocumentFormatExt": "application/pdf",
        }
        assert scanner.deleted == 1

    pull(tmp_path, scanner, work)


def test_one_pdf_with_all_pages_and_the_scanners_count(tmp_path: Path) -> None:
    scanner = Scanner([fake_pdf("P\nP\nP\nP")])
    scanner.images = 4

    async def work(b: PullBench, done: Pull) -> None:
        assert done.state == "done"
        assert await b.states() == [("spooled", None)]

    pull(tmp_path, scanner, work)


@pytest.mark.parametrize("status", [404, 410])
def test_no_more_said_too_early_is_not_the_end(tmp_path: Path, status: int) -> None:
    scanner = Scanner(PAGES)
    scanner.early, scanner.no_more = 2, status

    async def work(b: PullBench, done: Pull) -> None:
        assert (done.state, done.files) == ("done", 3)
        assert await b.states() == [("spooled", None)] * 3

    pull(tmp_path, scanner, work)


def test_fewer_pages_than_the_scanner_counted_are_held(tmp_path: Path) -> None:
    scanner = Scanner(PAGES)
    scanner.images = 5

    async def work(b: PullBench, _: Pull) -> None:
        assert await b.states() == [("held", "page_count")] * 3

    pull(tmp_path, scanner, work)


@pytest.mark.parametrize(
    ("manners", "said"),
    [
        ({"jams_after": 2}, "the feeder stopped: paper jam"),
        ({"forgets": True}, "the scanner does not say how the job ended"),
        ({"images": None}, "the scanner does not say how many pages it scanned"),
        ({"repeats_last": True}, "pages 3 and 4 are the same to the last bit"),
        ({"no_more": 500}, "the scanner answers 500 instead of a page"),
        ({"cuts_after": 1}, "the connection broke (ClientPayloadError)"),
        ({"adf_after": "ScannerAdfDoorOpen"}, "the feeder stopped: its door is open"),
        ({"_left": 1}, "the scanner has more pages, and does not give them"),
        ({"busy": 50}, None),
    ],
)
def test_what_came_before_the_trouble_is_held(tmp_path: Path, manners: dict[str, Any], said: str | None) -> None:
    scanner = Scanner(PAGES)
    for name, value in manners.items():
        setattr(scanner, name, value)

    async def work(b: PullBench, done: Pull) -> None:
        if said is None:  # not one page came
            assert (done.state, done.files) == ("trouble", 0)
            return
        assert (done.state, done.said) == ("trouble", said)
        assert done.files >= 1
        assert await b.states() == [("held", "source_incomplete")] * done.files
        assert scanner.deleted == 1

    pull(tmp_path, scanner, work)


@pytest.mark.parametrize(
    ("manners", "station", "said"),
    [
        ({"adf": "ScannerAdfEmpty"}, {}, "the feeder is not ready: it is empty"),
        ({"state": "Stopped"}, {}, "the scanner is not ready: Stopped"),
        ({"busy_order": 99}, {}, "the scanner is busy"),
        ({}, {"duplex": True}, "the scanner's answer is not understood: the scanner has no feeder for both sides"),
        ({}, {"resolution_dpi": 600}, "the scanner does not scan at 600 dpi, only at 200, 300"),
        ({}, {"color": "black_and_white"}, "the scanner does not scan in black_and_white"),
        ({"host": "http://x/..%/"}, {}, None),
    ],
)
def test_jobs_that_do_not_start(
    tmp_path: Path, manners: dict[str, Any], station: dict[str, Any], said: str | None
) -> None:
    scanner = Scanner(PAGES)
    for name, value in manners.items():
        setattr(scanner, name, value)

    async def work(b: PullBench, done: Pull) -> None:
        if said is not None:
            assert (done.state, done.files, done.said) == ("refused", 0, said)
        assert await b.scans() == []

    pull(tmp_path, scanner, work, **station)


def test_a_page_that_is_too_large(tmp_path: Path) -> None:
    async def work(b: PullBench, done: Pull) -> None:
        assert (done.state, done.files, done.said) == ("trouble", 0, "a page is larger than max_bytes")
        assert await b.scans() == []

    pull(tmp_path, Scanner(PAGES), work, max_bytes=10)


def test_pictures_one_a_page_from_the_glass(tmp_path: Path) -> None:
    scanner = Scanner(PAGES[:1], "image/jpeg")

    async def work(b: PullBench, done: Pull) -> None:
        assert (done.state, done.files) == ("done", 1)
        assert (await b.scans())[0].name.endswith(b"0001.jpg")
        assert scanner.settings["InputSource"] == "Platen"

    pull(tmp_path, scanner, work, source="platen", format="jpeg")


def test_nobody_at_that_address(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        done = await b.pull()
        assert done.state == "refused"
        assert done.said.startswith("the scanner does not answer")

    with_pull(tmp_path, EsclStation(name="gone", url="http://127.0.0.1:9/eSCL", target="archive"), work, MagicCheck())


@pytest.mark.parametrize(
    ("where", "state", "fault"), [("status", "refused", "no_answer"), ("page", "trouble", "broken_off")]
)
def test_one_that_only_ever_says_go_on_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, state: str, fault: str
) -> None:
    monkeypatch.setattr("torhaus.daemon.scans.pull.escl.CONNECT_S", 0.7)
    scanner = Scanner(PAGES)
    scanner.stalls = where

    async def work(_: PullBench, done: Pull) -> None:
        assert (done.state, done.files, done.fault) == (state, 0, fault)

    pull(tmp_path, scanner, work, page_s=0.7)


def test_its_pages_leave_the_reserve_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def free(_: Disk, path: Path) -> int:
        asked.append(path)
        return 1 << 40 if len(asked) == 1 else 0  # when it began

    async def work(b: PullBench, done: Pull) -> None:
        assert (done.state, done.files, done.fault, done.detail) == ("trouble", 0, "not_kept", "ENOSPC")

    monkeypatch.setattr(Disk, "free", free)
    pull(tmp_path, Scanner(PAGES), work)
