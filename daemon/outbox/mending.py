"""Damage, seen from the event loop: what is found damaged is taken out, salvaged in the background, put back.

Meanwhile its positions are holes, so forwarders leave them out and find them unsettled when they are back. What is
lost for good stays damaged: forwarders settle and count it.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from torhaus.daemon.outbox import aside
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.outbox.folder import SKIP_AFTER_DAMAGE
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.salvage import UNFINISHED, Job, StoppedError, salvage
from torhaus.daemon.outbox.segment import CHECK_RECORDS, Segment, path_of
from torhaus.daemon.outbox.trouble import is_full

if TYPE_CHECKING:
    from torhaus.daemon.outbox.store import Outbox

LOOK_S: Final = 60
"""How often it is looked whether a person has removed files that were set aside, and a salvage that failed is tried."""
MAX_TRIES: Final = 10
NICE: Final = 10
"""Priority of the thread: what comes in goes first."""
NEIGHBOURS: Final = 4
"""Segments on either side whose store id a damaged one may have had."""


class Salvaging(sqlite3.OperationalError):
    """What is meant is being salvaged: it comes back, or is a hole then."""


class Stuck(Salvaging):
    """What is damaged cannot even be taken out: it stays where it is, and is tried again."""


class Mender:
    """Of one outbox. `reports` say what became of the files that are still there, by log and first position."""

    def __init__(self, outbox: "Outbox") -> None:
        self._outbox = outbox
        self.reports: dict[tuple[str, int], Report] = {}
        self.back: defaultdict[str, list[int]] = defaultdict(list)
        """By log: first positions of segments that came back, in the order in which they did."""
        self.files: list[Path] = []
        self.bytes = 0  # that they occupy, until a person removes them
        self._known: dict[tuple[str, int], Ranges] = {}  # what a segment does not have any more
        self._tries: dict[tuple[str, int], int] = {}
        self._is_wanted = False
        self._stop = threading.Event()
        self._thread = concurrent.futures.ThreadPoolExecutor(
            1, thread_name_prefix="torhaus-salvage", initializer=_go_last
        )

    def load(self) -> None:
        """Look at what was set aside, now and before. Raises OSError."""
        self.files = sorted(p for p in self._outbox.path.glob("state.db.corrupt-*") if _is_database(p))
        for name, log in self._outbox.logs.items():
            self.files += (p for paths in aside.files(log.folder).values() for p in paths)
            there = {(name, r.first): r for r in aside.reports(log.folder)}
            gone = [key for key in self.reports if key[0] == name and key not in there]
            self.reports = {k: r for k, r in self.reports.items() if k not in gone} | there

        self.bytes = sum(p.stat().st_size for p in self._outbox.path.rglob("*.corrupt-*"))

    async def close(self) -> None:
        """Leave what is under way to the next start."""
        self._stop.set()
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)

    # -- what is found damaged ----------------------------------------------------------------------------------------

    async def look(self, name: str, pos: int, found: list[Stored | Damaged]) -> list[Stored | Damaged]:
        """What was read from `pos` on, up to the first damage that is news (its segment is taken out), or what waits.

        Raises Salvaging when it begins with that.
        """
        log = self._outbox.logs[name]
        for i, r in enumerate(found):
            is_out = r.pos > pos and log.is_waiting(pos, r.pos)
            if is_out or (isinstance(r, Damaged) and not await self._is_known(name, r)):
                if i:
                    return found[:i]
                raise Salvaging("a damaged segment is being salvaged")
            pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
        if not found and log.is_waiting(pos, log.tail):
            raise Salvaging("a damaged segment is being salvaged")
        return found

    async def _is_known(self, name: str, damaged: Damaged) -> bool:
        log, end = self._outbox.logs[name], damaged.pos + damaged.count
        first = max((s for s in log.segments if s <= damaged.pos), default=None)
        if first is None:
            return True  # dropped meanwhile
        key, was_thinning = (name, first), name in self._outbox.thinning
        if key not in self._known:
            report = await self._outbox.on_reader(partial(aside.report_in, path_of(log.folder, first)))
            self._known[key] = Ranges(report.lost if report is not None else [])
        if self._known[key].count(damaged.pos, end) == damaged.count:
            return True
        if was_thinning or name in self._outbox.thinning:  # it may be another file by now
            raise Salvaging("a segment is being thinned out")
        try:
            is_out = await self._outbox.on_writer(partial(log.withdraw, first, self._outbox.clock.wall_ns()))
        except (OSError, sqlite3.Error) as e:
            raise Stuck(f"a damaged segment cannot be taken out: {e}") from e
        if not is_out and first in log.segments:
            self._known[key].add(damaged.pos, end)  # the file is gone, or its number is needed
            return True
        if is_out:
            del self._known[key]
            self._outbox.report.set_aside(log.set_aside[-1])
            self._outbox.set_aside.append(log.set_aside[-1])
            await self._outbox.on_reader(log.trim_readers)
            self._is_wanted = True
        return False

    # -- what is salvaged ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Salvage what waits, and then whatever comes to it. Never returns."""
        await self.look_at_ends()
        while True:
            self._is_wanted = False
            await self._outbox.on_reader(self.load)
            await self.mend()
            for _ in range(LOOK_S):
                await self._outbox.clock.sleep(1)
                if self._is_wanted:
                    break

    async def look_at_ends(self) -> None:
        """Have damage that was seen near an end when the logs were opened taken for what it is."""
        for name, log in self._outbox.logs.items():
            if log.damaged:
                with contextlib.suppress(sqlite3.OperationalError):  # else it is found when it is read
                    await self._outbox.read(name, max(log.segments[-1], log.tail - CHECK_RECORDS), CHECK_RECORDS)

    async def mend(self) -> None:
        """Try once to salvage everything that waits. What cannot be done now is reported, and tried again."""
        for name, log in self._outbox.logs.items():
            for first in log.waiting:
                await self._mend(name, log, first)

    async def _mend(self, name: str, log: Log, first: int) -> None:
        key = (name, first)
        stores = tuple(reversed(self._outbox.second.stores.get(name, ())))
        job = await self._outbox.on_reader(partial(job_of, log, first, self._outbox.clock.wall_ns(), stores))
        try:
            if not job.sources:
                raise FileNotFoundError("the file that was set aside is gone")  # noqa: TRY301 - one way to fail of several
            self._outbox.report.salvaging(job.sources[-1])
            loop = asyncio.get_running_loop()
            report = await loop.run_in_executor(self._thread, salvage, job, self._stop)
            await self._outbox.on_writer(partial(put_back, log, report))
            self.back[name].append(first)
        except StoppedError:
            return
        except Exception as e:  # noqa: BLE001 - also a defect, met on one file, must not keep the others waiting
            if not is_full(e):  # lack of room says nothing about the file: it is tried until there is some
                self._tries[key] = self._tries.get(key, 0) + 1
            if self._tries.get(key, 0) < MAX_TRIES and job.sources and not log.is_over:
                self._outbox.report.salvage_failed(job.sources[-1], e)
                return
            report = _loss(job, str(e))
            with contextlib.suppress(OSError, sqlite3.Error, SchemaError):  # then it is tried again at the next start
                await self._outbox.on_writer(partial(_give_up, log, job, report, self._stop))
        self._known[key] = Ranges(report.lost)
        before = self.reports.get(key)
        self.reports[key] = report
        self._outbox.report.salvaged(name, report, report.lost_records - (before.lost_records if before else 0))


def job_of(log: Log, first: int, now_ns: int, stores: Iterable[str] = ()) -> Job:
    """What there is to salvage of a segment that was set aside. `stores` are ids that this log has had."""
    limit = min(s for s in (*log.segments, *log.waiting) if s > first)
    is_end_known = limit - first < SKIP_AFTER_DAMAGE
    near = sorted(log.segments, key=lambda s: abs(s - first))[:NEIGHBOURS]
    known = dict.fromkeys(s for n in near if (s := _store_of(path_of(log.folder, n))))
    return Job(
        folder=log.folder,
        site=log.site,
        machine=log.machine,
        first=first,
        end=limit if is_end_known else limit - SKIP_AFTER_DAMAGE,
        limit=limit,
        is_end_known=is_end_known,
        now_ns=now_ns,
        sources=tuple(aside.files(log.folder).get(first, ())),
        stores=tuple(known | dict.fromkeys(stores)),
    )


def put_back(log: Log, report: Report) -> None:
    """What was salvaged takes its place. On the writer thread; raises OSError."""
    log.take_back(report.first, log.folder / UNFINISHED)
    aside.write_reports(log.folder, report)


def _give_up(log: Log, job: Job, report: Report, stop: threading.Event) -> None:
    """An empty segment that says what it does not have takes its place: else the one before it looks cut off."""
    log.give_up(job.first)
    salvage(msgspec.structs.replace(job, sources=()), stop)
    put_back(log, report)


def _loss(job: Job, problem: str) -> Report:
    return Report(
        first=job.first,
        site=job.site,
        store="",
        at_ns=job.now_ns,
        lost_records=job.end - job.first,
        lost=[(job.first, job.end)],
        is_end_known=job.is_end_known,
        problem=problem,
    )


def _store_of(path: Path) -> str | None:
    try:
        with contextlib.closing(Segment.open(path, read_only=True)) as segment:
            return segment.store
    except (sqlite3.Error, SchemaError):
        return None


def _is_database(path: Path) -> bool:
    return not path.name.endswith(("-wal", "-shm", "-journal", aside.REPORT))


def _go_last() -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
