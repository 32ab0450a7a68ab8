"""What people do on the page, in the evidence journal of a site that scans documents: who let what go on, and when.

Failed sign-ins are entered as a number, at most once a minute: what was typed is nobody's business, and whoever tries
must not fill the journal.
"""

import sqlite3
from typing import Final

from torhaus.daemon.page.sources import Sources

EVERY_S: Final = 60.0


class Journal:
    """One for a daemon."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._failed = 0
        self._entered_ns: int | None = None

    async def enter(self, event: str, **data: str | int) -> None:
        """Something was done. Where there is no journal that is all; one that cannot be written is told."""
        queue = self._sources.scans()
        if queue is None:
            return
        try:
            await self._failures()
            await queue.enter(event, **data)
        except (sqlite3.Error, OSError) as e:
            self._sources.watch.defect("page journal", e)

    async def failed(self) -> None:
        """Somebody could not sign in."""
        self._failed += 1
        now = self._sources.now().boot_ns
        queue = self._sources.scans()
        if queue is None or (self._entered_ns is not None and (now - self._entered_ns) / 1e9 < EVERY_S):
            return
        try:
            await self._failures()
        except (sqlite3.Error, OSError) as e:
            self._sources.watch.defect("page journal", e)

    async def _failures(self) -> None:
        queue = self._sources.scans()
        if queue is None or not self._failed:
            return
        n, self._failed = self._failed, 0
        self._entered_ns = self._sources.now().boot_ns
        await queue.enter("page_sign_in_failed", times=n)
