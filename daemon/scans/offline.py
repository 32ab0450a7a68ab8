"""The scans store while the daemon is down: read, never changed."""

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.evidence import Entry
from torhaus.daemon.scans.pages import Row, Shown, row, shown
from torhaus.daemon.scans.queue import MAX_LIST
from torhaus.daemon.scans.release.stacks import parts_of


def read_scans(path: Path, states: list[str], limit: int = 1000) -> list[Row]:
    """The newest scans, in these states or in any; empty when there is no store. Raises sqlite3.Error."""
    if not path.exists():
        return []
    with contextlib.closing(_open(path)) as conn:
        where = f"state IN ({','.join('?' * len(states))})" if states else "1"
        return [row(s) for s in Tx(conn, "", "").find(f"{where} ORDER BY seq DESC", tuple(states), limit)]


def read_scan(path: Path, scan_id: str) -> Shown | None:
    """One scan and everything that happened to it; None when there is no such one. Raises sqlite3.Error."""
    if not path.exists():
        return None
    with contextlib.closing(_open(path)) as conn:
        found = Tx(conn, "", "").find("id = ?", (scan_id,), 1)
        if not found:
            return None
        rows = conn.execute("SELECT entry FROM evidence WHERE scan = ? ORDER BY seq LIMIT ?", (scan_id, MAX_LIST))
        entries = [msgspec.json.decode(e, type=Entry) for (e,) in rows]
        return shown(found[0], entries, parts_of(Tx(conn, "", ""), scan_id))


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
