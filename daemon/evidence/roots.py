"""Roots: a hash tree over the journal's entries since the root before, made once a day and with every export.

A root is an entry (`root`) and, signed, a row and a file `roots/<day>-<number>.json` that can be kept elsewhere. Its
entries are checked when it is made, so that a journal which was tampered with is noticed the day after at the latest.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from torhaus.daemon.evidence.chain import Chain, Fault
from torhaus.daemon.evidence.proofs import leaf_hash, tree_root
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.disk import Disk

Every = Literal["day", "hour"]
HOUR_NS: Final = 3600 * 10**9
UNKNOWN: Final = "unknown"
"""The day of an entry that cannot be read."""


class Made(msgspec.Struct, frozen=True):
    """A root, and what was wrong with the entries below it."""

    root: evidence.Root
    faults: tuple[Fault, ...]


def day_of(at_ns: int) -> str:
    """The date, UTC."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).date().isoformat()


def is_due(tx: Tx, at_ns: int, every: Every = "day") -> bool:
    """Whether another day (or hour) has begun since the first entry that is under no root."""
    begin = _begin(tx)
    if begin is None:
        return False
    return begin.day != day_of(at_ns) or (every == "hour" and begin.at // HOUR_NS != at_ns // HOUR_NS)


class _Begin(msgspec.Struct, frozen=True):
    seq: int
    day: str
    at: int = 0


def _begin(tx: Tx) -> _Begin | None:
    """The first entry that is under no root: the entry of the root before, or the very first one."""
    first = tx.conn.execute("SELECT coalesce(max(seq), 1) FROM root").fetchone()[0]
    row = tx.conn.execute("SELECT entry FROM evidence WHERE seq = ?", (first,)).fetchone()
    if row is None:
        return None
    try:
        at_ns = msgspec.json.decode(row[0], type=evidence.Entry).at
        return _Begin(first, day_of(at_ns), at_ns)
    except (msgspec.DecodeError, UnicodeError, ValueError, OverflowError, OSError):
        return _Begin(first, UNKNOWN)  # somebody has changed it: a root is due at once, and its check says so


def make_root(tx: Tx, signer: evidence.Signer, at_ns: int) -> Made | None:
    """Check the entries that are under no root, and put them under one; None when there are none.

    What is wrong with them is told, and does not keep them from being put under a root as they are.
    """
    begin = _begin(tx)
    if begin is None:
        return None
    chain, leaves = Chain(begin.seq), []
    before = tx.conn.execute("SELECT hash FROM evidence WHERE seq = ?", (begin.seq - 1,)).fetchone()
    chain.last_hash = before[0].hex() if before else chain.last_hash
    for entry, digest in tx.conn.execute("SELECT entry, hash FROM evidence WHERE seq >= ? ORDER BY seq", (begin.seq,)):
        chain.add(entry, digest.hex())
        leaves.append(leaf_hash(entry))
    chain.end()
    last, _ = evidence.last(tx.conn)
    root = evidence.Root(tx.store, last + 1, begin.day, begin.seq, last, tree_root(leaves).hex(), at_ns)
    tx.enter("root", at_ns, day=root.day, first=root.first, last=root.last, root=root.hash)
    root = signer.sign(root)
    signed = msgspec.json.encode(root, order="sorted")
    tx.conn.execute("INSERT INTO root (seq, last, signed) VALUES (?, ?, ?)", (root.seq, root.last, signed))
    return Made(root, tuple(chain.faults))


def roots_of(tx: Tx, seqs: Sequence[int]) -> list[evidence.Root]:
    """The roots that are over these entries, oldest first."""
    found = {}
    for seq in seqs:
        row = tx.conn.execute("SELECT signed FROM root WHERE last >= ? ORDER BY last LIMIT 1", (seq,)).fetchone()
        root = parse_root(row[0]) if row is not None else None
        if root is not None:
            found[root.seq] = root
    return [root for _, root in sorted(found.items())]


def parse_root(signed: bytes) -> evidence.Root | None:
    """None where somebody has put something else there: the verification says so."""
    try:
        return msgspec.json.decode(signed, type=evidence.Root)
    except (msgspec.DecodeError, UnicodeError):
        return None


def leaves_of(tx: Tx, root: evidence.Root) -> list[bytes]:
    """The leaf hashes of its tree."""
    sql = "SELECT entry FROM evidence WHERE seq BETWEEN ? AND ? ORDER BY seq"
    return [leaf_hash(entry) for (entry,) in tx.conn.execute(sql, (root.first, root.last))]


class RootFiles:
    """`roots/<day>-<number>.json` beside the store: to be copied away, and compared with later."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._written = 0

    def write(self, roots: Sequence[evidence.Root]) -> None:
        """Those that are not there yet. Blocks; raises OSError."""
        for root in roots:
            self._disk.make_dir(self._folder)
            path = self._folder / f"{root.day}-{root.seq}.json"
            if not path.exists():
                self._disk.keep(path, msgspec.json.encode(root, order="sorted"))
            self._written = root.seq

    def missing(self, tx: Tx) -> list[evidence.Root]:
        """Those that were made since the last one that was written; after a start all are looked at."""
        rows = tx.conn.execute("SELECT signed FROM root WHERE seq > ? ORDER BY seq", (self._written,))
        return [root for (signed,) in rows if (root := parse_root(signed)) is not None]
