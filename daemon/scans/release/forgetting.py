"""What may name somebody goes with the document: inside the caller's transaction.

Of a purged document the hash, ids, times, counts, its department and class and its journal stay. Its own name, what its
sidecar said beside, the codes of its cover sheets, what was sent along with its upload and what its target said in
words are overwritten (`secure_delete`; `ScansDb.checkpoint` takes them out of the write-ahead log as well). A batch's
name goes when no document and no paper of it needs it any more.
"""

from typing import Final

import msgspec

from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.config import DAY_NS
from torhaus.daemon.scans.shipment import receipt_of
from torhaus.daemon.scans.states import State

FORGOTTEN: Final = "name, sidecar, cover sheet codes, upload, answer in words"
"""For the deletion record."""
LISTED_NS: Final = 30 * DAY_NS
"""So long after its last paper was released a batch can be found by its name: its list is printed and signed then."""
AT_ONCE: Final = 50
_PREFIX, _BEHIND, _LAST = "batch/", "batch/\U0010ffff", "\U0010ffff"


def forget_names(tx: Tx, scan: Scan) -> None:
    """Of a document that is being purged."""
    told = Told(department=scan.told.department, class_=scan.told.class_, pages=scan.told.pages)
    receipt = None
    if scan.receipt is not None:
        receipt = msgspec.json.encode(msgspec.structs.replace(receipt_of(scan), detail="")).decode()
    tx.conn.execute(
        "UPDATE scan SET name = x'', told = ?, codes = '[]', receipt = ? WHERE seq = ?",
        (msgspec.json.encode(told).decode(), receipt, scan.seq),
    )
    tx.conn.execute("UPDATE upload SET name = x'', metadata = '' WHERE scan = ?", (scan.seq,))
    tx.conn.execute("DELETE FROM progress WHERE scan = ?", (scan.seq,))


def neutral_name(scans: list[Scan], lot: str) -> str:
    """What the journal calls a lot: a batch by its first document's number, for nothing is ever deleted there."""
    return lot if scans[0].batch is None else f"{_PREFIX}{scans[0].seq}"


def forget_batches(tx: Tx, after: str, now_ns: int, *, wants_paper: bool) -> str:
    """Give batches that nobody needs by name the one that the journal has for them.

    Looks at a few, from the one behind `after` on; where the next look begins. `wants_paper`: paper is released here.
    """
    sql = "SELECT DISTINCT batch FROM scan WHERE batch > ? AND batch < ? ORDER BY batch LIMIT ?"
    found: list[str] = []
    for first, end in (("", _PREFIX), (_BEHIND, _LAST)):  # those between have been renamed
        if after < end:
            values = (max(first, after), end, AT_ONCE - len(found))
            found += [str(name) for (name,) in tx.conn.execute(sql, values)]
    for batch in found:
        if not _is_needed(tx, batch, now_ns - LISTED_NS if wants_paper else None):
            _rename(tx, batch)
    return found[-1] if len(found) == AT_ONCE else ""


def _is_needed(tx: Tx, batch: str, released_before_ns: int | None) -> bool:
    sql = "SELECT 1 FROM scan s LEFT JOIN paper p ON p.scan = s.seq WHERE s.batch = ? AND (s.state != ?"
    values: tuple[str | int, ...] = (batch, State.PURGED.value)
    if released_before_ns is not None:  # what somebody threw away was never verified: its paper is never released
        done = "coalesce(p.released_ns, p.settled_ns)"  # what is replaced or settled is never released, either
        sql += f" OR p.verified_ns IS NOT NULL AND ({done} IS NULL OR {done} > ?)"
        values = (*values, released_before_ns)
    return tx.conn.execute(f"{sql}) LIMIT 1", values).fetchone() is not None


def _rename(tx: Tx, batch: str) -> None:
    rows = tx.conn.execute("SELECT lot, min(seq) FROM scan WHERE batch = ? GROUP BY lot", (batch,)).fetchall()
    for lot, first in rows:
        name = f"{_PREFIX}{first}"
        if tx.conn.execute("SELECT 1 FROM lot WHERE name = ?", (name,)).fetchone() is not None:
            continue  # somebody calls batches by such names
        tx.conn.execute("UPDATE lot SET name = ? WHERE name = ?", (name, lot))
        tx.conn.execute("UPDATE scan SET batch = ?, lot = ? WHERE batch = ? AND lot IS ?",
                        (name, None if lot is None else name, batch, lot))  # fmt: skip
