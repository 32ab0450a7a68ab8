"""How stacks that were split come to their end: never before that of every document that they became.

A stack's paper is that of its documents, and it is released when they all are. Its copy is the only one of what was
scanned as it was scanned (BSI TR-03138 V1.5, A.NB.2): it stays as long as the longest of its documents'.
"""

from typing import Final

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.papers import is_made_good
from torhaus.daemon.scans.states import State

MOST: Final = 1000
"""Documents of one stack that are looked at: more than cover sheets are believed in one."""
AT_ONCE: Final = 200


def parts_of(tx: Tx, stack_id: str) -> list[Scan]:
    """What it became, in the order of its pages; none for what is no stack that was split."""
    return tx.find("derived_from = ? ORDER BY seq", (stack_id,), MOST)


def is_stack(tx: Tx, scan: Scan) -> bool:
    """Whether it was split: what there is to be said of it is said of what it became."""
    return tx.conn.execute("SELECT 1 FROM scan WHERE derived_from = ?", (scan.id,)).fetchone() is not None


def is_discarded(tx: Tx, scan: Scan) -> bool:
    """Whether a person threw it away: it never got to a target that proved to have it."""
    if scan.state is not State.PURGED:
        return False
    row = tx.conn.execute("SELECT verified_ns FROM paper WHERE scan = ?", (scan.seq,)).fetchone()
    return row is None or row[0] is None


def release_some(tx: Tx, after: int, now_ns: int) -> tuple[list[Scan], int]:
    """Release split stacks whose documents are all released, thrown away, or replaced; one released at least.

    Looks at a few, from the one behind number `after` on; where the next look begins.
    """
    found = tx.find("state = ? AND seq > ? ORDER BY seq", (State.SPLIT.value, after), AT_ONCE)
    freed = []
    for stack in found:
        parts = parts_of(tx, stack.id)
        released = sum(_is_released(tx, part) for part in parts)
        discarded = sum(is_discarded(tx, part) for part in parts)
        settled = sum(_is_settled(tx, part) for part in parts)
        if released and released + discarded + settled == len(parts):
            freed.append(
                tx.move(
                    stack, State.RELEASED, now_ns, None, sha256=stack.sha256, parts=len(parts), parts_released=released,
                    parts_discarded=discarded, **({"parts_settled": settled} if settled else {}),
                )
            )  # fmt: skip
    return freed, found[-1].seq if len(found) == AT_ONCE else 0


def _is_released(tx: Tx, part: Scan) -> bool:
    sql = "SELECT 1 FROM paper WHERE scan = ? AND released_ns IS NOT NULL"
    return tx.conn.execute(sql, (part.seq,)).fetchone() is not None


def _is_settled(tx: Tx, part: Scan) -> bool:
    """Whether it was bad, and is replaced by a good scan, or settled otherwise: its own paper is never released."""
    return not is_discarded(tx, part) and not _is_released(tx, part) and is_made_good(tx, part.seq)
