"""Has roots stamped by a time-stamping authority, beside everything else: nothing ever waits for it.

The newest root comes first, then those of the last month that have none yet: each stamp says something of all entries
before it, for they are one chain. A stamp is kept in the store and as `roots/<day>-<number>.tsr` beside the root's own
file, which is what it is about: `openssl ts -verify -data X.json -in X.tsr -CAfile CA.pem`. That it is there is an
entry of the journal (`stamped`), with its SHA-256.
"""

import asyncio
import hashlib
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.config import Evidence
from torhaus.daemon.evidence.roots import parse_root
from torhaus.daemon.evidence.tsa import MAX_BYTES, NoStamp, Why, ask, judge, read_roots
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.db import ScansDb, Tx
from torhaus.daemon.scans.disk import Disk, errno_name
from torhaus.daemon.scans.events import Report, StampingChanged, StoreStalled

IDLE_S: Final = 60.0
NEXT_S: Final = 1.0
FIRST_RETRY_S: Final = 60.0
LAST_RETRY_S: Final = 3600.0
ANSWER_S: Final = 30.0
MONTH_NS: Final = 31 * 86_400 * 10**9


class StampFigures(msgspec.Struct):
    """For metrics and status: answers by what became of them, the last good one, roots that wait and since when."""

    results: Counter[str] = msgspec.field(default_factory=Counter)
    stamped_ns: int = 0
    waiting: int = 0
    waiting_since_ns: int = 0
    trouble: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """A root without stamp; how many there are, and when the oldest of them was made."""

    root: evidence.Root
    signed: bytes
    count: int
    since_ns: int


class Stamping:
    """One store's. `configured` is false unless tsa_url is there; then `run` ends at once."""

    def __init__(
        self, config: Evidence, folder: Path, disk: Disk, db: ScansDb, clock: Clock, rng: random.Random, report: Report
    ) -> None:
        self._url = config.tsa_url
        self._ca_file = Path(config.tsa_ca_file or "")
        self._folder = folder
        self._disk = disk
        self._db = db
        self._clock = clock
        self._rng = rng
        self._report = report
        self._failed = 0
        self._all_kept = False
        self.figures = StampFigures()

    @property
    def configured(self) -> bool:
        """Whether there is an authority."""
        return self._url is not None

    async def run(self) -> None:
        """Until cancelled."""
        while self.configured:
            await self._clock.sleep(await self.turn())

    async def turn(self) -> float:
        """Have one root stamped; how long to wait now."""
        try:
            await self._keep_all()
            waiting = await self._db.run(self._next)
            if waiting is None:
                self.figures.waiting, self.figures.waiting_since_ns = 0, 0
                return IDLE_S
            self.figures.waiting, self.figures.waiting_since_ns = waiting.count, waiting.since_ns
            await self._stamp(waiting)
        except NoStamp as error:
            self.figures.results[error.why] += 1
            self._set(str(error))
        except sqlite3.Error as error:
            self._report(StoreStalled("stamp", type(error).__name__))
            self._failed += 1
        except OSError as error:
            self._all_kept = False
            self._report(StoreStalled("stamp", errno_name(error)))
            self._failed += 1
        else:
            self.figures.results["good"] += 1
            self._set("")
            return NEXT_S
        pause = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failed - 1, 10))
        return pause * self._rng.uniform(0.75, 1.0)

    def _set(self, trouble: str) -> None:
        if bool(trouble) is not bool(self.figures.trouble):
            self._report(StampingChanged(not trouble, trouble))
        self._failed = self._failed + 1 if trouble else 0
        self.figures.trouble = trouble

    def _next(self, tx: Tx) -> Waiting | None:
        """The newest root that has no stamp."""
        since = self._clock.wall_ns() - MONTH_NS
        rows = tx.conn.execute("SELECT signed FROM root WHERE stamp IS NULL ORDER BY seq DESC LIMIT 1000")
        found = [(root, signed) for (signed,) in rows if (root := parse_root(signed)) is not None and root.at >= since]
        return Waiting(*found[0], len(found), found[-1][0].at) if found else None

    async def _stamp(self, waiting: Waiting) -> None:
        """Raises NoStamp, OSError, sqlite3.Error."""
        roots = await asyncio.to_thread(read_roots, self._ca_file)
        question = await asyncio.to_thread(ask, waiting.signed)
        response = await self._send(question.request)
        now_ns = self._clock.wall_ns() if self._clock.synced() else None
        said = await asyncio.to_thread(judge, response, question.imprint, roots, question.nonce, now_ns)
        root, at_ns = waiting.root, self._clock.wall_ns()

        def work(tx: Tx) -> None:
            done = tx.conn.execute("UPDATE root SET stamp = ? WHERE seq = ? AND stamp IS NULL", (response, root.seq))
            if done.rowcount == 1:
                sha256 = hashlib.sha256(response).hexdigest()
                tx.enter("stamped", at_ns, root=root.seq, stamp_sha256=sha256, stamp_at=said.at)

        await self._db.run(work)
        self.figures.stamped_ns = said.at
        await asyncio.to_thread(self._keep, [(root, response)])

    async def _keep_all(self) -> None:
        """After a start, and when the disk was full: write the files that are missing."""
        if not self._all_kept:
            rows = await self._db.run(
                lambda tx: tx.conn.execute("SELECT signed, stamp FROM root WHERE stamp IS NOT NULL").fetchall()
            )
            found = [(root, stamp) for signed, stamp in rows if (root := parse_root(signed)) is not None]
            await asyncio.to_thread(self._keep, found)
            self._all_kept = True

    def _keep(self, stamps: list[tuple[evidence.Root, bytes]]) -> None:
        for root, response in stamps:
            path = self._folder / f"{root.day}-{root.seq}.tsr"
            if not path.exists():
                self._disk.make_dir(self._folder)
                self._disk.keep(path, response)

    async def _send(self, request: bytes) -> bytes:
        """By HTTP (RFC 3161 section 3.4). Raises NoStamp."""
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        limit = aiohttp.ClientTimeout(total=ANSWER_S)
        assert self._url is not None, "configured"
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, auto_decompress=False) as session,
                session.post(self._url, data=request, headers=headers, allow_redirects=False) as reply,
            ):
                if reply.status != 200:
                    raise NoStamp(Why.HTTP, f"status {reply.status}")
                body = bytearray()
                async for chunk in reply.content.iter_chunked(MAX_BYTES):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise NoStamp(Why.TOO_LARGE)
                return bytes(body)
        except TimeoutError:
            raise NoStamp(Why.SLOW) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoStamp(Why.UNREACHABLE, type(error).__name__) from None
