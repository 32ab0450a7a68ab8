"""The scans store while the daemon is down: read, never changed."""

import sqlite3
from pathlib import Path

from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.pages import Row, row


def read_scans(path: Path, states: list[str], limit: int = 1000) -> list[Row]:
    """The newest scans, in these states or in any; empty when there is no store. Raises sqlite3.Error."""
    if not path.exists():
        return []
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        where = f"state IN ({','.join('?' * len(states))})" if states else "1"
        return [row(s) for s in Tx(conn, "", "").find(f"{where} ORDER BY seq DESC", tuple(states), limit)]
    finally:
        conn.close()
