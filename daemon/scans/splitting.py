"""Splits stacks at their cover sheets: the stack stays as it came, and what lies behind each sheet becomes a scan.

The documents are cut out, checked and in the spool before one transaction makes them scans that know their stack, sends
each where its sheet says, and makes the stack one that was split. A crash before it leaves the stack as it was, to be
split again into the same bytes; what was written for nothing is swept at the next start. A stack that cannot be taken
apart unchanged is held whole.
"""

import asyncio
import contextlib
import os
import sqlite3
from io import FileIO
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.sidecar import Told
from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.check import Check, CheckUnavailable
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Arrival, Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import CHUNK_BYTES, errno_name
from torhaus.daemon.scans.events import Report, ScanMoved, StoreStalled
from torhaus.daemon.scans.routing import Way
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.sealing import Sealing
from torhaus.daemon.scans.sheets.plan import Piece
from torhaus.daemon.scans.spool import Draft, Spool, TooLarge
from torhaus.daemon.scans.states import Reason, State

INTERVAL_S: Final = 1.0
AT_ONCE: Final = 20
"""Stacks of one look."""
_SLACK_BYTES: Final = 1 << 20
_NAME_BYTES: Final = 200


class Unsplit(Exception):  # noqa: N818 - a fact about the document
    """It stays whole. The text is for the journal."""


class Made(msgspec.Struct, frozen=True):
    """A document that was cut out and passes: its pages, its way, its copy."""

    piece: Piece
    way: Way
    draft: Draft
    verdict: Verdict


class Splitting:
    """One site's. `step` is one look, `run` looks for ever."""

    def __init__(
        self,
        config: ScanConfig,
        sealing: Sealing,
        db: ScansDb,
        spool: Spool,
        check: Check,
        clock: Clock,
        report: Report,
    ) -> None:
        self._stations = {s.name: s for s in config.station if s.cover_sheets == "split"}
        self._sealing = sealing
        self._db = db
        self._spool = spool
        self._check = check
        self._clock = clock
        self._report = report
        self._stalled = False

    async def run(self) -> None:
        """Until cancelled; comes back at once where no station has its stacks split."""
        while self._stations:
            await self.step()
            await self._clock.sleep(INTERVAL_S)

    async def step(self) -> int:
        """Split what is to be split. Returns how many stacks; only defects leave it as exceptions."""
        done = 0
        try:
            for scan, way in await self._db.run(self._due):
                done += await self._one(scan, way)
        except sqlite3.Error as error:
            self._stall(type(error).__name__)
        except OSError as error:
            self._stall(errno_name(error))
        except CheckUnavailable:
            self._stall("no_checker")
        else:
            self._stalled = False
        return done

    def _due(self, tx: Tx) -> list[tuple[Scan, Way]]:
        where = f"state = ? AND station IN ({','.join('?' * len(self._stations))}) ORDER BY seq"
        found = [(s, self._sealing.way(tx, s)) for s in tx.find(where, (State.SPOOLED.value, *self._stations), AT_ONCE)]
        return [(scan, way) for scan, way in found if way.parts]

    async def _one(self, scan: Scan, way: Way) -> bool:
        if not await asyncio.to_thread(self._spool.intact, scan.sha256):
            await self._leave(scan, State.QUARANTINED, Reason.BLOB_DAMAGED, "")
            return False
        made: list[Made] = []
        try:
            content = await asyncio.to_thread(self._spool.content, scan.sha256)
            for piece, where in way.parts:
                made.append(await self._make(scan, content, piece, where))
            for each in made:
                await asyncio.to_thread(self._spool.publish, each.draft)
        except Unsplit as why:
            await self._discard(made)
            await self._leave(scan, State.HELD, Reason.NOT_SPLIT, str(why))
            return False
        except (OSError, CheckUnavailable):
            await self._discard(made)
            raise
        moved = await self._db.run(lambda tx: self._enter(tx, scan, way, made))
        for one in moved:
            self._tell(one)
        return bool(moved)

    async def _make(self, scan: Scan, content: Content, piece: Piece, way: Way) -> Made:
        """Cut out, and checked as strictly as what comes in. Raises Unsplit, OSError, CheckUnavailable."""
        draft = await self._cut(scan, content, range(piece.first, piece.first + piece.count))
        try:
            verdict = await self._check.check(self._spool.content_of(draft), codes=True)
        except (OSError, CheckUnavailable):
            await asyncio.to_thread(self._spool.discard, draft)
            raise
        want = Verdict(scan.media_type, None, piece.count, verdict.flags)
        if verdict != want or not set(verdict.flags) <= set(scan.flags):
            await asyncio.to_thread(self._spool.discard, draft)
            raise Unsplit(verdict.reason.value if verdict.reason else "other than expected")
        return Made(piece, way, draft, verdict)

    async def _cut(self, scan: Scan, content: Content, pages: range) -> Draft:
        await asyncio.to_thread(self._spool.check_room, scan.size_bytes)
        out, end = os.pipe()
        limit_bytes = 2 * scan.size_bytes + _SLACK_BYTES
        with FileIO(end, "wb") as into:

            async def cut() -> Verdict:
                with into:  # whoever reads waits for this end
                    return await self._check.cut(content, pages, into.fileno())

            coming = asyncio.shield(asyncio.to_thread(self._receive, out, limit_bytes))  # in any case: it closes
            verdict, draft = await asyncio.gather(cut(), coming, return_exceptions=True)
        if isinstance(verdict, BaseException):
            if isinstance(draft, Draft):
                await asyncio.to_thread(self._spool.discard, draft)
            raise verdict
        if isinstance(draft, TooLarge):
            raise Unsplit("too large")
        if isinstance(draft, BaseException):
            raise draft
        if verdict.reason is not None or verdict.pages != len(pages):
            await asyncio.to_thread(self._spool.discard, draft)
            raise Unsplit(verdict.reason.value if verdict.reason else "other than expected")
        return draft

    def _receive(self, out: int, limit_bytes: int) -> Draft:
        """What comes through the pipe, to its end, as a draft. Closes `out`. Blocks. Raises TooLarge, OSError."""
        path = self._spool.new_path()
        try:
            with contextlib.closing(self._spool.writer(path)) as writer:
                while chunk := os.read(out, CHUNK_BYTES):
                    if writer.size_bytes + len(chunk) > limit_bytes:
                        raise TooLarge  # noqa: TRY301 - what cleans up is below
                    writer.append([chunk])
                writer.sync()
                return self._spool.drafted(path, writer)
        except (OSError, TooLarge):
            self._spool.discard(Draft(path, "", 0))
            raise
        finally:
            os.close(out)

    async def _discard(self, made: list[Made]) -> None:
        for each in made:
            await asyncio.to_thread(self._spool.discard, each.draft)

    def _enter(self, tx: Tx, stack: Scan, way: Way, made: list[Made]) -> list[Scan]:
        """All of it in one transaction; nothing when the stack has moved on, or a sheet was used, meanwhile."""
        if tx.get(stack.seq).state is not State.SPOOLED or self._sealing.way(tx, stack).parts != way.parts:
            return []
        at = self._clock.stamp()
        moved = []
        for number, each in enumerate(made, 1):
            scan = tx.add(
                Arrival(
                    stack.station, part_name(stack.name, number), each.draft.sha256, each.draft.size_bytes,
                    stack.media_type, each.piece.count, each.verdict.flags, at, self._clock.boot_id, (),
                    _told(stack.told), stack.batch, stack.id,
                )
            )  # fmt: skip
            where: dict[str, int | str] = {
                "part": number, "parts": len(made), "cover_sheet": each.piece.sheet.sheet,
                "first_page": each.piece.first + 1, "last_page": each.piece.first + each.piece.count,
            }  # fmt: skip
            tx.note(scan, "post.split", at.wall_ns, of=stack.id, of_sha256=stack.sha256, **where)
            tx.note(stack, "post.split", at.wall_ns, into=scan.id, into_sha256=scan.sha256, **where)
            moved.append(self._send(tx, scan, each.way, at.wall_ns))
        left_out = stack.pages - sum(each.piece.count for each in made)
        split = tx.move(stack, State.SPLIT, at.wall_ns, parts=len(made), pages=stack.pages, pages_of_sheets=left_out)
        return [split, *moved]

    def _send(self, tx: Tx, scan: Scan, way: Way, at_ns: int) -> Scan:
        """Where its sheet says. One that came before waits like any other, and knows where it belongs."""
        if scan.duplicate_of is None or self._stations[scan.station].duplicates != "hold":
            return self._sealing.send(tx, scan, way, at_ns)
        tx.conn.execute("UPDATE scan SET target = ? WHERE seq = ?", (way.target, scan.seq))
        return self._sealing.send(tx, scan, Way(None, Reason.DUPLICATE, way.sheet, way.pages), at_ns)

    async def _leave(self, scan: Scan, state: State, reason: Reason, why: str) -> None:
        at_ns = self._clock.wall_ns()
        self._tell(await self._db.run(lambda tx: tx.move(scan, state, at_ns, reason, why=why or None)))

    def _stall(self, detail: str) -> None:
        if not self._stalled:
            self._stalled = True
            self._report(StoreStalled("split", detail))

    def _tell(self, scan: Scan) -> None:
        self._report(ScanMoved(scan.id, scan.station, scan.target, scan.state, scan.reason, scan.size_bytes))


def part_name(name: bytes, number: int) -> bytes:
    """What a document of a stack is called: `post.pdf` has `post-1.pdf`, `post-2.pdf`."""
    path = Path(os.fsdecode(name))
    stem, end = os.fsencode(path.stem), os.fsencode(path.suffix)
    return stem[: _NAME_BYTES - len(end)] + b"-%d" % number + end


def _told(told: Told) -> Told:
    """What a stack's sidecar says of each of its documents, too: not how many pages and documents there are."""
    return msgspec.structs.replace(told, document=None, pages=None, documents=None, batch_pages=None)


__all__ = ["Splitting", "part_name"]
