"""Segment files for tests: made, filled, spoilt."""

import contextlib
import sqlite3
from pathlib import Path

from tests.daemon.outbox_fakes import AT, SITE, numbers, reading
from torhaus.daemon.outbox.record import Damaged, Stored, pack, seed
from torhaus.daemon.outbox.segment import Segment

OLD = Path(__file__).parent / "databases"
STORE = "3f2a91c0"


def create(folder: Path, first: int = 0) -> Segment:
    return Segment.create(folder, SITE, STORE, first, 1000, AT.wall_ns, "m1")


def fill(segment: Segment, *sizes: int, weight: int = 0) -> int:
    """Rows of these sizes; each record tells its position."""
    pos, seq = segment.end()
    for n in sizes:
        records = [(AT, reading(pos + i, weight=weight)) for i in range(n)]
        segment.append(pos, n, seq, "boot", AT.wall_ns, 0, pack(records, pos, seq, seed(STORE, "boot")))
        pos, seq = pos + n, seq + n
    return pos


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(statement)


def told(found: list[Stored | Damaged]) -> list[int | tuple[int, int]]:
    return [(r.pos, r.count) if isinstance(r, Damaged) else numbers([r])[0] for r in found]
