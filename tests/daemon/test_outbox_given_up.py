"""What was given up stays given up: nothing beside it is taken for damaged, and the loss is stated once."""

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.daemon.outbox_fakes import Box, numbers, replace, with_box
from tests.daemon.test_outbox_mending import break_page, fill
from torhaus.daemon.outbox import aside, mending
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.outbox.mending import MAX_TRIES, Salvaging
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.salvage import Job, salvage
from torhaus.daemon.outbox.store import MAIN


async def take_out(box: Box) -> None:
    await fill(box)
    break_page(box, 10, 0)
    with contextlib.suppress(Salvaging):
        await box.read(MAIN, 10, 1)


def listen(box: Box) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    replace(box.told, "salvaged", lambda log, report, lost: told.append((report.first, lost)))
    return told


async def look(box: Box) -> tuple[list[int], set[int]]:
    """Intact numbers, lost positions; mending whatever turns up."""
    for _ in range(5):
        try:
            found = await box.everything()
        except Salvaging:
            await box.mender.mend()
            continue
        lost = {p for r in found if isinstance(r, Damaged) for p in range(r.pos, r.pos + r.count)}
        return numbers(r for r in found if isinstance(r, Stored)), lost
    raise AssertionError("it is mended again and again")


THERE = [*range(10), *range(20, 30)]


def test_a_file_that_a_person_removed(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        await take_out(box)
        box.set_aside[0].unlink()
        told = listen(box)
        await box.mender.mend()
        assert told == [(10, 10)]
        assert await look(box) == (THERE, set(range(10, 20)))

    async def again(box: Box) -> None:
        told = listen(box)
        assert await look(box) == (THERE, set(range(10, 20)))
        assert (told, box.set_aside, box.logs[MAIN].waiting) == ([], [], ())

    with_box(first, lambda: Box(tmp_path))
    with_box(again, lambda: Box(tmp_path))


def test_one_that_cannot_be_salvaged(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        await take_out(box)

        def broken(job: Job, stop: threading.Event) -> Report:
            if job.sources:
                raise ValueError("a defect")
            return salvage(job, stop)

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(mending, "salvage", broken)
            for _ in range(MAX_TRIES):
                await box.mender.mend()
        assert box.logs[MAIN].waiting == ()
        assert box.mender.reports["main", 10].problem == "a defect"

    async def again(box: Box) -> None:
        told = listen(box)
        assert box.mender.reports["main", 10].problem == "a defect"
        assert await look(box) == (THERE, set(range(10, 20)))
        assert (told, box.set_aside, len(box.mender.files)) == ([], [], 1)

    with_box(first, lambda: Box(tmp_path))
    with_box(again, lambda: Box(tmp_path))


def test_while_that_cannot_be_noted_it_waits_for_the_next_start(tmp_path: Path) -> None:
    async def first(box: Box) -> None:
        await take_out(box)

        def broken(job: object, stop: threading.Event) -> Report:
            raise sqlite3.OperationalError("disk I/O error")

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(mending, "salvage", broken)
            monkeypatch.setattr(aside, "write_file", lambda *_: (_ for _ in ()).throw(OSError(5, "no")))
            for _ in range(MAX_TRIES):
                await box.mender.mend()
        log = box.logs[MAIN]
        assert (log.waiting, log.holes.count(10, 20)) == ((), 10)
        assert await look(box) == (THERE, set())
        told = listen(box)
        await box.mender.mend()
        assert told == []

    async def again(box: Box) -> None:
        assert box.logs[MAIN].waiting == (10,)
        await box.mender.mend()
        assert await look(box) == (list(range(30)), set())

    with_box(first, lambda: Box(tmp_path))
    with_box(again, lambda: Box(tmp_path))


def test_any_failure_on_one_file_leaves_the_others_their_turn(tmp_path: Path) -> None:
    async def work(box: Box) -> None:
        await take_out(box)
        break_page(box, 0, 0)
        with contextlib.suppress(Salvaging):
            await box.read(MAIN, 0, 1)
        failures = list[str]()
        replace(box.told, "salvage_failed", lambda path, error: failures.append(repr(error)))

        def picky(job: Job, stop: threading.Event) -> Report:
            if job.first == 10:
                raise ZeroDivisionError("a defect met on one file")
            return salvage(job, stop)

        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(mending, "salvage", picky)
            await box.mender.mend()
        assert box.logs[MAIN].waiting == (10,)
        assert failures == ["ZeroDivisionError('a defect met on one file')"]
        await box.mender.mend()
        assert await look(box) == (list(range(30)), set())

    with_box(work, lambda: Box(tmp_path))
