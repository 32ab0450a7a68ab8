"""Jobs at scanners that are asked for their pages: one at a time for each, started by a person or a code."""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.config import ScanConfig, Station
from torhaus.daemon.scans.disk import Disk, errno_name
from torhaus.daemon.scans.pull.base import Scanner
from torhaus.daemon.scans.pull.escl import EsclScanner
from torhaus.daemon.scans.pull.faults import CUT_OFF, PullRefused, Trouble, not_kept
from torhaus.daemon.scans.pull.job import SIDECAR, JobFolder, complete_cut_off
from torhaus.daemon.scans.pull.sane import SaneScanner
from torhaus.daemon.scans.stations import EsclStation, PulledStation, Sidecar

_LAYOUT: Final = Sidecar(
    format="json",
    name=SIDECAR,
    records="files",
    fields={
        "document": "document", "documents": "documents", "batch_pages": "pages?", "batch": "batch",
        "trouble": "trouble?",
    },
)  # fmt: skip


class Pull(msgspec.Struct, frozen=True):
    """A station's job. `files`: how many documents it brought so far; `said`: what went wrong.

    `fault` is the word for it (faults.py), `detail` what belongs to it.
    """

    station: str
    job: str
    state: Literal["running", "done", "trouble", "refused"]
    files: int = 0
    said: str = ""
    fault: str = ""
    detail: str = ""


async def _nobody(_: Pull, __: str) -> None:
    """Where there is no journal."""


class Pulls:
    """All stations that are pulled from. `run` works through what `start` was asked for.

    `begun` is told of every job before it begins, and who started it; it may raise sqlite3.Error: then it does not.
    """

    def __init__(self, config: ScanConfig, root: Path, disk: Disk, clock: Clock) -> None:
        self._stations = {s.name: s for s in config.station if isinstance(s, PulledStation)}
        self._root = root
        self._min_free_bytes = config.min_free_bytes
        self._disk = disk
        self._clock = clock
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._folders: dict[str, JobFolder] = {}
        self._accounts: dict[str, str] = {}
        self.begun: Callable[[Pull, str], Awaitable[None]] = _nobody
        self.last: dict[str, Pull] = {}

    @property
    def stations(self) -> dict[str, PulledStation]:
        """All that jobs can be started at."""
        return self._stations

    def now(self, name: str) -> Pull | None:
        """A station's last job, with what has come while it runs; None where none was started."""
        last, folder = self.last.get(name), self._folders.get(name)
        if last is None or folder is None or last.state != "running":
            return last
        return msgspec.structs.replace(last, files=folder.count)

    def folders(self) -> list[Station]:
        """Where the stations' jobs come in: hot folders of our own."""
        return [
            Station(
                name=s.name,
                path=str(self._root / s.name),
                target=s.target,
                done="sidecar",
                sidecar=_LAYOUT,
                batches="folders",
                scan_interval_s=1.0,
                stable_s=1.0,
                give_up_s=1.0,
                batch_timeout_s=1.0,
                max_bytes=s.max_bytes,
                duplicates=s.duplicates,
                cover_sheets=s.cover_sheets,
            )
            for s in self._stations.values()
        ]

    def prepare(self) -> None:
        """Make the folders; what a crash cut off is completed. Blocks, raises OSError."""
        if not self._stations:
            return
        self._disk.make_dir(self._root)
        for name in self._stations:
            self._disk.make_dir(self._root / name)
            complete_cut_off(self._root / name, self._disk)

    def start(self, name: str, account: str) -> Pull:
        """Start a job; `account`: who wants it. Raises KeyError (no such station), ValueError (one is running)."""
        station = self._stations[name]
        if name in self.last and self.last[name].state == "running":
            raise ValueError(f"{station.name}: a job is running")
        self.last[name] = Pull(name, f"job-{self._clock.wall_ns():x}-{os.urandom(2).hex()}", "running")
        self._accounts[name] = account
        self._wanted.put_nowait(name)
        return self.last[name]

    async def run(self) -> None:
        """Run jobs until cancelled: those of different stations side by side."""
        async with asyncio.TaskGroup() as group:
            while True:
                name = await self._wanted.get()
                group.create_task(self.pull(name), name=f"scans-pull-{name}")

    async def pull(self, name: str) -> None:
        """Run the job that was started."""
        station, started = self._stations[name], self.last[name]
        scanner = self._scanner(station)
        folder = self._folders[name] = JobFolder(self._root / name, started.job, self._disk, self._min_free_bytes)
        pages, is_refused = None, False
        trouble: Trouble | None = CUT_OFF
        try:
            await asyncio.to_thread(folder.open)
            await self.begun(started, self._accounts[name])
            pulled = await scanner.pull(folder)
            pages, trouble = pulled.pages, pulled.trouble
        except PullRefused as error:
            is_refused, trouble = True, error.trouble
        except OSError as error:
            trouble = not_kept(errno_name(error))
        except sqlite3.Error as error:
            trouble = not_kept(type(error).__name__)
        finally:
            self.last[name] = await self._hand_over(folder, started, pages, trouble, is_refused=is_refused)
            self._folders.pop(name, None)

    async def _hand_over(
        self, folder: JobFolder, started: Pull, pages: int | None, trouble: Trouble | None, *, is_refused: bool
    ) -> Pull:
        try:
            files = await asyncio.to_thread(folder.close, pages, trouble.text if trouble is not None else None)
        except OSError as error:  # it is completed at the next start
            return _ended(started, "trouble", 0, not_kept(errno_name(error)))
        if trouble is None:
            return _ended(started, "done", files)
        return _ended(started, "refused" if is_refused and not files else "trouble", files, trouble)

    def _scanner(self, station: PulledStation) -> Scanner:
        if isinstance(station, EsclStation):
            return EsclScanner(station, self._clock)
        return SaneScanner(station)


def _ended(
    started: Pull, state: Literal["done", "trouble", "refused"], files: int, trouble: Trouble | None = None
) -> Pull:
    if trouble is None:
        return Pull(started.station, started.job, state, files)
    return Pull(started.station, started.job, state, files, trouble.text, trouble.fault.value, trouble.detail)
