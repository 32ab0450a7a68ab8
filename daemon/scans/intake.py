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
import errno
import os
import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

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
from torhaus.daemon.scans.folder import Entry, HotFolder, Identity, Look, Removal, identity_of
from torhaus.daemon.scans.sources import Entries, Source
from torhaus.daemon.scans.spool import Draft, Spool, TooLarge
from torhaus.daemon.scans.states import Reason, State

STUCK_RETRY_NS: Final = 600 * 10**9
"""How long between two attempts to remove a file that could not be removed."""

_S: Final = 1e9


class Seen(msgspec.Struct):
    """What is known of an entry that is not taken yet. `since_ns` (boot time): when it was first seen as it is."""

    identity: Identity
    since_ns: int
    failed: Reason | None = None
    told: str = ""


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
        self._spool = spool
        self._check = check
        self._clock = clock
        self._disk = disk
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
                    await self._remove(source, entry)
            elif look.dev == source.identity.dev and not entries.has_name(source.name):
                # another device: the share is not mounted, and says nothing; same name: reading will tell
                await self._forget(source, Removal.GONE)
        return entries.rest()

    async def _take_finished(self, entries: list[Entry]) -> int:
        now, taken = self._clock.boot_ns(), 0
        self._seen = {key: seen for e in entries if (seen := self._seen.get(key := _key(e))) is not None}
        for entry in entries:
            key = _key(entry)
            seen = self._seen.get(key)
            if seen is None or seen.identity != entry.identity:
                self._seen[key] = Seen(entry.identity, now)
            elif now - seen.since_ns >= self._station.stable_s * _S:
                try:
                    taken += await self._take(entry, seen, give_up=now - seen.since_ns >= self._station.give_up_s * _S)
                except OSError as error:
                    if error.errno in FULL:
                        self._stall("disk_full", errno_name(error))
                        break
                    self._leave(seen, "unreadable")  # this file's own trouble: the others have their turn
        return taken

    async def _take(self, entry: Entry, seen: Seen, give_up: bool) -> bool:
        """Take one quiet file in, if it is finished or given up. Raises OSError, sqlite3.Error, CheckUnavailable."""
        if not give_up and (seen.failed is not None or entry.identity.size_bytes == 0):
            return False
        if entry.identity.size_bytes > self._station.max_bytes:
            return self._leave(seen, "too_large")
        draft = await asyncio.to_thread(self._copy, entry)
        if draft is None:  # changed, vanished or replaced while it was read: starts anew
            del self._seen[_key(entry)]
            return False
        try:
            verdict = self._judge(await self._check.check(draft.path))
            if verdict.reason is not None and not give_up:
                seen.failed = verdict.reason
                self._report(Unfinished(self._station.name, verdict.reason))
                await asyncio.to_thread(self._spool.discard, draft)
                return False
            again = next((s for s in self._sources or () if s.same_file(entry, draft.sha256)), None)
            if again is None:
                await asyncio.to_thread(self._spool.publish, draft)
        except (OSError, CheckUnavailable):
            await asyncio.to_thread(self._spool.discard, draft)
            raise
        if again is not None:
            await asyncio.to_thread(self._spool.discard, draft)
            await self._recognise(again, entry)
            return False
        scan, source = await self._commit(entry, draft, verdict)
        assert self._sources is not None
        for old in [s for s in self._sources if s.name == source.name and not entry.claimed]:
            await self._forget(old, Removal.CHANGED)  # what its name stands for is this scan's file by now
        self._sources.append(source)
        del self._seen[_key(entry)]
        self._stalled = ""
        self._report(ScanMoved(scan.id, scan.station, None, scan.state, scan.reason, scan.size_bytes))
        await self._remove(source, entry)
        return True

    def _judge(self, verdict: Verdict) -> Verdict:
        """The station's own rules on top of the check's findings."""
        if verdict.reason is Reason.UNKNOWN_TYPE and self._station.unknown_types == "pass":
            return Verdict(verdict.media_type, None, 0, ("unchecked",))
        if verdict.reason is None and "encrypted" in verdict.flags and self._station.encrypted == "quarantine":
            return msgspec.structs.replace(verdict, reason=Reason.ENCRYPTED)
        return verdict

    def _copy(self, entry: Entry) -> Draft | None:
        """Copy into the spool; None when the file was not the same before and after. Blocks."""
        try:
            fd = self._disk.open_read(entry.path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENXIO}:
                return None  # gone, or a link or device by now
            raise
        try:
            draft = self._spool.draft(fd, self._station.max_bytes)
            same = identity_of(os.fstat(fd)) == entry.identity and draft.size_bytes == entry.identity.size_bytes
        except TooLarge:
            return None
        finally:
            os.close(fd)
        if not same:
            self._spool.discard(draft)
            return None
        return draft

    async def _commit(self, entry: Entry, draft: Draft, verdict: Verdict) -> tuple[Scan, Source]:
        at = self._clock.stamp()

        def work(tx: Tx) -> tuple[Scan, Source]:
            scan = tx.add(
                Arrival(
                    self._station.name, sources.original_name(tx, entry), draft.sha256, draft.size_bytes,
                    verdict.media_type, verdict.pages, verdict.flags, at, self._clock.boot_id,
                )
            )  # fmt: skip
            if verdict.reason is not None:
                scan = tx.move(scan, State.QUARANTINED, at.wall_ns, verdict.reason)
            return scan, sources.remember(tx, scan, entry)

        return await self._db.run(work)

    async def _remove(self, source: Source, entry: Entry) -> None:
        """Remove a taken file, or remember that it cannot be."""
        removal = await asyncio.to_thread(self._folder.remove, entry, source.seq, source.sha256)
        if removal is not Removal.STUCK:
            await self._forget(source, removal)
            return
        self._stuck_until[source.seq] = self._clock.boot_ns() + STUCK_RETRY_NS
        if not source.stuck or source.identity != entry.identity:
            await self._note(
                source, lambda tx: sources.update(tx, self._station.name, source, entry, True), "source_stuck"
            )

    async def _recognise(self, source: Source, entry: Entry) -> None:
        """A file that could not be removed only looks different: no new scan."""
        updated = await self._db.run(lambda tx: sources.update(tx, self._station.name, source, entry))
        self._replace(source, updated)

    async def _forget(self, source: Source, removal: Removal) -> None:
        def work(tx: Tx) -> None:
            sources.forget(tx, source)

        await self._note(source, work, f"source_{removal.value}")

    async def _note(self, source: Source, work: Callable[[Tx], Source | None], event: str) -> None:
        """Change what is remembered of a source, with evidence, in one transaction."""
        at: Stamp = self._clock.stamp()

        def noted(tx: Tx) -> tuple[Source | None, str]:
            scan = tx.get(source.seq)
            tx.note(scan, event, at.wall_ns)
            return work(tx), scan.id

        updated, scan_id = await self._db.run(noted)
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
