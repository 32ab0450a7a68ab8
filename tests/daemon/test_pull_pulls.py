"""Jobs: one at a time for each scanner, told of while they run, whatever happens kept."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from tests.daemon.pull_bench import PullBench, with_pull
from tests.daemon.scans_fakes import FaultyDisk, MagicCheck, fake_pdf
from tests.peers import until
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.pages import ScanPages
from torhaus.daemon.scans.pull.job import JobFolder
from torhaus.daemon.scans.pull.pulls import Pull
from torhaus.daemon.scans.stations import SaneStation


def stand_in(tmp_path: Path, script: str) -> SaneStation:
    path = tmp_path / "scanimage"
    first = 'for a in "$@"; do case "$a" in --batch=*) DIR=$(dirname "${a#--batch=}");; esac; done\n'
    path.write_text(f"#!/bin/sh\n{first}{script}")
    path.chmod(0o755)
    return SaneStation(name="desk", target="archive", device="test:0", program=str(path), format="pdf")


GOOD = 'printf "%PDF-1.7 x\\n%%%%EOF\\n" > "$DIR/0001.pdf"; echo "$DIR/0001.pdf"'.replace("%PDF", "%%PDF")


async def answer(page: Any, query: str) -> tuple[int, bytes]:
    response = await page(make_mocked_request("GET", f"/scans/pull?{query}"))
    return response.status, response.body


def test_started_by_the_socket_and_looked_at(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        pages = ScanPages(b.queue)
        assert (await answer(pages.pulled, "station=desk"))[0] == 404
        assert (await answer(pages.pull, "station=nobody"))[0] == 404
        running = asyncio.ensure_future(b.queue.pulls.run())
        status, body = await answer(pages.pull, "station=desk")
        assert status == 200
        assert b'"running"' in body
        assert (await answer(pages.pull, "station=desk"))[0] == 409
        await until(lambda: b.queue.pulls.last["desk"].state != "running")
        running.cancel()
        status, body = await answer(pages.pulled, "station=desk")
        assert (status, b'"done"' in body) == (200, True)
        assert await b.look() == 1
        assert await b.states() == [("spooled", None)]

    with_pull(tmp_path, stand_in(tmp_path, GOOD), work, MagicCheck())


def test_a_job_that_is_cut_off_keeps_what_came(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        b.queue.pulls.start("desk", "uid:1000")
        job = asyncio.ensure_future(b.queue.pulls.pull("desk"))
        hidden = b.root / "state/scans/pull/desk"
        await until(lambda: list(hidden.glob(".job-*/0001.pdf")))
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert await b.look() <= 1
        assert set(await b.states()) <= {("held", "source_incomplete")}
        assert list(hidden.glob(".job-*")) == []

    with_pull(tmp_path, stand_in(tmp_path, f"{GOOD}\nexec sleep 60"), work, MagicCheck())


def test_after_a_crash_what_came_is_held(tmp_path: Path) -> None:
    station = stand_in(tmp_path, GOOD)
    place = tmp_path / "state/scans/pull/desk"
    place.mkdir(parents=True)
    folder = JobFolder(place, "job-1", Disk())
    folder.open()
    with folder.page("pdf") as fd:
        Disk().write(fd, fake_pdf())

    async def work(b: PullBench) -> None:
        assert await b.look() == 1
        assert await b.states() == [("held", "source_incomplete")]

    with_pull(tmp_path, station, work, MagicCheck())


def test_who_started_a_job_is_written_down_before_it_begins(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        told: list[tuple[str, str]] = []

        async def begun(job: Pull, account: str) -> None:
            told.append((job.station, account))
            if len(told) > 1:
                raise sqlite3.OperationalError("database or disk is full")

        b.queue.pulls.begun = begun
        assert (await b.pull()).state == "done"
        failed = await b.pull()
        assert (failed.state, failed.files, failed.fault) == ("trouble", 0, "not_kept")
        assert told == [("desk", "uid:1000")] * 2

    with_pull(tmp_path, stand_in(tmp_path, GOOD), work, MagicCheck())


def test_scanners_leave_the_reserve_alone(tmp_path: Path) -> None:
    async def work(b: PullBench) -> None:
        disk = b.queue.pulls._disk = FaultyDisk()
        disk.free_bytes = b.config.min_free_bytes
        disk.fault = lambda name, _: setattr(disk, "free_bytes", disk.free_bytes - (name == "free"))
        done = await b.pull()
        assert (done.state, done.files, done.fault, done.detail) == ("trouble", 0, "not_kept", "ENOSPC")
        disk.free_bytes = b.config.min_free_bytes + 1
        done = await b.pull()
        assert (done.state, done.files, done.fault, done.detail) == ("trouble", 1, "not_kept", "ENOSPC")
        assert await b.states() == [("held", "source_incomplete")]

    with_pull(tmp_path, stand_in(tmp_path, f"{GOOD}\nexec sleep 60"), work, MagicCheck())
