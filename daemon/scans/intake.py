"""Takes finished files out of one hot folder: exactly one scan per file, whatever crashes in between.

A file is finished when the station's rule says so (finished.py) and its bytes, copied into the spool first, pass the
strict check. Then, in this order:

1. the copy gets its name in the spool (fsync'd), 2. scan, source and evidence are committed, 3. the source is claimed
by a rename, hashed once more and removed, 4. the source is forgotten in the store.

A crash before 2 leaves the file in its folder and no scan; a crash after 2 leaves a remembered source, which the next
look removes and never takes again. A file that does not pass is looked at again when it changes, and goes to
quarantine when it stays as it is for `give_up_s`. Batches are committed whole or not at all.
"""

import asyncio
import os
import sqlite3
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans import sources
from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.db import Arrival, Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import FULL, Disk, errno_name
from torhaus.daemon.scans.episodes import Episodes
from torhaus.daemon.scans.events import Report, ScanMoved, Unfinished
from torhaus.daemon.scans.finished import Finished, key
from torhaus.daemon.scans.folder import Entry, HotFolder, Look
from torhaus.daemon.scans.prepare import Preparation, Prepared, Quiet, Together
from torhaus.daemon.scans.remembered import Remembered
from torhaus.daemon.scans.sources import Source
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import Reason, State

AT_ONCE: Final = 8
"""Files that are copied, checked and removed side by side: a disk flushes several in the time of one."""


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
        self._episodes = Episodes(station.name, report)
        self._finished = Finished(station, folder, self._episodes.leave)
        self._remembered = Remembered(station.name, folder, db, clock, report)

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
            self._episodes.up(False, f"{self._folder.path}: {os.strerror(error.errno or 0)}")  # never a document's name
            return 0
        self._episodes.up(True, "")
        self._episodes.refused(look)
        if not look.files:
            self._episodes.flows()
        try:
            rest = await self._remembered.settle(look)
            return await self._take_finished(look, rest)
        except sqlite3.Error as error:
            self._episodes.stalled("store", type(error).__name__)
        except OSError as error:
            self._episodes.stalled("disk_full" if error.errno in FULL else "io", errno_name(error))
        except CheckUnavailable:
            self._episodes.stalled("no_checker", "")
        return 0

    async def _take_finished(self, look: Look, entries: list[Entry]) -> int:
        alone, together = await self._finished.among(look, entries, self._clock.boot_ns())
        taken, is_full = 0, False
        for i in range(0, len(alone), AT_ONCE):
            some, is_full = await self._take(alone[i : i + AT_ONCE])
            taken += some
            if is_full:
                return taken
        for whole in together:
            some, is_full = await self._take_whole(whole)
            taken += some
            if is_full:
                break
        return taken

    async def _take(self, quiet: list[Quiet]) -> tuple[int, bool]:
        """Take in those that are finished or given up; how many, and whether there is no room for more.

        They are copied and checked side by side, and get their numbers in the order of the look. Raises sqlite3.Error,
        CheckUnavailable.
        """
        found = await asyncio.gather(*map(self._prepare, quiet), return_exceptions=True)
        good: list[tuple[Quiet, Prepared]] = []
        troubles: list[BaseException] = []
        for q, what in zip(quiet, found, strict=True):
            if isinstance(what, BaseException):
                troubles.append(what)
                self._leave_unreadable(q, what)
            elif what is None:  # changed, vanished or replaced while it was read: starts anew
                self._finished.seen.pop(key(q.entry), None)
            elif what.is_kept:
                good.append((q, what))
            else:
                await self._not_kept(q, what)
        if good:
            await self._keep(good, None)
        return len(good), self._is_full(troubles)

    async def _take_whole(self, whole: Together) -> tuple[int, bool]:
        """As `_take`, for documents that are taken all or none. Their copies have no name until all are good."""
        found: list[Prepared | BaseException | None] = []
        for i in range(0, len(whole.files), AT_ONCE):
            some = (self._prepare(q, is_last=False) for q in whole.files[i : i + AT_ONCE])
            found += await asyncio.gather(*some, return_exceptions=True)
        pairs = list(zip(whole.files, found, strict=True))
        kept = [(q, what) for q, what in pairs if isinstance(what, Prepared) and what.is_kept]
        is_whole = True
        for q, what in pairs:
            if isinstance(what, BaseException):
                self._leave_unreadable(q, what)
            elif what is None:
                self._finished.seen.pop(key(q.entry), None)
            elif not what.is_kept:
                is_whole = await self._not_kept(q, what) and is_whole
                continue
            else:
                continue
            is_whole = False
        if kept and is_whole:
            await self._preparation.publish([p for _, p in kept])
            await self._keep(kept, whole)
        else:
            await self._preparation.discard([p for _, p in kept])
        is_full = self._is_full([what for what in found if isinstance(what, BaseException)])
        return len(kept) if is_whole else 0, is_full

    async def _not_kept(self, q: Quiet, what: Prepared) -> bool:
        """Bad, and still to be waited for; or one that was taken already, for which nobody has to wait: True."""
        if what.verdict.reason is not None and not q.give_up:
            q.seen.failed = what.verdict.reason
            self._report(Unfinished(self._station.name, what.verdict.reason))
            return False
        if (again := self._remembered.same(q.entry, what.draft.sha256)) is not None:
            await self._remembered.recognise(again, q.entry)
        return True

    def _leave_unreadable(self, q: Quiet, error: BaseException) -> None:
        if isinstance(error, OSError) and error.errno not in FULL:
            self._episodes.leave(q.seen, "unreadable")  # this file's own trouble: the others have their turn

    def _is_full(self, troubles: list[BaseException]) -> bool:
        """Whether there is no room for more. Raises what is no single file's trouble."""
        is_full = False
        for error in troubles:
            if not isinstance(error, OSError):
                raise error
            if error.errno in FULL:
                is_full = True
                self._episodes.stalled("disk_full", errno_name(error))
        return is_full

    async def _prepare(self, q: Quiet, *, is_last: bool = True) -> Prepared | None:
        def is_known(sha256: str) -> bool:
            return self._remembered.same(q.entry, sha256) is not None

        return await self._preparation.prepare(q.entry, take_bad=q.give_up, is_known=is_known, is_last=is_last)

    async def _keep(self, good: list[tuple[Quiet, Prepared]], whole: Together | None) -> None:
        """Copies in the spool become scans, in one transaction; then their files are removed."""
        made = await self._commit(good, whole)
        taken = {source: q.entry for (q, _), (_, source) in zip(good, made, strict=True)}
        for (q, _), (scan, _) in zip(good, made, strict=True):
            del self._finished.seen[key(q.entry)]
            self._report(ScanMoved(scan.id, scan.station, None, scan.state, scan.reason, scan.size_bytes))
        self._episodes.flows()
        await self._remembered.add(taken)
        beside = {entry.path: entry for q, _ in good for entry in q.beside}
        if beside:  # before the documents: a ready file that is left over would speak of the next one
            await asyncio.to_thread(self._folder.tidy, list(beside.values()))
        await self._remembered.remove(taken)

    async def _commit(self, good: list[tuple[Quiet, Prepared]], whole: Together | None) -> list[tuple[Scan, Source]]:
        at = self._clock.stamp()
        held = _held(good, whole)
        name = whole.batch if whole is not None else None

        def one(tx: Tx, q: Quiet, p: Prepared, batch: str | None) -> tuple[Scan, Source]:
            scan = tx.add(
                Arrival(
                    self._station.name, sources.original_name(tx, q.entry), p.draft.sha256, p.draft.size_bytes,
                    p.verdict.media_type, p.verdict.pages, p.verdict.flags, at, self._clock.boot_id, p.verdict.codes,
                    q.told, batch,
                )
            )  # fmt: skip
            if p.verdict.reason is not None:
                scan = tx.move(scan, State.QUARANTINED, at.wall_ns, p.verdict.reason)
            elif (reason := held or q.hold) is not None:
                scan = tx.move(scan, State.HELD, at.wall_ns, reason)
            return scan, sources.remember(tx, scan, q.entry)

        def work(tx: Tx) -> list[tuple[Scan, Source]]:
            batch = None if name is None else f"{tx.next_seq()}-{name}"  # folders' names come again, batches do not
            return [one(tx, q, p, batch) for q, p in good]

        return await self._db.run(work)


def _held(good: list[tuple[Quiet, Prepared]], whole: Together | None) -> Reason | None:
    """Why all that belongs together waits for a person: one of it is bad, or the pages are not as many as was said."""
    if whole is None:
        return None
    if any(p.verdict.reason is not None for _, p in good):
        return Reason.BATCH_INCOMPLETE
    said = next((q.told.batch_pages for q, _ in good if q.told.batch_pages is not None), None)
    if said is not None and said != sum(p.verdict.pages for _, p in good):
        return whole.hold or Reason.PAGE_COUNT
    return whole.hold
