"""A document that was bad, and what became of that: it was scanned again, or settled otherwise. A person says so.

Its own paper is never released then: it is that of the new scan, which somebody must look at like at any other. What
was found stays in the journal, and whoever finds something wrong with it again opens the matter anew.
"""

from typing import Final

from torhaus.daemon.evidence.notes import scan_of
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.papers import DISCARDED
from torhaus.daemon.scans.release.stacks import is_discarded, is_stack

_KNOWN: Final = (
    "SELECT p.released_ns IS NOT NULL, p.quality IS NOT NULL,"  # noqa: S608 - our own pieces
    f" ifnull(p.quality, 'ok') != 'ok' OR ifnull(p.feedback, 'ok') != 'ok' OR {DISCARDED}"
    " FROM scan s JOIN paper p ON p.scan = s.seq WHERE s.seq = ?"
)


def replace(tx: Tx, scan_id: str, new_id: str, by: str, account: str, at_ns: int) -> Scan:
    """The same paper was scanned again as `new_id`, which is to be looked at from now on. Raises KeyError, Refused."""
    scan = _objected_to(tx, scan_id)
    new = _replacement(tx, scan, new_id)
    tx.conn.execute("UPDATE paper SET settled_ns = ?, replaced_by = ? WHERE scan = ?", (at_ns, new.seq, scan.seq))
    tx.conn.execute(
        "INSERT INTO paper (scan, sampled) VALUES (?, 1) ON CONFLICT (scan) DO UPDATE SET sampled = 1", (new.seq,)
    )
    tx.note(scan, "use.replaced", at_ns, replaced_by=new.id, new_sha256=new.sha256, by=by, account=account)
    tx.note(new, "use.replaces", at_ns, replaces=scan.id, old_sha256=scan.sha256, by=by, account=account)
    return scan


def settle(tx: Tx, scan_id: str, by: str, account: str, at_ns: int) -> Scan:
    """What was wrong with it is settled without a new scan. Raises KeyError, Refused."""
    scan = _objected_to(tx, scan_id)
    tx.conn.execute("UPDATE paper SET settled_ns = ?, replaced_by = NULL WHERE scan = ?", (at_ns, scan.seq))
    tx.note(scan, "use.settled", at_ns, by=by, account=account)
    return scan


def _objected_to(tx: Tx, scan_id: str) -> Scan:
    scan = scan_of(tx, scan_id)
    is_released, _, is_bad = _known(tx, scan)
    if is_released:
        raise Refused(Refusal.RELEASED)
    if not is_bad:
        raise Refused(Refusal.NOT_BAD)
    return scan


def _replacement(tx: Tx, scan: Scan, new_id: str) -> Scan:
    """A document that came later, is another picture, and can be looked at, or was."""
    try:
        new = scan_of(tx, new_id)
    except KeyError:
        raise Refused(Refusal.NO_SUCH_SCAN, new=new_id) from None
    is_released, is_looked_at, _ = _known(tx, new)
    for why, is_so in (
        (Refusal.NOT_LATER, new.seq <= scan.seq),
        (Refusal.SAME_BYTES, new.sha256 == scan.sha256),
        (Refusal.STACK, is_stack(tx, new)),
        (Refusal.GONE, is_discarded(tx, new)),
        (Refusal.UNSEEN, is_released and not is_looked_at),
    ):
        if is_so:
            raise Refused(why, new=new.id)
    return new


def _known(tx: Tx, scan: Scan) -> tuple[bool, bool, bool]:
    """Whether its paper is released; somebody has looked at it; something is wrong with it, or it was discarded."""
    row = tx.conn.execute(_KNOWN, (scan.seq,)).fetchone()
    return (bool(row[0]), bool(row[1]), bool(row[2])) if row is not None else (False, False, False)
