"""Keeps the evidence journal while the scan queue runs: heads, roots, changes, faults, what people state and export."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.changes import enter_changes, enter_rights, hashes_of
from torhaus.daemon.evidence.config import Evidence
from torhaus.daemon.evidence.export import Exported, export
from torhaus.daemon.evidence.journal import verify
from torhaus.daemon.evidence.log import FaultLog, enter_faults
from torhaus.daemon.evidence.note import BatchNote, Note
from torhaus.daemon.evidence.notes import batch_note, batch_of, note_of, scan_of, state
from torhaus.daemon.evidence.report import Report as Verified
from torhaus.daemon.evidence.roots import Made, RootFiles, is_due, make_root
from torhaus.daemon.evidence.stamping import StampFigures
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.db import ScansDb, Tx
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.events import EvidenceBroken, Report

RECORD_INTERVAL_S: Final = 60.0
"""How often the signed head is written: what a cut-off tail can hide at most. Faults are entered as often."""


class Figures(msgspec.Struct):
    """For metrics: entries there are, when a root was made last and its entries checked, faults that were found."""

    entries: int = 0
    rooted_ns: int = 0
    faults: int = 0
    stamps: StampFigures | None = None  # only with an authority


class EvidenceDesk:
    """One store's journal. `faults` may be told of failed logins and errors at any time.

    `people` says who may sign in to the page (`role:fingerprint` by pseudonym); None: it cannot be known just now.
    """

    def __init__(
        self, config: Evidence, root: Path, disk: Disk, db: ScansDb, clock: Clock, report: Report,
        files: Sequence[Path] = (),
    ) -> None:  # fmt: skip
        self._config = config
        self._root = root
        self._disk = disk
        self._db = db
        self._clock = clock
        self._report = report
        self._files = tuple(files)
        self._root_files = RootFiles(root / "roots", disk)
        self._signer: evidence.Signer | None = None
        self._hashes: dict[str, str] = {}
        self.people: Callable[[], dict[str, str] | None] = lambda: None
        self.faults = FaultLog()
        self.figures = Figures()

    def load(self) -> None:
        """Read the key, or make one. Blocks; raises OSError, KeyUnusable."""
        self._signer = evidence.Signer(self._root, self._disk, self._config.key_file)
        self._hashes = hashes_of(self._files)

    @property
    def signer(self) -> evidence.Signer:
        """Of heads and roots."""
        assert self._signer is not None, "not loaded"
        return self._signer

    async def begin(self) -> None:
        """Enter what has changed since the last start. Raises sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        people = await asyncio.to_thread(self.people)

        def work(tx: Tx) -> None:
            enter_changes(tx, self._hashes, at_ns)
            enter_changes(tx, {"evidence": self.signer.public}, at_ns, "key")
            if people is not None:
                enter_rights(tx, people, at_ns)

        await self._db.run(work)

    async def record(self) -> None:
        """Enter faults and rights, make the root that is due, write the signed head. Raises OSError, sqlite3.Error."""
        people = await asyncio.to_thread(self.people)
        counts = self.faults.take()
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> tuple[evidence.Head, Made | None, list[evidence.Root]]:
            enter_faults(tx, counts, at_ns)
            if people is not None:
                enter_rights(tx, people, at_ns)
            made = make_root(tx, self.signer, at_ns) if is_due(tx, at_ns, self._config.stamp_every) else None
            return tx.head(at_ns), made, self._root_files.missing(tx)

        try:
            head, made, roots = await self._db.run(work)
        except sqlite3.Error:
            self.faults.give_back(counts)
            raise
        self.figures.entries = head.seq
        if made is not None:
            self._found(made)
        await asyncio.to_thread(self._root_files.write, roots)
        await asyncio.to_thread(self.signer.record, head)

    async def verify(self) -> Verified:
        """Check all of it against the head on disk. Raises OSError, sqlite3.Error."""
        try:
            head = await asyncio.to_thread(self.signer.recorded)
        except ValueError as error:
            report = await self._db.run(lambda tx: verify(tx.conn, None))
            report.wrong("signature", str(error))
            return report
        return await self._db.run(lambda tx: verify(tx.conn, head, key=self.signer.public))

    async def used(self, what: str, account: str, scan: str | None = None, **data: str | int | bool | None) -> None:
        """Enter that somebody has used something (class b). Raises sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        await self._db.run(lambda tx: tx.enter(f"use.{what}", at_ns, scan, account=account, **data))

    async def state(self, scan_id: str, statements: list[str], by: str, account: str) -> Note:
        """A person says something of a document. Raises KeyError, Unstatable."""
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> Note:
            scan = scan_of(tx, scan_id)
            state(tx, [scan], statements, by, account, at_ns)
            return note_of(tx, scan, self._config.procedure)

        return await self._db.run(work)

    async def state_batch(self, batch: str, statements: list[str], by: str, account: str) -> BatchNote:
        """The same of all documents of a batch, all or none. Raises KeyError, Unstatable."""
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> BatchNote:
            state(tx, batch_of(tx, batch), statements, by, account, at_ns)
            return batch_note(tx, batch, self._config.procedure)

        return await self._db.run(work)

    async def note(self, scan_id: str) -> Note:
        """A document's note. Raises KeyError."""
        return await self._db.run(lambda tx: note_of(tx, scan_of(tx, scan_id), self._config.procedure))

    async def batch_note(self, batch: str) -> BatchNote:
        """Those of a batch. Raises KeyError."""
        return await self._db.run(lambda tx: batch_note(tx, batch, self._config.procedure))

    async def export(self, scan_id: str, account: str) -> Exported:
        """What proves a document, for elsewhere. Raises KeyError, OSError, sqlite3.Error."""
        at_ns = self._clock.wall_ns()
        work = partial(export, scan_id=scan_id, account=account, procedure=self._config.procedure)
        exported, made = await self._db.run(lambda tx: work(tx, signer=self.signer, at_ns=at_ns))
        self._found(made)
        await asyncio.to_thread(self._root_files.write, [made.root])
        return exported

    def _found(self, made: Made) -> None:
        self.figures.rooted_ns = made.root.at
        self.figures.faults += len(made.faults)
        if made.faults:
            self._report(EvidenceBroken(made.faults[0].seq, made.faults[0].what, len(made.faults)))
