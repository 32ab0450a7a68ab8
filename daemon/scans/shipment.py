"""What the store has of documents on their way to a target: which is next, how far it came, what became of it.

All functions run in a transaction (db.py) and raise sqlite3.Error.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.states import Reason, State
from torhaus.daemon.scans.targets.base import Receipt

Due = tuple[int, str]
"""Boot time in ns from which on it is tried again, and the boot in which that counts."""

UNSURE: Final = ""
"""Stands for a target in `progress`: proved while the clock was not right. No target is called so."""

DUE: Final = "target = ? AND state = ? AND (due_boot_id <> ? OR due_boot <= ?) ORDER BY tries, seq"
"""One state at a time: that way the index gives the order, and a long backlog costs nothing."""


def next_due(
    tx: Tx, target: str, states: Collection[State], boot: tuple[str, int], under_way: Collection[int]
) -> Scan | None:
    """The one with the fewest failed attempts, the oldest of these, that nobody is at work on. `boot`: id and time."""
    most = len(under_way) + 1
    due = [s for state in states for s in tx.find(DUE, (target, state.value, *boot), most) if s.seq not in under_way]
    return min(due, key=lambda s: (s.tries, s.seq), default=None)


def progress(tx: Tx, scan: Scan, target: str) -> str | None:
    """What this target had kept of it."""
    sql = "SELECT text FROM progress WHERE scan = ? AND target = ?"
    row = tx.conn.execute(sql, (scan.seq, target)).fetchone()
    return None if row is None else str(row[0])


def keep(tx: Tx, *, scan: Scan, target: str, text: str) -> None:
    """Keep this of it for this target."""
    tx.conn.execute("INSERT OR REPLACE INTO progress (scan, target, text) VALUES (?, ?, ?)", (scan.seq, target, text))


def forget(tx: Tx, *, scan: Scan) -> None:
    """Its way begins anew, or is over."""
    tx.conn.execute("DELETE FROM progress WHERE scan = ?", (scan.seq,))


def receipt_of(scan: Scan) -> Receipt:
    """What its target said; an empty one before that."""
    return Receipt() if scan.receipt is None else msgspec.json.decode(scan.receipt, type=Receipt)


def transferred(tx: Tx, *, scan: Scan, receipt: Receipt, at_ns: int) -> Scan:
    """The target said yes."""
    said = msgspec.json.encode(receipt).decode()
    tx.conn.execute("UPDATE scan SET receipt = ? WHERE seq = ?", (said, scan.seq))
    return tx.move(scan, State.TRANSFERRED, at_ns)


def verified(tx: Tx, *, scan: Scan, receipt: Receipt, at_ns: int, synced: bool = True) -> list[Scan]:
    """The target has our bytes; and what it made of them has a name, if it has told one.

    `synced`: whether `at_ns` is the time of a clock that is right.
    """
    forget(tx, scan=scan)
    moved = [tx.move(scan, State.VERIFIED, at_ns, None, sha256=scan.sha256, **({} if synced else {"synced": False}))]
    if not synced:
        keep(tx, scan=scan, target=UNSURE, text="")
    if receipt.object_id is not None:
        moved.append(tx.move(moved[0], State.FILED, at_ns, object=receipt.object_id))
    return moved


def count_from_now(tx: Tx, at_ns: int) -> None:
    """All delays of what was proved while the clock was not right begin at `at_ns`: rather late than early."""
    for (seq,) in tx.conn.execute("SELECT scan FROM progress WHERE target = ?", (UNSURE,)).fetchall():
        tx.conn.execute("INSERT OR IGNORE INTO paper (scan) VALUES (?)", (seq,))
        tx.conn.execute("UPDATE paper SET verified_ns = ? WHERE scan = ? AND verified_ns IS NULL", (at_ns, seq))
        tx.conn.execute("DELETE FROM progress WHERE scan = ?", (seq,))


def disproved(tx: Tx, *, scan: Scan, reason: Reason, stored: str | None, due: Due, at_ns: int) -> Scan:
    """The target does not have it, or has other bytes: its way begins anew, in one transaction."""
    moved = tx.move(scan, State.DELIVERING, at_ns, reason, sha256=stored)
    forget(tx, scan=scan)
    return count_refusal(tx, scan=moved, due=due)


def put_off(tx: Tx, *, scan: Scan, due: Due) -> None:
    """Asked again later, without blame."""
    tx.conn.execute("UPDATE scan SET due_boot = ?, due_boot_id = ? WHERE seq = ?", (*due, scan.seq))


def count_try(tx: Tx, *, scan: Scan) -> None:
    """An attempt failed, and not for its own sake."""
    tx.conn.execute("UPDATE scan SET tries = tries + 1 WHERE seq = ?", (scan.seq,))


def count_refusal(tx: Tx, *, scan: Scan, due: Due) -> Scan:
    """An attempt failed for its own sake: how it stands now."""
    put_off(tx, scan=scan, due=due)
    tx.conn.execute("UPDATE scan SET tries = tries + 1, refusals = refusals + 1 WHERE seq = ?", (scan.seq,))
    return tx.get(scan.seq)
