"""The keys of the spool's sealed files: those of files under way are here, all others wrapped in scans.db.

Whoever deletes a document's rows (`erase`) makes its file unreadable for good, wherever copies of the file are.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from torhaus.daemon.scans.evidence import KeyUnusable
from torhaus.daemon.scans.sealed import FileKey, SiteKeys, Unreadable
from torhaus.drivers.secret import SecretError

MAX_FRESH: Final = 10_000
"""Keys that are remembered beside the store; that of a published file is never forgotten before its scan is entered."""

Row = tuple[str, bytes]
Lookup = Callable[[bytes], Row | None]
"""Site key and wrapped key by a file's reference; blocks, raises sqlite3.Error."""


class SpoolKeys:
    """`seals` is false without site keys: new files are plain then."""

    def __init__(self, specs: Sequence[str] = ()) -> None:
        self._specs = tuple(specs)
        self._site: SiteKeys | None = None
        self._lookup: Lookup = lambda _: None
        self._guard = threading.Lock()
        self._fresh: OrderedDict[bytes, FileKey] = OrderedDict()
        self._lying: dict[str, FileKey] = {}  # not entered yet: without it the file would be lost
        self._entered: OrderedDict[str, FileKey] = OrderedDict()  # once more, should the commit fail

    @property
    def seals(self) -> bool:
        """Whether new files are encrypted."""
        return bool(self._specs)

    def load(self, lookup: Lookup) -> None:
        """Read the site keys. Raises KeyUnusable."""
        self._lookup = lookup
        try:
            self._site = SiteKeys(self._specs) if self._specs else None
        except SecretError as error:
            raise KeyUnusable(f"[scan] spool_key_files: {error}") from None

    def check(self, conn: sqlite3.Connection) -> None:
        """Raise KeyUnusable where documents are there that no site key opens: rather stop than call them bad."""
        there = self._site.ids if self._site is not None else set()
        wanted = {row[0] for row in conn.execute("SELECT DISTINCT site_key FROM spool_key")}
        if wanted - there:
            ids = ", ".join(sorted(wanted - there))
            raise KeyUnusable(f"[scan] spool_key_files: documents need the key {ids}, which is not named")

    def new(self) -> FileKey:
        """For another file."""
        assert self._site is not None, "loaded"
        key = self._site.new()
        with self._guard:
            self._fresh[key.ref] = key
            if len(self._fresh) > MAX_FRESH:
                self._fresh.popitem(last=False)
        return key

    def of(self, ref: bytes) -> bytes:
        """The key of a file. Blocks; raises Unreadable, OSError."""
        with self._guard:
            fresh = self._fresh.get(ref)
        if fresh is not None:
            return fresh.key
        try:
            row = self._lookup(ref)
        except sqlite3.Error as error:
            raise OSError(f"scans.db: {type(error).__name__}") from error
        if row is None:
            raise Unreadable("its key is gone")
        if self._site is None:
            raise Unreadable("its site key is not named in [scan] spool_key_files")
        return self._site.unwrap(*row)

    def lies(self, sha256: str, key: FileKey) -> None:
        """A file with this key is now the one of these bytes."""
        with self._guard:
            self._lying[sha256] = key

    def enter(self, conn: sqlite3.Connection, sha256: str) -> None:
        """Within the transaction that makes a scan: have the key of its file kept."""
        with self._guard:
            key = self._lying.pop(sha256, None) or self._entered.get(sha256)
            if key is not None:
                self._entered[sha256] = key
                if len(self._entered) > MAX_FRESH:
                    self._entered.popitem(last=False)
        if key is not None:
            row = (key.ref, sha256, key.site_key, key.wrapped)
            conn.execute("INSERT OR IGNORE INTO spool_key (ref, sha256, site_key, wrapped) VALUES (?, ?, ?, ?)", row)

    def erase(self, conn: sqlite3.Connection, sha256: str) -> int:
        """Within a transaction: forget the keys of these bytes' files. How many there were.

        SQLite overwrites what is deleted (secure_delete); `ScansDb.checkpoint` afterwards takes it out of the WAL.
        """
        with self._guard:
            for known in (self._lying.pop(sha256, None), self._entered.pop(sha256, None)):
                if known is not None:
                    self._fresh.pop(known.ref, None)
            refs = [row[0] for row in conn.execute("SELECT ref FROM spool_key WHERE sha256 = ?", (sha256,))]
            for ref in refs:
                self._fresh.pop(ref, None)
        return conn.execute("DELETE FROM spool_key WHERE sha256 = ?", (sha256,)).rowcount


def key_in(conn: sqlite3.Connection, ref: bytes) -> Row | None:
    """What is kept of a file's key."""
    row: Row | None = conn.execute("SELECT site_key, wrapped FROM spool_key WHERE ref = ?", (ref,)).fetchone()
    return row
