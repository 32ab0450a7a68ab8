"""What people say of documents after they have looked at them: quality control, and the department that got them."""

from typing import Final, Literal

from torhaus.daemon.evidence.notes import scan_of, state
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.papers import MOST, UNSEEN, Result
from torhaus.daemon.scans.release.stacks import is_discarded, is_stack
from torhaus.daemon.scans.release.withdrawing import withdraw
from torhaus.daemon.scans.states import State

Kind = Literal["quality", "feedback"]
_STATEMENTS: Final = {
    Result.OK: ["quality=passed"],
    Result.PAGE_MISSING: ["quality=failed", "completeness=incomplete"],
    Result.RESCAN: ["quality=failed"],
    Result.BAD: ["quality=failed"],
}
_OPEN: Final = (
    "seq IN (SELECT s.seq FROM scan s JOIN paper p ON p.scan = s.seq WHERE s.lot = ?"  # noqa: S608 - our own pieces
    f" AND {UNSEEN}) ORDER BY seq"
)
"""Of a lot: at which nobody has looked, and somebody can."""


def say(tx: Tx, kind: Kind, scan_id: str, result: Result, by: str, account: str, at_ns: int) -> Scan | None:
    """Enter it; the last word counts. Returns the document if that takes its paper's release back.

    Raises KeyError, Refused (its paper is released already, it was discarded, it is a stack).
    """
    scan = scan_of(tx, scan_id)
    if is_stack(tx, scan):
        raise Refused(Refusal.STACK, new=scan.id)
    return scan if _say(tx, kind, scan, result, by, account, at_ns) else None


def say_of_rest(tx: Tx, lot: str, result: Result, by: str, account: str, at_ns: int) -> list[Scan]:
    """Quality control of all documents of a lot at which nobody has looked. Raises KeyError, Refused."""
    if tx.conn.execute("SELECT 1 FROM lot WHERE name = ?", (lot,)).fetchone() is None:
        raise KeyError(lot)
    found = tx.find(_OPEN, (lot,), MOST)
    for scan in found:
        _say(tx, "quality", scan, result, by, account, at_ns)
    return found


def _say(tx: Tx, kind: Kind, scan: Scan, result: Result, by: str, account: str, at_ns: int) -> bool:
    tx.conn.execute("INSERT OR IGNORE INTO paper (scan) VALUES (?)", (scan.seq,))
    released = tx.conn.execute("SELECT released_ns FROM paper WHERE scan = ?", (scan.seq,)).fetchone()[0]
    if kind == "quality":
        if released is not None:
            raise Refused(Refusal.RELEASED)
        if scan.state is State.SPOOLED:
            raise Refused(Refusal.JUST_COME)
        if is_discarded(tx, scan):
            raise Refused(Refusal.DISCARDED)
    column = {"quality": "quality", "feedback": "feedback"}[kind]
    tx.conn.execute(f"UPDATE paper SET {column} = ? WHERE scan = ?", (result, scan.seq))  # noqa: S608 - one of two words
    if result is not Result.OK:  # a new complaint is none that was dealt with before
        tx.conn.execute("UPDATE paper SET settled_ns = NULL, replaced_by = NULL WHERE scan = ?", (scan.seq,))
    tx.note(scan, f"use.{kind}", at_ns, result=result.value, by=by, account=account)
    if kind == "quality":
        state(tx, [scan], _STATEMENTS[result], by, account, at_ns)
    is_withdrawn = released is not None and result is not Result.OK
    if is_withdrawn:
        withdraw(tx, scan, at_ns, by=by, account=account)
    return is_withdrawn
