import asyncio
import sqlite3
from pathlib import Path

from tests.daemon.outbox_fakes import AT, open_log, uplink
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Record, Stored
from torhaus.daemon.outbox.sessions import last_counters
from torhaus.daemon.outbox.state import Session


def counters(log: Log, pos: int = 0, bad: int = -1, snapshot: list[Session] | None = None) -> dict[str, int]:
    async def read(at: int, most: int) -> list[Stored | Damaged]:
        if at <= bad:
            raise sqlite3.OperationalError("disk I/O error")
        return log.read(at, 2)

    return {s.dev_eui: s.fcnt_up for s in asyncio.run(last_counters(snapshot or [], log, pos, read))}


def test_the_snapshot_is_brought_up_to_date_from_the_log(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    unknown = Record("frame", "gw", raw=b"x")
    rows = [uplink("a", 5), unknown, uplink("a", 6), uplink("b", 2), uplink("a", 3, "replay"), uplink("b", 3, "crc")]
    log.append([(AT, r) for r in rows], "boot")
    assert counters(log) == {"a": 6, "b": 3}
    assert counters(log, 3, snapshot=[Session("a", "01020304", 9), Session("c", "x", 1)]) == {"a": 9, "b": 3, "c": 1}
    assert counters(log, 99, snapshot=[Session("a", "01020304", 9)]) == {"a": 9}
    log.close()


def test_a_counter_that_began_again_counts(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append([(AT, uplink("a", 900)), (AT, uplink("a", 0))], "boot")
    assert counters(log) == {"a": 0}
    log.close()


def test_what_cannot_be_read_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for n in range(3):
        log.append([(AT, uplink("a", n))], "boot")
        log.segment_bytes = 1
        log.roll(AT.wall_ns)
    assert counters(log, bad=0) == {"a": 2}
    assert counters(log, bad=99) == {}
    log.close()
