"""Dead letters in state.db, one or all at once, and which records keep a copy of their own there. On state's thread."""

from torhaus.daemon.outbox.migrate import transaction
from torhaus.daemon.outbox.record import unpack_copy
from torhaus.daemon.outbox.state import DeadLetter, State


def dead_letter(state: State, number: int) -> DeadLetter | None:
    """One dead letter with its record; None when there is none, or it was changed on disk. Raises sqlite3.Error."""
    row = state.conn.execute(
        "SELECT number, forwarder, log, pos, at_ns, reason, stored FROM dead_letter WHERE number = ?", (number,)
    ).fetchone()
    if row is None or (stored := unpack_copy(row[6])) is None:
        return None
    name, log, pos, at_ns, reason = row[1:6]
    return DeadLetter(number, name, log, pos, at_ns, reason, stored)


def retry_all(state: State, forwarder: str | None, now_ns: int) -> int:
    """Move all dead letters, or one forwarder's, to the records that are tried again, due now. Returns how many."""
    run = state.conn.execute
    with transaction(state.conn):
        run(
            "INSERT OR REPLACE INTO exception SELECT forwarder, log, pos, 0, ?2, reason, stored "
            "FROM dead_letter WHERE ?1 IS NULL OR forwarder = ?1",
            (forwarder, now_ns),
        )
        return run("DELETE FROM dead_letter WHERE ?1 IS NULL OR forwarder = ?1", (forwarder,)).rowcount


def drop_all(state: State, forwarder: str | None) -> int:
    """Delete all dead letters, or one forwarder's. Returns how many. Raises sqlite3.Error."""
    return state.conn.execute("DELETE FROM dead_letter WHERE ?1 IS NULL OR forwarder = ?1", (forwarder,)).rowcount


def own_copies(state: State, forwarder: str, log: str) -> list[int]:
    """Positions that are settled in the log because state.db has the record: set aside, or a dead letter."""
    return [
        pos
        for (pos,) in state.conn.execute(
            "SELECT pos FROM exception WHERE forwarder = ?1 AND log = ?2 "
            "UNION SELECT pos FROM dead_letter WHERE forwarder = ?1 AND log = ?2",
            (forwarder, log),
        )
    ]
