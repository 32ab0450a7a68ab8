"""A complaint after release: paper that may still exist must not be called free any more.

BSI TR-03138 V1.5, A.NB.3: what the clerk finds goes back to the scan unit, which makes it good; paper goes when the
department has released it (Anwendungshinweis V). So the release is taken back, with an entry in the journal, and the
document is dealt with like any other that its department complained of. Whether its paper is there only a person knows.
"""

from typing import Final

from torhaus.daemon.evidence.notes import entries_of, scan_of
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.papers import told_lot
from torhaus.daemon.scans.states import State

EVENT: Final = "release_withdrawn"
_OPEN: Final = (
    "SELECT s.station, count(*) FROM paper p JOIN scan s ON s.seq = p.scan WHERE p.withdrawn_ns IS NOT NULL"
    " AND p.settled_ns IS NULL AND ifnull(p.feedback, 'ok') != 'ok' GROUP BY s.station"
)


def withdraw(tx: Tx, scan: Scan, at_ns: int, *, by: str, account: str) -> None:
    """Take back the release of a document's paper, and that of the stack which it was split from."""
    tx.conn.execute("UPDATE paper SET released_ns = NULL, withdrawn_ns = ? WHERE scan = ?", (at_ns, scan.seq))
    said = {"sha256": scan.sha256, "lot": told_lot(tx, scan), "by": by, "account": account}
    if scan.state is State.RELEASED:
        is_filed = any(entry.event == State.FILED for entry in entries_of(tx, scan.id))
        tx.take_back(scan, State.FILED if is_filed else State.VERIFIED, at_ns, EVENT, **said)
    else:  # our copy has gone
        tx.note(scan, EVENT, at_ns, **said)
    stack = None if scan.derived_from is None else scan_of(tx, scan.derived_from)
    if stack is not None and stack.state is State.RELEASED:
        tx.take_back(stack, State.SPLIT, at_ns, EVENT, sha256=stack.sha256, because_of=scan.id)


def withdrawn(tx: Tx) -> dict[str, int]:
    """How many documents were complained of after release, and nothing was done about it, by station."""
    return dict(tx.conn.execute(_OPEN).fetchall())
