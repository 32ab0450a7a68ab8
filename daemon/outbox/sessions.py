"""The last proved uplink counter of every session, after a crash at any moment."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from torhaus.codecs.model import RejectReason
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.state import Session

READ_RECORDS: Final = 5000
TRIES: Final = 3
"""So often a stretch of the log that cannot be read is tried: a bad sector must not keep the daemon from starting."""

Read = Callable[[int, int], Awaitable[list[Stored | Damaged]]]


async def last_counters(snapshot: list[Session], log: Log, pos: int, read: Read) -> list[Session]:
    """The snapshot, which is complete up to `pos`, and what the log has from there on."""
    found = {s.dev_eui: s for s in snapshot}
    pos = max(pos, log.head)
    failed = 0
    while pos < log.tail:
        try:
            batch = await read(pos, READ_RECORDS)
        except sqlite3.OperationalError:
            failed += 1
            if failed >= TRIES:
                failed, pos = 0, min((s for s in log.segments if s > pos), default=log.tail)
            continue
        if not batch:
            break
        for r in batch:
            pos = r.pos + (r.count if isinstance(r, Damaged) else 1)
            if isinstance(r, Stored):
                _take(found, r)
    return list(found.values())


def _take(found: dict[str, Session], stored: Stored) -> None:
    record = stored.record
    lora = record.lora
    if lora is None or lora.fcnt is None or lora.dev_addr is None or record.reason == RejectReason.REPLAY.value:
        return  # a repeated frame proves nothing new
    key = record.dev_eui or lora.dev_addr
    found[key] = Session(key, lora.dev_addr, lora.fcnt)
