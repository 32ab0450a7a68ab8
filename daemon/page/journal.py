"""What people do on the page, in the evidence journal of a site that scans documents: who let what go on, and when.

Accounts are pseudonyms there, and failed sign-ins a number once a minute: what was typed is nobody's business.
"""

import sqlite3

from torhaus.daemon.page.sources import Sources
from torhaus.daemon.page.users import account_of

FAILED = "page_sign_in"


class Journal:
    """One for a daemon."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def enter(self, what: str, name: str, **data: str | int) -> None:
        """Somebody has done something. Where there is no journal that is all; one that cannot be written is told."""
        queue = self._sources.scans()
        if queue is None:
            return
        try:
            await queue.evidence.used(what, account_of(name), None, **data)
        except (sqlite3.Error, OSError) as e:
            self._sources.watch.defect("page journal", e)

    def failed(self) -> None:
        """Somebody could not sign in."""
        queue = self._sources.scans()
        if queue is not None:
            queue.evidence.faults.add(FAILED)
