import asyncio
import random
import sqlite3
from pathlib import Path

from tests.daemon.outbox_fakes import AT, open_log, read_all, uplink
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Record, Stored
from torhaus.daemon.outbox.sessions import CounterSearch, last_counters
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


def test_from_the_newest_back_it_is_the_same_in_any_portion(tmp_path: Path) -> None:
    rng = random.Random(7)
    log = open_log(tmp_path)
    expected: dict[str, int] = {}
    for n in range(60):
        euis = rng.choices("abcde", k=rng.randint(1, 4))
        log.append([(AT, uplink(e, n, rng.choice([None, "replay", "crc"]))) for e in euis], "boot")
        if n % 13 == 12:
            log.segment_bytes = 1
            log.roll(AT.wall_ns)
            log.segment_bytes = 1 << 30
        if n == 40:
            log._leave_behind(AT.wall_ns)  # a hole of more positions than can be looked at one by one

    async def read(at: int, most: int) -> list[Stored | Damaged]:
        return log.read(at, most)

    everything = [r for r in read_all(log) if isinstance(r, Stored)]
    for r in everything:
        if r.record.reason != "replay" and r.record.lora is not None and r.record.lora.fcnt is not None:
            expected[str(r.record.dev_eui)] = r.record.lora.fcnt

    async def search(portion: int, start: int) -> dict[str, int]:
        it = CounterSearch([Session("z", "01020304", 5)], log, start, read)
        looks = 0
        while not it.is_over:
            known = dict(it.found)
            await it.look(portion)
            assert it.found.items() >= known.items(), "what was found first is the last word"
            looks += 1
            assert looks < 500
        return {s.dev_eui: s.fcnt_up for s in it.sessions()}

    for portion in (1, 3, 1000):
        assert asyncio.run(search(portion, 0)) == expected | {"z": 5}
        assert asyncio.run(search(portion, log.tail)) == {"z": 5}
    log.close()
