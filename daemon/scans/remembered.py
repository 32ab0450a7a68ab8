"""Brings what is remembered of taken files up to date with their hot folder, and removes them from it.

A file that cannot be removed is remembered, tried again later, and never taken a second time.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.clock import Clock
from torhaus.daemon.scans import sources
from torhaus.daemon.scans.db import ScansDb, Tx
from torhaus.daemon.scans.events import Report, SourceStuck
from torhaus.daemon.scans.folder import Entry, HotFolder, Look, Removal
from torhaus.daemon.scans.sources import Entries, Source

STUCK_RETRY_NS: Final = 600 * 10**9
"""How long between two attempts to remove a file that could not be removed."""

Work = Callable[[Tx], Source | None]


class Remembered:
    """The taken files of one station. All calls raise sqlite3.Error; `settle` comes first."""

    def __init__(self, station: str, folder: HotFolder, db: ScansDb, clock: Clock, report: Report) -> None:
        self._station = station
        self._folder = folder
        self._db = db
        self._clock = clock
        self._report = report
        self._sources: list[Source] | None = None
        self._stuck_until: dict[int, int] = {}

    async def settle(self, look: Look) -> list[Entry]:
        """Bring remembered sources up to date; returns the entries that are none of them."""
        if self._sources is None:
            self._sources = await self._db.run(lambda tx: sources.load(tx, self._station))
        entries = Entries(look.files)
        for source in tuple(self._sources):
            entry = entries.pop(source, self._folder.claim_path(source.seq))
            if entry is not None:
                if self._clock.boot_ns() >= self._stuck_until.get(source.seq, 0):
                    await self.remove({source: entry})
            elif look.is_whole and look.dev == source.identity.dev and not entries.has_name(source.name):
                # another device: the share is not mounted, and says nothing; same name: reading will tell
                await self._forget({source: Removal.GONE})
        return entries.rest()

    def same(self, entry: Entry, sha256: str) -> Source | None:
        """The remembered file that a newly read one is, if it is one."""
        return next((s for s in self._sources or () if s.same_file(entry, sha256)), None)

    async def add(self, taken: dict[Source, Entry]) -> None:
        """Files were taken in just now; their removal follows."""
        assert self._sources is not None
        names = {source.name for source, entry in taken.items() if not entry.claimed}
        replaced = [source for source in self._sources if source.name in names]
        self._sources += taken  # whatever fails now: they are never taken again
        await self._forget(dict.fromkeys(replaced, Removal.CHANGED))  # their names stand for other files by now

    async def remove(self, taken: dict[Source, Entry]) -> None:
        """Remove taken files, or remember of each that it cannot be."""
        removals = await asyncio.gather(
            *(asyncio.to_thread(self._folder.remove, entry, s.seq, s.sha256) for s, entry in taken.items())
        )
        done = dict(zip(taken, removals, strict=True))
        for folder in {entry.folder for entry in taken.values() if entry.depth}:
            await asyncio.to_thread(self._folder.remove_folder, folder)
        await self._forget({s: removal for s, removal in done.items() if removal is not Removal.STUCK})
        for source, removal in done.items():
            if removal is Removal.STUCK:
                await self._keep_stuck(source, taken[source])

    async def _keep_stuck(self, source: Source, entry: Entry) -> None:
        self._stuck_until[source.seq] = self._clock.boot_ns() + STUCK_RETRY_NS
        if not source.stuck or source.identity != entry.identity:

            def work(tx: Tx) -> Source:
                return sources.update(tx, self._station, source, entry, True)

            await self._note({source: (work, "source_stuck")})

    async def recognise(self, source: Source, entry: Entry) -> None:
        """A file that could not be removed only looks different: no new scan."""
        updated = await self._db.run(lambda tx: sources.update(tx, self._station, source, entry))
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
                self._report(SourceStuck(self._station, scan_id))

    def _replace(self, old: Source, new: Source | None) -> None:
        assert self._sources is not None
        self._sources = [s for s in self._sources if s.seq != old.seq]
        if new is None:
            self._stuck_until.pop(old.seq, None)
        else:
            self._sources.append(new)
