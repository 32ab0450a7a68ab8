"""Draws more of a lot's sample when other documents of it exist than when it was closed: inside the transaction.

A percentage is one of documents that exist. Who is discarded leaves the sample, and the next in the order of the lot's
own seed is taken in its place; whoever comes out of quarantine can be drawn like the others. Nothing that was found is
touched, and nobody who was drawn is let off.
"""

from typing import Final

from torhaus.daemon.evidence.notes import entries_of
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.forgetting import neutral_name
from torhaus.daemon.scans.release.papers import DISCARDED, MOST
from torhaus.daemon.scans.release.sampling import how_many, ranked
from torhaus.daemon.scans.release.stacks import is_discarded

_THERE: Final = (
    "SELECT s.id, s.seq, s.state = 'quarantined', p.released_ns IS NOT NULL AND p.quality IS NULL, p.sampled,"  # noqa: S608 - our own pieces
    " s.seq IN (SELECT replaced_by FROM paper WHERE settled_ns IS NOT NULL)"
    " FROM scan s JOIN paper p ON p.scan = s.seq"
    f" WHERE s.lot = ? AND s.station = ? AND p.class IS ? AND NOT {DISCARDED} ORDER BY s.seq LIMIT ?"
)
_STUCK: Final = (
    "seq IN (SELECT p.scan FROM paper p JOIN scan s ON s.seq = p.scan"  # noqa: S608 - our own pieces
    f" WHERE p.sampled = 1 AND p.quality IS NULL AND {DISCARDED}) AND lot IS NOT NULL ORDER BY seq"
)
AT_ONCE: Final = 20


def draw_again(tx: Tx, scan: Scan, at_ns: int) -> int:
    """After `scan`, of a closed lot, was discarded, or came out of quarantine. Returns how many more are looked at."""
    found = tx.conn.execute("SELECT seed FROM lot WHERE name = ?", (scan.lot,)).fetchone()
    if found is None:
        return 0
    seed = str(found[0])
    class_, was_sampled = tx.conn.execute("SELECT class, sampled FROM paper WHERE scan = ?", (scan.seq,)).fetchone()
    rows = tx.conn.execute(_THERE, (scan.lot, scan.station, class_, MOST)).fetchall()
    there = [row for row in rows if not row[2]] or ([] if _has_good(tx, scan) else rows)
    drawn = sum(row[4] and not row[5] for row in there)  # whoever replaces another is looked at anyhow: nobody drew him
    # at paper that is released nobody can look any more
    pool = {row[0]: row for row in there if not row[3] and not row[4]}
    missing = max(0, how_many(len(there), _percent(tx, scan)) - drawn)
    new = [pool[id_] for id_ in ranked(seed, pool)[:missing]]
    is_gone = is_discarded(tx, scan)
    if is_gone:
        tx.conn.execute("UPDATE paper SET sampled = 0 WHERE scan = ? AND quality IS NULL", (scan.seq,))
    if not new and not (was_sampled and is_gone):
        return 0
    told = neutral_name(tx.find("lot = ? ORDER BY seq", (str(scan.lot),), 1), str(scan.lot))
    tx.enter(
        "lot_redrawn", at_ns, None, lot=told, seed=seed, because_of=scan.id, drawn_from=len(pool), there=len(there),
        sampled=len(new),
    )  # fmt: skip
    for _, seq, *_ in new:
        tx.conn.execute("UPDATE paper SET sampled = 1 WHERE scan = ?", (seq,))
        tx.note(tx.get(seq), "lot_redrawn", at_ns, lot=told, because_of=scan.id, sampled=True)
    return len(new)


def mend_some(tx: Tx, at_ns: int) -> int:
    """Of documents that were discarded before this was known, and that nobody can look at. Returns how many."""
    found = tx.find(_STUCK, (), AT_ONCE)
    for scan in found:
        draw_again(tx, scan, at_ns)
    return len(found)


def _has_good(tx: Tx, scan: Scan) -> bool:
    """Whether any document of the lot is not in quarantine."""
    sql = (
        "SELECT 1 FROM scan s JOIN paper p ON p.scan = s.seq WHERE s.lot = ? AND s.state != 'quarantined'"  # noqa: S608 - our own pieces
        f" AND NOT {DISCARDED} LIMIT 1"
    )
    return tx.conn.execute(sql, (scan.lot,)).fetchone() is not None


def _percent(tx: Tx, scan: Scan) -> float:
    """As it was when the lot was closed, whatever the configuration says now."""
    said = [entry.data.get("percent") for entry in entries_of(tx, scan.id) if entry.event == "lot_closed"]
    return float(str(said[-1])) if said else 0.0
