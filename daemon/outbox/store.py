"""The outbox: what is put here is on disk before `done(True)` is called, and stays until every forwarder has it.

Two logs: `main` holds what the site's own devices said; `strangers` holds everybody else's traffic and what could not
be read, with a small budget of its own, so that it can never displace a reading. How commits are grouped: commit.py.
"""

import asyncio
import concurrent.futures
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.outbox.commit import Batch, Done, GroupCommit
from torhaus.daemon.outbox.log import Dropped, Log
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.segment import apply
from torhaus.daemon.outbox.state import Flush, Session, State, open_state
from torhaus.daemon.outbox.writer import Writer

MAIN: Final = "main"
STRANGERS: Final = "strangers"
DECODED: Final = "decoded"
"""Name under which the snapshot keeps the position below which every script has answered."""
FLUSH_S: Final = 1.0
"""How often settled ranges and sessions go to disk: a crash repeats at most what was settled since (same ids)."""

Feed = Callable[[list[Stored]], None]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox may occupy, and how long a commit may wait for company."""

    max_bytes: int = 4 << 30
    max_age_s: float = 0
    strangers_max_bytes: int = 64 << 20
    commit_window_s: float = 0.02


class Reporter:
    """What the outbox tells the daemon. Every method may be left as it is."""

    def committed(self, records: int, seconds: float) -> None:
        """A commit of so many records took so long."""

    def refused(self, records: int, reason: str) -> None:
        """Records were not stored, and not acknowledged."""

    def dropped(self, log: str, forwarder: str, records: int, reason: str) -> None:
        """Records left the log before this forwarder had them."""

    def failing(self, what: str | None) -> None:
        """Writing began to fail (what), or works again (None)."""


class Outbox:
    """Opened with `open`, used from the event loop, closed with `close`."""

    def __init__(self, path: Path, site: str, clock: Clock, limits: Limits, report: Reporter) -> None:
        self.path = path
        self.site = site
        self.clock = clock
        self.limits = limits
        self.report = report
        self.logs: dict[str, Log] = {}
        self.state: State
        self.set_aside: list[Path] = []
        self.failing: str | None = None
        self.flush = Flush()
        self.before_flush: list[Callable[[Flush], None]] = []
        self.settled_by: dict[str, dict[str, Ranges]] = {MAIN: {}, STRANGERS: {}}  # log, forwarder name
        self.boots: dict[str, int] = {}
        self.undecoded = Ranges()  # positions of the main log whose script has not answered
        self.scanned_to = 0  # pending records below it are in `undecoded`; those above may not be yet
        self.last_answer = 0.0  # loop time of the writer's last answer: what the watchdog looks at
        self._feeds: dict[str, list[Feed]] = {MAIN: [], STRANGERS: []}
        self._saving = asyncio.Lock()

    async def open(self) -> None:
        """Open or create the files. Raises OSError, sqlite3.Error or SchemaError when they cannot be used at all."""
        self._loop = asyncio.get_running_loop()
        self._writer = Writer()
        self._reader = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="torhaus-reader")
        self._commits = GroupCommit(self._writer, self.limits.commit_window_s, self._write, self._written)
        self.put = self._commits.put
        self.has_room = self._commits.has_room
        self.has_waiting = self._commits.has_waiting
        self.commit: Callable[[Done | None], None] = self._commits.commit
        self.put_verdict = self._commits.put_verdict
        self.last_answer = self._loop.time()
        await self._writer.call(self._open_files)

    def _open_files(self) -> None:
        now = self.clock.wall_ns()
        self.path.mkdir(parents=True, exist_ok=True)
        self.state, lost = open_state(self.path / "state.db", now)
        self.set_aside = [lost] if lost else []
        age = int(self.limits.max_age_s * 1e9)
        for name, folder, size in (
            (MAIN, "log", self.limits.max_bytes),
            (STRANGERS, "strangers", self.limits.strangers_max_bytes),
        ):
            log = Log(self.path / folder, self.site, max_bytes=size, max_age_ns=age, now_ns=now)
            self.logs[name] = log
            self.set_aside += log.set_aside
        self.boots = self.state.boots()
        self.scanned_to = max(self.state.sessions()[1].get(DECODED, 0), self.logs[MAIN].head)

    async def close(self) -> None:
        """Commit what waits, save the state, close the files."""
        await self._commits.drain()
        await self.save()
        self._reader.shutdown(wait=True)
        await self._writer.call(self._close_files)
        await self._writer.stop()

    def _close_files(self) -> None:
        for log in self.logs.values():
            log.close()
        self.state.close()

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, batch: Batch) -> dict[str, list[Stored]]:
        """On the writer thread."""
        boot = self.clock.boot_id
        out = {name: self.logs[name].append(records, boot) for name, records in batch.records.items() if records}
        if batch.verdicts:
            self.logs[MAIN].add_verdicts([(s.pos, v) for s, v in batch.verdicts])
        return out

    def _written(self, batch: Batch, result: dict[str, list[Stored]] | BaseException, seconds: float) -> None:
        self.last_answer = self._loop.time()
        if isinstance(result, BaseException):
            self._failed(result, batch.count)
            return
        self._works()
        self.report.committed(batch.count, seconds)
        for stored in result.get(MAIN, ()):
            if stored.record.pending:
                self.undecoded.add(stored.pos, stored.pos + 1)
        for name, records in result.items():
            for feed in self._feeds[name]:
                feed(records)
        if batch.verdicts:
            for one, verdict in batch.verdicts:
                apply(one, verdict)
                self.undecoded.remove(one.pos, one.pos + 1)
            for feed in self._feeds[MAIN]:
                feed([s for s, _ in batch.verdicts])
        for name, log in self.logs.items():
            if log.is_full or log.is_over:
                self._writer.submit(partial(self._house, name), self._housed)

    def _failed(self, error: BaseException, records: int) -> None:
        if not isinstance(error, sqlite3.Error | OSError):
            raise error  # a defect: the daemon ends rather than pretends
        reason = "disk_full" if "full" in str(error) or "space" in str(error) else "io_error"
        if records:
            self.report.refused(records, reason)
        if self.failing is None:
            self.failing = f"{reason}: {error}"
            self.report.failing(self.failing)

    def _works(self) -> None:
        if self.failing is not None:
            self.failing = None
            self.report.failing(None)

    # -- reading ------------------------------------------------------------------------------------------------------

    def subscribe(self, log: str, feed: Feed) -> None:
        """Have `feed` called with every committed batch, and again with records whose script has answered."""
        self._feeds[log].append(feed)

    async def read(self, log: str, pos: int, max_records: int) -> list[Stored | Damaged]:
        """Records from `pos` on, from disk."""
        return await self._loop.run_in_executor(self._reader, self.logs[log].read, pos, max_records)

    async def pending(self, pos: int, max_records: int) -> list[Stored]:
        """Records of the main log from `pos` on whose script has not answered."""
        return await self._loop.run_in_executor(self._reader, self.logs[MAIN].pending, pos, max_records)

    async def on_state(self, job: Callable[[State], Any]) -> Any:  # noqa: ANN401 - the job's own result
        """Run a job on state.db, on the writer thread."""
        return await self._writer.call(lambda: job(self.state))

    # -- housekeeping -------------------------------------------------------------------------------------------------

    def _house(self, name: str) -> tuple[str, list[Dropped]]:
        """On the writer thread: begin a new segment, drop old ones by the limits."""
        log, now = self.logs[name], self.clock.wall_ns()
        log.roll(now)
        dropped = []
        while (excess := log.excess(now)) is not None:
            dropped.append(excess)
            log.unlink_below(excess.end)
        return name, dropped

    def _housed(self, result: Any) -> None:  # noqa: ANN401 - result or exception
        if isinstance(result, BaseException):
            self._failed(result, 0)
            return
        name, dropped = result
        for d in dropped:
            for forwarder, settled in self.settled_by[name].items():
                self._count_drop(name, forwarder, (d.end - d.first) - settled.count(d.first, d.end), d.reason)
                settled.forget_below(d.end)
                self.flush.settled[forwarder, name] = list(settled)
            if not self.settled_by[name]:
                self._count_drop(name, "", d.end - d.first, d.reason)
            if name == MAIN:
                self.undecoded.remove(0, d.end)

    def _count_drop(self, log: str, forwarder: str, records: int, reason: str) -> None:
        if records:
            key = (forwarder, reason)
            self.flush.dropped[key] = self.flush.dropped.get(key, 0) + records
            self.report.dropped(log, forwarder, records, reason)

    def silent_s(self) -> float:
        """Seconds since the writer last answered anything."""
        return self._loop.time() - self.last_answer

    def decoded_to(self) -> int:
        """Below this position of the main log every script has answered."""
        log = self.logs[MAIN]
        first = next(iter(self.undecoded), (log.tail, 0))[0]
        return min(first, self.scanned_to)

    def drained_to(self, log: str) -> int:
        """Below this position every forwarder has settled everything, and every script has answered."""
        tail = self.logs[log].tail
        low = self.decoded_to() if log == MAIN else tail
        for settled in self.settled_by[log].values():
            gap = settled.gap(0, tail)
            low = min(low, gap[0] if gap else tail)
        return low

    async def save(self) -> None:
        """Write what changed in the state, then unlink what is drained. Raises nothing; a failure is reported."""
        async with self._saving:
            await self._save_now()

    async def _save_now(self) -> None:
        flush, self.flush = self.flush, Flush()
        for collect in self.before_flush:
            collect(flush)
        flush.at_ns = self.clock.wall_ns()
        if flush:
            flush.snapshot[DECODED] = self.decoded_to()
        drained = {name: self.drained_to(name) for name in self.logs if self.settled_by[name]}
        try:
            await self._writer.call(partial(self._save, flush, drained))
            for name in self.logs:
                self._housed(await self._writer.call(partial(self._house, name)))
            self._works()
        except (sqlite3.Error, OSError) as e:
            flush.merge(self.flush)
            self.flush = flush
            self._failed(e, 0)
        finally:
            self.last_answer = self._loop.time()

    def _save(self, flush: Flush, drained: dict[str, int]) -> None:
        if flush:
            self.state.save(flush)
        for name, pos in drained.items():
            self.logs[name].unlink_below(pos)

    async def run(self) -> None:
        """Save the state once a second, which also proves that the writer answers. Never returns."""
        while True:
            await self.clock.sleep(FLUSH_S)
            await self.save()

    async def load_sessions(self) -> list[Session]:
        """The last counter of every session: the snapshot, and what the log has after it."""
        snapshot, upto = await self.on_state(State.sessions)
        found = {s.dev_eui: s for s in snapshot}
        log = self.logs[MAIN]
        pos = max(upto.get(MAIN, 0), log.head)
        while pos < log.tail and (batch := await self.read(MAIN, pos, 5000)):
            for r in batch:
                pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
                if isinstance(r, Stored) and r.record.lora is not None:
                    lora = r.record.lora
                    if lora.dev_addr and lora.fcnt is not None:
                        key = r.record.dev_eui or lora.dev_addr
                        found[key] = Session(key, lora.dev_addr, lora.fcnt)
        return list(found.values())
