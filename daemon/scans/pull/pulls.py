"""Jobs at scanners that are asked for their pages: one at a time for each, started by a person or a code."""

import asyncio
import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.config import ScanConfig, Station
from torhaus.daemon.scans.disk import Disk, errno_name
from torhaus.daemon.scans.pull.base import PullRefused, Scanner
from torhaus.daemon.scans.pull.escl import EsclScanner
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
    """A station's job. `files`: how many documents it brought; `said`: what went wrong."""

    station: str
    job: str
    state: Literal["running", "done", "trouble", "refused"]
    files: int = 0
    said: str = ""


class Pulls:
    """All stations that are pulled from. `run` works through what `start` was asked for."""

    def __init__(self, config: ScanConfig, root: Path, disk: Disk, clock: Clock) -> None:
        self._stations = {s.name: s for s in config.station if isinstance(s, PulledStation)}
        self._root = root
        self._disk = disk
        self._clock = clock
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self.last: dict[str, Pull] = {}

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

    def start(self, name: str) -> Pull:
        """Start a job. Raises KeyError (no such station, or none that is pulled from), ValueError (one is running)."""
        station = self._stations[name]
        if name in self.last and self.last[name].state == "running":
            raise ValueError(f"{station.name}: a job is running")
        self.last[name] = Pull(name, f"job-{self._clock.wall_ns():x}-{os.urandom(2).hex()}", "running")
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
        folder = JobFolder(self._root / name, started.job, self._disk)
        pages, trouble, refused = None, "the job was cut off", ""
        try:
            await asyncio.to_thread(folder.open)
            pulled = await scanner.pull(folder)
            pages, trouble = pulled.pages, pulled.trouble or ""
        except PullRefused as error:
            refused = trouble = str(error)
        except OSError as error:
            trouble = f"cannot be kept: {errno_name(error)}"
        finally:
            self.last[name] = await self._hand_over(folder, started, pages, trouble, refused)

    async def _hand_over(self, folder: JobFolder, started: Pull, pages: int | None, trouble: str, refused: str) -> Pull:
        try:
            files = await asyncio.to_thread(folder.close, pages, trouble or None)
        except OSError as error:  # it is completed at the next start
            return msgspec.structs.replace(started, state="trouble", said=f"cannot be kept: {errno_name(error)}")
        state: Literal["done", "trouble", "refused"] = "trouble" if trouble else "done"
        return Pull(started.station, started.job, "refused" if refused and not files else state, files, trouble)

    def _scanner(self, station: PulledStation) -> Scanner:
        if isinstance(station, EsclStation):
            return EsclScanner(station, self._disk, self._clock)
        return SaneScanner(station)
