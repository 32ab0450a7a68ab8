"""Documents for people to look at: the bytes themselves, or pages drawn in a process of their own.

Whoever opens one is in the evidence journal (class b: use), under his pseudonym, before he gets a byte of it.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from typing import Final

from torhaus.daemon.clock import Clock
from torhaus.daemon.evidence.desk import EvidenceDesk
from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.scans.check import Check
from torhaus.daemon.scans.checker import Verdict
from torhaus.daemon.scans.db import Scan, ScansDb
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import Reason, State

MAX_PICTURE_BYTES: Final = 4 << 20
MAX_OPEN: Final = 4
"""Documents that are sent at a time."""
MAX_WAITING: Final = 40
"""Pictures that are asked for and not drawn yet: a page of the web page has half as many."""
AT_ONCE: Final = 2
"""Fewer than the check may use: what comes in goes before."""
ONCE_NS: Final = 3600 * 10**9
"""For so long one who looks at page after page of a document is entered once."""
MAX_LATELY: Final = 1000
_JPEG: Final = (b"\xff\xd8\xff", b"\xff\xd9")


class NotShown(Exception):  # noqa: N818 - a fact
    """It cannot be looked at. `why`: purged, quarantined, damaged, crowded or no_picture."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Viewing:
    """One for a scan queue."""

    def __init__(self, db: ScansDb, spool: Spool, check: Check, evidence: EvidenceDesk, clock: Clock) -> None:
        self._db = db
        self._spool = spool
        self._check = check
        self._evidence = evidence
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._open = 0
        self._lately: OrderedDict[tuple[str, str], int] = OrderedDict()  # account and document, boot time

    @asynccontextmanager
    async def document(self, scan_id: str, account: str) -> AsyncIterator[tuple[Scan, Content]]:
        """The document as it came, while it is sent. Raises KeyError, NotShown, sqlite3.Error, OSError."""
        if self._open >= MAX_OPEN:
            raise NotShown("crowded")
        self._open += 1
        try:
            scan = await self._scan(scan_id)
            content = await self._whole(scan)
            await self._evidence.used("opened", account, scan.id, sha256=scan.sha256, shown="document")
            yield scan, content
        finally:
            self._open -= 1

    async def page(self, scan_id: str, page: int, account: str) -> bytes:
        """A page (from 0) as a JPEG. Raises KeyError, NotShown, CheckUnavailable, sqlite3.Error, OSError."""
        scan = await self._scan(scan_id)
        if self._is_new(account, scan.id):
            content = await self._whole(scan)
            await self._evidence.used("opened", account, scan.id, sha256=scan.sha256, shown="pages")
            self._lately[account, scan.id] = self._clock.boot_ns()
            while len(self._lately) > MAX_LATELY:
                self._lately.popitem(last=False)
        else:
            content = await asyncio.to_thread(self._spool.content, scan.sha256)
        if self._waiting >= MAX_WAITING:
            raise NotShown("crowded")
        self._waiting += 1
        try:
            async with self._places:
                return await self._drawn(content, page)
        finally:
            self._waiting -= 1

    async def _scan(self, scan_id: str) -> Scan:
        scan = await self._db.run(lambda tx: scan_of(tx, scan_id))
        if scan.state is State.PURGED:
            raise NotShown("purged")
        if scan.state is State.QUARANTINED:  # nobody opens at his desk what the strict check refused
            raise NotShown("quarantined")
        return scan

    async def _whole(self, scan: Scan) -> Content:
        """Its bytes, if they are still those that came: nobody is to judge others."""
        if not await asyncio.to_thread(self._spool.intact, scan.sha256):
            raise NotShown("damaged")
        return await asyncio.to_thread(self._spool.content, scan.sha256)

    def _is_new(self, account: str, scan_id: str) -> bool:
        at_ns = self._lately.get((account, scan_id))
        return at_ns is None or self._clock.boot_ns() - at_ns > ONCE_NS

    async def _drawn(self, content: Content, page: int) -> bytes:
        out, end = os.pipe()
        with FileIO(end, "wb") as into:

            async def draw() -> Verdict:
                with into:  # whoever reads waits for this end
                    return await self._check.draw(content, page, into.fileno())

            coming = asyncio.shield(asyncio.to_thread(_receive, out))  # reads to the end, and closes, in any case
            verdict, data = await asyncio.gather(draw(), coming, return_exceptions=True)
        for found in (verdict, data):
            if isinstance(found, BaseException):
                raise found
        assert isinstance(verdict, Verdict)
        assert isinstance(data, bytes)
        if verdict.reason is Reason.NO_PAGES:
            raise KeyError(page)
        first, last = _JPEG
        if verdict.reason is not None or not data.startswith(first) or not data.endswith(last):
            raise NotShown("no_picture")
        return data


def _receive(out: int) -> bytes:
    """What comes through a pipe, to its end; nothing where it is too much. Closes it. Blocks. Raises OSError."""
    with open(out, "rb", buffering=0) as pipe:
        found = bytearray()
        while piece := pipe.read(1 << 16):
            found += piece
            if len(found) > MAX_PICTURE_BYTES:
                return b""
    return bytes(found)
