"""The outbox: what is put here is on disk before `done(True)` is called, and stays until every forwarder has it.

`main` holds what the site's own devices said; `strangers` holds everybody else's traffic and what could not be read,
with a small budget of its own, so that it can never displace a reading. `relay` is there when a forwarder passes raw
LoRaWAN frames on to a network server: it holds what these want, whoever sent it, in the order in which it came. A log
of its own, since a far side of readings that is away must not pin strangers' frames to the disk, nor they drive out
readings. How commits are grouped: commit.py.
"""

import asyncio
import concurrent.futures
import fcntl
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.commit import VERDICTS, Batch, GroupCommit, Result, guarded
from torhaus.daemon.outbox.folder import FOLDERS
from torhaus.daemon.outbox.keeping import DECODED, MAIN, RELAY, STRANGERS, Keeper
from torhaus.daemon.outbox.limits import Limits
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.mending import Mender
from torhaus.daemon.outbox.opening import open_state
from torhaus.daemon.outbox.ranges import runs
from torhaus.daemon.outbox.record import Damaged, Stored, apply
from torhaus.daemon.outbox.reserve import RESERVE_BYTES
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.trouble import Reporter, is_full, reason_of
from torhaus.daemon.outbox.writer import Writer

Feed = Callable[[list[Stored]], None]
ROOM_TO_OPEN_BYTES: Final = 1 << 20
"""With less than this free, any failure to open a file is taken for lack of room: SQLite does not always say so."""


__all__ = ["MAIN", "RELAY", "STRANGERS", "Feed", "Limits", "Outbox", "Reporter"]


def machine_id() -> str:
    """What tells this machine from another with a copy of its disk; empty where there is no such thing."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


class Outbox(Keeper):
    """Opened with `open`, used from the event loop, closed with `close`."""

    def __init__(
        self, path: Path, site: str, clock: Clock, limits: Limits, report: Reporter, machine: str | None = None
    ) -> None:
        reserve_bytes = min(RESERVE_BYTES, limits.max_bytes // 16)
        super().__init__(path, clock, report, limits.state_interval_s, reserve_bytes)
        self.site = site
        self.limits = limits
        self.set_aside: list[Path] = []
        self._machine = machine_id() if machine is None else machine
        self._feeds: dict[str, list[Feed]] = {MAIN: [], STRANGERS: [], RELAY: []}
        self._lock: int | None = None

    async def open(self) -> None:
        """Open or create the files. Raises OSError, sqlite3.Error or SchemaError when they cannot be used at all."""
        self._loop = asyncio.get_running_loop()
        self._writer = Writer()
        self._reader = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="torhaus-reader")
        self._commits = GroupCommit(self._writer, self.limits.commit_window_s, self._write, self._written)
        self.put = self._commits.put
        self.has_room = self._commits.has_room
        self.has_waiting = self._commits.has_waiting
        self.commit = self._commits.commit
        self.put_verdict = self._commits.put_verdict
        self.last_answer = self._loop.time()
        self.mender = Mender(self)
        try:
            await self._writer.call(self._open_files)
        except BaseException:
            await self.mender.close()
            await self._writer.call(self._close_files)
            self._reader.shutdown()
            await self._writer.stop()
            raise
        self._told_room()
        for path in self.set_aside:
            self.report.set_aside(path)

    def _open_files(self) -> None:
        """On the writer thread. On a full disk the reserve is what lets the files be opened."""
        try:
            self._open_all()
        except (OSError, sqlite3.Error) as e:
            if not self.is_out_of_room(e) or not self._reserve.release():
                raise
            self._close_files()
            self._open_all()

    def is_out_of_room(self, error: BaseException) -> bool:
        """Whether the files could not be opened for lack of room: later they may be."""
        return is_full(error) or (reason_of(error) == "io_error" and self._reserve.free() < ROOM_TO_OPEN_BYTES)

    def _open_all(self) -> None:
        now = self.clock.wall_ns()
        migrate.make_folder(self.path)
        self._lock = os.open(self.path / "outbox.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise OSError(e.errno, "in use by another torhaus", str(self.path)) from None
        opened = open_state(self.path / "state.db", now)
        self.state, self.state_was_lost = opened.state, opened.was_lost
        self.set_aside = [opened.set_aside] if opened.set_aside else []
        self.second.remember(opened.copy)
        age, decoded = int(self.limits.max_age_s * 1e9), self.state.sessions()[1].get(DECODED, 0)
        for name, size, count in self.limits.logs(self.path):
            log = Log(
                self.path / FOLDERS[name],
                self.site,
                max_bytes=size,
                max_age_ns=age,
                max_records=count,
                now_ns=now,
                floor=max(self.state.given_out(name), decoded if name == MAIN else 0),
                machine=self._machine,
            )
            self.logs[name] = log
            self.second.use(name, log.store)
            self.set_aside += log.set_aside
            self._told[name], self._counted[name] = log.tail, log.head
        self.boots = self.state.boots()
        self.scanned_to = max(decoded, self.logs[MAIN].head)
        if self._reserve.has_room():
            self._reserve.fill()
        self.mender.load()

    async def close(self) -> None:
        """Commit what waits, save the state, close the files."""
        await self.mender.close()
        await self._commits.drain()
        await self.save()
        self._reader.shutdown(wait=True)
        await self._writer.call(self._close_files)
        await self._writer.stop()

    def _close_files(self) -> None:
        for log in self.logs.values():
            log.close()
        if hasattr(self, "state"):
            self.second.write(self.state, self.clock.boot_ns(), changed=False, at_once=True)
            self.state.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, batch: Batch) -> Result:
        """On the writer thread. Each log for itself: what befalls one must not keep the other from being written."""
        boot = self.clock.boot_id
        result = Result()
        for name, records in batch.records.items():
            if records:
                try:
                    self._reserve.need_room()
                    result.stored[name] = self.logs[name].append(records, boot)
                except Exception as e:  # noqa: BLE001 - told for this log
                    result.errors[name] = e
                    if is_full(e) and self._reserve.is_scarce():
                        self._reserve.is_short = True
                        self._reserve.release()  # those who send need a little room to get rid of anything
        if batch.verdicts:
            try:
                self.logs[MAIN].add_verdicts([(s.pos, v) for s, v in batch.verdicts])
            except Exception as e:  # noqa: BLE001 - they are kept, and tried again
                result.errors[VERDICTS] = e
        return result

    def _written(self, batch: Batch, result: Result, seconds: float) -> None:
        self.last_answer = self._loop.time()
        for part, error in result.errors.items():
            if self._reserve.is_short and is_full(error):
                self._told_room()
            else:
                self._failed(part, error)
            if batch.records.get(part):
                self.report.refused(len(batch.records[part]), reason_of(error))
        stored_count = sum(map(len, result.stored.values()))
        if stored_count:
            self.report.committed(stored_count, seconds)
        for start, end in runs(s.pos for s in result.stored.get(MAIN, ()) if s.record.pending):
            self.undecoded.add(start, end)
        for name, records in result.stored.items():
            self._trouble.works(name)
            self._told[name] = records[-1].pos + 1
            self._feed(name, records)
        if batch.verdicts and VERDICTS not in result.errors:
            self._trouble.works(VERDICTS)
            for one, verdict in batch.verdicts:
                apply(one, verdict)
            decided = [s for s, verdict in batch.verdicts if verdict.is_decision]
            for start, end in runs(s.pos for s in decided):
                self.undecoded.remove(start, end)
            if decided:
                self._feed(MAIN, decided)
        self._house_if_due()

    def _feed(self, log: str, records: list[Stored]) -> None:
        for feed in self._feeds[log]:
            guarded(self._loop, feed, records)

    # -- reading ------------------------------------------------------------------------------------------------------

    def subscribe(self, log: str, feed: Feed) -> None:
        """Have `feed` called with every committed batch, and again with records whose script has answered."""
        self._feeds[log].append(feed)

    def unsubscribe(self, log: str, feed: Feed) -> None:
        """The counterpart of `subscribe`."""
        self._feeds[log].remove(feed)

    async def read(self, log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
        """What is in a log from `pos` on, from disk, without a gap; empty at the end.

        Raises sqlite3.OperationalError when it cannot be read just now, as when a damaged segment is being salvaged.
        """
        for _ in range(2):
            found = await self.mender.look(
                log, pos, await self.on_reader(partial(self.logs[log].read, pos, max_records))
            )
            lost = [r for r in found if isinstance(r, Stored) and r.record.pending and self._is_overdue(r.pos)]
            if not lost or log != MAIN:
                return found
        for r in lost:  # its verdict did not come while we read: it is damaged
            self.undecoded.add(r.pos, r.pos + 1)
        self._feed(MAIN, lost)
        return found

    def _is_overdue(self, pos: int) -> bool:
        """Whether this record's script has answered."""
        return pos < self.scanned_to and pos not in self.undecoded

    async def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records of the main log from `pos` on whose script has not answered."""
        return await self._loop.run_in_executor(self._reader, self.logs[MAIN].pending, pos, max_records)

    async def alarms(self, log: str, first: int) -> list[int]:
        """Positions of alarms in the segment that begins at `first`: ten thousand at most.

        Raises sqlite3.OperationalError when it cannot be read just now.
        """
        return await self._loop.run_in_executor(self._reader, self.logs[log].alarms, first, 10_000)

    async def on_writer(self, job: Callable[[], Any]) -> Any:  # noqa: ANN401 - the job's own result
        """Run a job on the writer thread, after what was asked of it before."""
        return await self._writer.call(job)

    async def on_reader(self, job: Callable[[], Any]) -> Any:  # noqa: ANN401 - the job's own result
        """Run a job on the reader thread, after what was asked of it before."""
        return await self._loop.run_in_executor(self._reader, job)

    async def on_state(self, job: Callable[[State], Any]) -> Any:  # noqa: ANN401 - the job's own result
        """Run a job on state.db, on the writer thread."""
        return await self._writer.call(lambda: job(self.state))
