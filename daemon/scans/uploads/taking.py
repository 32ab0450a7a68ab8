"""From an upload's bytes in the spool to a scan: checked, given its name for good, committed with its evidence.

A document that does not pass the check is taken all the same, into quarantine: its sender has done all he can, and his
paper may be gone tomorrow. The answer says so.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.db import Arrival, Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import FULL, Disk
from torhaus.daemon.scans.events import IntakeStalled, NotTaken, Report, ScanMoved
from torhaus.daemon.scans.prepare import judged
from torhaus.daemon.scans.spool import Draft, Spool
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.problem import Problem, retry_later

DAY_NS: Final = 86_400 * 10**9

Known = Callable[[Tx], Scan | None]
Also = Callable[[Tx, Scan], None]


class Taking:
    """What all ways of uploading end in."""

    def __init__(self, db: ScansDb, spool: Spool, check: Check, clock: Clock, disk: Disk, report: Report) -> None:
        self.db = db
        self.spool = spool
        self.clock = clock
        self.disk = disk
        self.report = report
        self._check = check
        self._stalled: dict[str, str] = {}

    async def take(
        self, station: HttpStation, name: bytes, draft: Draft, known: Known, also: Also
    ) -> tuple[Scan, bool]:
        """The scan, and whether it is new. `known` says if it was taken before; `also` is done in the transaction.

        The draft is gone afterwards in any case. Raises Problem (503, 507).
        """
        try:
            before = await self.db.run(known)
            if before is not None:
                return before, False
            verdict = judged(
                station, await self._check.check(self.spool.content_of(draft), codes=station.cover_sheets != "off")
            )
            await asyncio.to_thread(self.spool.publish, draft)
            at = self.clock.stamp()

            def work(tx: Tx) -> tuple[Scan, bool]:
                meanwhile = known(tx)
                if meanwhile is not None:
                    return meanwhile, False
                scan = tx.add(
                    Arrival(
                        station.name, name, draft.sha256, draft.size_bytes, verdict.media_type, verdict.pages,
                        verdict.flags, at, self.clock.boot_id, verdict.codes,
                    )
                )  # fmt: skip
                if verdict.reason is not None:
                    scan = tx.move(scan, State.QUARANTINED, at.wall_ns, verdict.reason)
                also(tx, scan)
                return scan, True

            scan, is_new = await self.db.run(work)
        except (OSError, sqlite3.Error, CheckUnavailable) as error:
            raise self.trouble(station, error) from error
        finally:
            await asyncio.to_thread(self.spool.discard, draft)
        if is_new:
            self._stalled.pop(station.name, None)
            self.report(ScanMoved(scan.id, scan.station, None, scan.state, scan.reason, scan.size_bytes))
        return scan, is_new

    def trouble(self, station: HttpStation, error: Exception) -> Problem:
        """Trouble of our own as the sender gets to hear it; reported once until something is taken again."""
        kind = "io"
        if isinstance(error, CheckUnavailable):
            kind = "no_checker"
        elif isinstance(error, sqlite3.Error):
            kind = "disk_full" if "full" in str(error) else "store"
        elif isinstance(error, OSError) and error.errno in FULL:
            kind = "disk_full"
        if self._stalled.get(station.name) != kind:
            self._stalled[station.name] = kind
            self.report(IntakeStalled(station.name, kind))
        if kind == "disk_full":
            return Problem(507, "there is no room for it at present", {"Retry-After": "60"})
        return retry_later("it cannot be taken in at present; see the log of torhaus", 30)

    def leave(self, station: HttpStation, kind: str) -> None:
        """Tell of something that is refused for good."""
        self.report(NotTaken(station.name, kind))

    async def check_quota(self, station: HttpStation, size: int) -> None:
        """Raise Problem (413, 429, 507) where the station may not send so many bytes, or there is no room for them."""
        if size > station.max_bytes:
            self.leave(station, "too_large")
            raise Problem(413, f"a document of this station has at most {station.max_bytes} bytes")
        try:
            await asyncio.to_thread(self.spool.check_room, size)
            if station.quota_documents is None and station.quota_bytes is None:
                return
            at_ns = self.clock.wall_ns()
            count, held = await self.db.run(lambda tx: lately(tx, station.name, at_ns))
        except (OSError, sqlite3.Error) as error:
            raise self.trouble(station, error) from error
        many = station.quota_documents is not None and count >= station.quota_documents
        if many or (station.quota_bytes is not None and held + size > station.quota_bytes):
            self.leave(station, "quota")
            raise Problem(429, "the station's quota for 24 hours is used up", {"Retry-After": "3600"})


def lately(tx: Tx, station: str, at_ns: int) -> tuple[int, int]:
    """Documents and bytes of the last 24 hours, uploads under way included."""
    taken = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM scan WHERE station = ? AND arrived_ns > ?"
    coming = "SELECT count(*), coalesce(sum(coalesce(length, offset)), 0) FROM upload WHERE station = ? AND state = ?"
    found = tx.conn.execute(taken, (station, at_ns - DAY_NS)).fetchone()
    more = tx.conn.execute(coming, (station, "open")).fetchone()
    return found[0] + more[0], found[1] + more[1]
