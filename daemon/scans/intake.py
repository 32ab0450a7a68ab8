"""Takes finished files out of one hot folder: exactly one scan per file, whatever crashes in between.

A file is finished when size, time and inode stood still for `stable_s` by our clock and its bytes, copied into the
spool first, pass the strict check. Then, in this order:

1. the copy gets its name in the spool (fsync'd), 2. scan, source and evidence are committed, 3. the source is claimed
by a rename, hashed once more and removed, 4. the source is forgotten in the store.

A crash before 2 leaves the file in its folder and no scan; a crash after 2 leaves a remembered source, which the next
look removes and never takes again. A file that does not pass is looked at again when it changes, and goes to
quarantine when it stays as it is for `give_up_s`.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.clock import Clock
from torhaus.daemon.scans import sources
from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.db import Arrival, Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import FULL, Disk, errno_name
from torhaus.daemon.scans.events import (
    IntakeStalled,
    NotTaken,
    Report,
    ScanMoved,
    SourceStuck,
    StationChanged,
    Unfinished,
)
from torhaus.daemon.scans.folder import Entry, HotFolder, Look, Removal
from torhaus.daemon.scans.prepare import Preparation, Prepared, Quiet, Seen
from torhaus.daemon.scans.sources import Entries, Source
from torhaus.daemon.scans.spool import Draft, Spool
from torhaus.daemon.scans.states import State

STUCK_RETRY_NS: Final = 600 * 10**9
"""How long between two attempts to remove a file that could not be removed."""

AT_ONCE: Final = 8
"""Files that are copied, checked and removed side by side: a disk flushes several in the time of one."""

_S: Final = 1e9


Work = Callable[[Tx], Source | None]


class Intake:
    """One station. `step` is one look; `run` looks for ever."""

    def __init__(
        self,
        station: Station,
        folder: HotFolder,
        db: ScansDb,
        spool: Spool,
        check: Check,
        clock: Clock,
        disk: Disk,
        report: Report,
    ) -> None:
        self._station = station
        self._folder = folder
        self._db = db
        self._preparation = Preparation(station, spool, check, disk)
        self._clock = clock
        self._report = report
        self._seen: dict[bytes, Seen] = {}
        self._told: dict[bytes, str] = {}
        self._sources: list[Source] | None = None
        self._stuck_until: dict[int, int] = {}
        self._up: bool | None = None
        self._stalled = ""

    async def run(self) -> None:
        """Look at the folder every `scan_interval_s` until cancelled."""
        while True:
            await self.step()
            await self._clock.sleep(self._station.scan_interval_s)

    async def step(self) -> int:
        """One look at the folder. Returns how many scans were made. Only defects leave it as exceptions."""
        try:
            look = await asyncio.to_thread(self._folder.look)
        except OSError as error:
            self._set_up(False, errno_name(error))
            return 0
        self._set_up(True, "")
        self._tell_refused(look)
        try:
            rest = await self._settle(look)
            return await self._take_finished(rest)
        except sqlite3.Error as error:
            self._stall("store", type(error).__name__)
        except OSError as error:
            self._stall("disk_full" if error.errno in FULL else "io", errno_name(error))
        except CheckUnavailable:
            self._stall("no_checker", "")
        return 0

    async def _settle(self, look: Look) -> list[Entry]:
        """Bring remembered sources up to date; returns the entries that are none of them."""
        if self._sources is None:
            self._sources = await self._db.run(lambda tx: sources.load(tx, self._station.name))
        entries = Entries(look.files)
        for source in tuple(self._sources):
            entry = entries.pop(source, self._folder.claim_path(source.seq))
            if entry is not None:
                if self._clock.boot_ns() >= self._stuck_until.get(source.seq, 0):
                    await self._remove({source: entry})
            elif look.dev == source.identity.dev and not entries.has_name(source.name):
                # another device: the share is not mounted, and says nothing; same name: reading will tell
                await self._forget({source: Removal.GONE})
        return entries.rest()

    async def _take_finished(self, entries: list[Entry]) -> int:
        now, taken = self._clock.boot_ns(), 0
        self._seen = {key: seen for e in entries if (seen := self._seen.get(key := _key(e))) is not None}
        quiet: list[Quiet] = []
        for entry in entries:
            seen = self._seen.get(_key(entry))
            if seen is None or seen.identity != entry.identity:
                self._seen[_key(entry)] = Seen(entry.identity, now)
            elif now - seen.since_ns >= self._station.stable_s * _S:
                give_up = now - seen.since_ns >= self._station.give_up_s * _S
                if self._is_to_be_read(entry, seen, give_up):
                    quiet.append(Quiet(entry, seen, give_up))
        for i in range(0, len(quiet), AT_ONCE):
            some, is_full = await self._take(quiet[i : i + AT_ONCE])
            taken += some
            if is_full:
                break
        return taken

    def _is_to_be_read(self, entry: Entry, seen: Seen, give_up: bool) -> bool:
        if not give_up and (seen.failed is not None or entry.identity.size_bytes == 0):
            return False
        return entry.identity.size_bytes <= self._station.max_bytes or self._leave(seen, "too_large")

    async def _take(self, quiet: list[Quiet]) -> tuple[int, bool]:
        """Take in those that are finished or given up; how many, and whether there is no room for more.

        They are copied and checked side by side, and get their numbers in the order of the look. Raises sqlite3.Error,
        CheckUnavailable.
        """
        found = await asyncio.gather(*map(self._prepare, quiet), return_exceptions=True)
        good: list[tuple[Entry, Prepared]] = []
        is_full = False
        trouble: BaseException | None = None
        for q, what in zip(quiet, found, strict=True):
            if isinstance(what, OSError):
                if what.errno in FULL:
                    is_full = True
                    self._stall("disk_full", errno_name(what))
                else:
                    self._leave(q.seen, "unreadable")  # this file's own trouble: the others have their turn
            elif isinstance(what, BaseException):
                trouble = what
            elif what is None:  # changed, vanished or replaced while it was read: starts anew
                self._seen.pop(_key(q.entry), None)
            elif what.is_kept:
                good.append((q.entry, what))
            elif what.verdict.reason is not None and not q.give_up:
                q.seen.failed = what.verdict.reason
                self._report(Unfinished(self._station.name, what.verdict.reason))
            elif (again := self._same(q.entry, what.draft.sha256)) is not None:
                await self._recognise(again, q.entry)
        if good:
            await self._keep(good)
        if trouble is not None:
            raise trouble
        return len(good), is_full

    async def _prepare(self, q: Quiet) -> Prepared | None:
        def is_known(sha256: str) -> bool:
            return self._same(q.entry, sha256) is not None

        return await self._preparation.prepare(q.entry, take_bad=q.give_up, is_known=is_known)

    def _same(self, entry: Entry, sha256: str) -> Source | None:
        return next((s for s in self._sources or () if s.same_file(entry, sha256)), None)

    async def _keep(self, good: list[tuple[Entry, Prepared]]) -> None:
        """Copies in the spool become scans, in one transaction; then their files are removed."""
        made = await self._commit(good)
        assert self._sources is not None
        for (entry, _), (scan, source) in zip(good, made, strict=True):
            for old in [s for s in self._sources if s.name == source.name and not entry.claimed]:
                await self._forget({old: Removal.CHANGED})  # what its name stands for is this scan's file by now
            self._sources.append(source)
            del self._seen[_key(entry)]
            self._report(ScanMoved(scan.id, scan.station, None, scan.state, scan.reason, scan.size_bytes))
        self._stalled = ""
        await self._remove({source: entry for (entry, _), (_, source) in zip(good, made, strict=True)})

    async def _commit(self, good: list[tuple[Entry, Prepared]]) -> list[tuple[Scan, Source]]:
        at = self._clock.stamp()

        def one(tx: Tx, entry: Entry, draft: Draft, verdict: Verdict) -> tuple[Scan, Source]:
            scan = tx.add(
                Arrival(
                    self._station.name, sources.original_name(tx, entry), draft.sha256, draft.size_bytes,
                    verdict.media_type, verdict.pages, verdict.flags, at, self._clock.boot_id, verdict.codes,
                )
            )  # fmt: skip
            if verdict.reason is not None:
                scan = tx.move(scan, State.QUARANTINED, at.wall_ns, verdict.reason)
            return scan, sources.remember(tx, scan, entry)

        return await self._db.run(lambda tx: [one(tx, entry, p.draft, p.verdict) for entry, p in good])

    async def _remove(self, taken: dict[Source, Entry]) -> None:
        """Remove taken files, or remember of each that it cannot be."""
        removals = await asyncio.gather(
            *(asyncio.to_thread(self._folder.remove, entry, s.seq, s.sha256) for s, entry in taken.items())
        )
        done = dict(zip(taken, removals, strict=True))
        await self._forget({s: removal for s, removal in done.items() if removal is not Removal.STUCK})
        for source, removal in done.items():
            if removal is Removal.STUCK:
                await self._keep_stuck(source, taken[source])

    async def _keep_stuck(self, source: Source, entry: Entry) -> None:
        self._stuck_until[source.seq] = self._clock.boot_ns() + STUCK_RETRY_NS
        if not source.stuck or source.identity != entry.identity:

            def work(tx: Tx) -> Source:
                return sources.update(tx, self._station.name, source, entry, True)

            await self._note({source: (work, "source_stuck")})

    async def _recognise(self, source: Source, entry: Entry) -> None:
        """A file that could not be removed only looks different: no new scan."""
        updated = await self._db.run(lambda tx: sources.update(tx, self._station.name, source, entry))
        self._replace(source, updated)

    async def _forget(self, gone: dict[Source, Removal]) -> None:
        def work(source: Source) -> Work:
            return lambda tx: sources.forget(tx, source)

        if gone:
            await self._note({source: (work(source), f"source_{removal.value}") for source, removal in gone.items()})

    async def _note(self, changes: dict[Source, tuple[Work, str]]) -> None:
        """Change what is remembered of sources, with evidence, in one transaction."""
        at: Stamp = self._clock.stamp()

        def noted(tx: Tx, source: Source, work: Work, event: str) -> tuple[Source | None, str]:
            scan = tx.get(source.seq)
            tx.note(scan, event, at.wall_ns)
            return work(tx), scan.id

        done = await self._db.run(lambda tx: [noted(tx, source, *change) for source, change in changes.items()])
        for source, (updated, scan_id) in zip(changes, done, strict=True):
            self._replace(source, updated)
            if updated is not None and updated.stuck and not source.stuck:
                self._report(SourceStuck(self._station.name, scan_id))

    def _replace(self, old: Source, new: Source | None) -> None:
        assert self._sources is not None
        self._sources = [s for s in self._sources if s.seq != old.seq]
        if new is None:
            self._stuck_until.pop(old.seq, None)
        else:
            self._sources.append(new)

    def _leave(self, seen: Seen, kind: str) -> bool:
        if seen.told != kind:
            seen.told = kind
            self._report(NotTaken(self._station.name, kind))
        return False

    def _tell_refused(self, look: Look) -> None:
        for name, kind in look.refused.items():
            if self._told.get(name) != kind:
                self._report(NotTaken(self._station.name, kind))
        self._told = look.refused

    def _set_up(self, up: bool, detail: str) -> None:
        if self._up is not up and not (up and self._up is None):
            self._report(StationChanged(self._station.name, up, detail))
        self._up = up

    def _stall(self, kind: str, detail: str) -> None:
        if self._stalled != kind + detail:
            self._stalled = kind + detail
            self._report(IntakeStalled(self._station.name, kind))


def _key(entry: Entry) -> bytes:
    return b"/" + entry.name if entry.claimed else entry.name
