import asyncio
import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import Stamp
from torhaus.daemon.evidence.journal import verify
from torhaus.daemon.scans import migrate
from torhaus.daemon.scans.db import Arrival, Scan, ScansDb, Tx
from torhaus.daemon.scans.migrate import VERSION, StoreRefused
from torhaus.daemon.scans.states import MOVES, BadMove, Reason, State


def arrival(n: int = 1, name: bytes = b"Bu\xdfgeld.pdf") -> Arrival:
    return Arrival("counter", name, f"{n:064x}", 10, "application/pdf", 2, ("encrypted",), Stamp(5, 6, True), "boot")


def with_db(path: Path, work: Callable[[ScansDb], Awaitable[None]]) -> None:
    async def go() -> None:
        db = ScansDb(path, "rathaus")
        try:
            await db.open()
            await work(db)
        finally:
            await db.close()

    asyncio.run(go())


def test_a_scan_is_kept_with_its_bytes_of_a_name(tmp_path: Path) -> None:
    async def work(db: ScansDb) -> None:
        scan = await db.run(lambda tx: tx.add(arrival()))
        assert scan.id == f"rathaus/{db.store}/1"
        assert len(bytes.fromhex(db.store)) == 4
        assert (scan.name, scan.state, scan.flags, scan.pages) == (b"Bu\xdfgeld.pdf", State.SPOOLED, ("encrypted",), 2)
        second = await db.run(lambda tx: tx.add(arrival()))
        assert (second.duplicate_of, scan.duplicate_of) == (scan.id, None)

    with_db(tmp_path / "scans.db", work)
    assert (tmp_path / "scans.db").stat().st_mode & 0o777 == 0o600


def test_durability_settings(tmp_path: Path) -> None:
    async def work(db: ScansDb) -> None:
        def pragmas(tx: Tx) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys", "user_version", "secure_delete")
            return [tx.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await db.run(pragmas) == ["wal", 2, 1, VERSION, 1]

    with_db(tmp_path / "scans.db", work)


def test_state_and_evidence_change_together_or_not_at_all(tmp_path: Path) -> None:
    def half(tx: Tx) -> None:
        tx.move(tx.add(arrival(2)), State.SEALED, 7)
        raise RuntimeError

    async def work(db: ScansDb) -> None:
        first = await db.run(lambda tx: tx.add(arrival()))
        with pytest.raises(RuntimeError):
            await db.run(half)
        with pytest.raises(BadMove):
            await db.run(lambda tx: tx.move(first, State.VERIFIED, 7))
        result = await db.run(lambda tx: verify(tx.conn, None))
        assert (result.entries, result.faults) == (2, [])
        moved = await db.run(lambda tx: tx.move(first, State.QUARANTINED, 9, Reason.DAMAGED))
        assert (moved.state, moved.reason, moved.changed_ns) == (State.QUARANTINED, Reason.DAMAGED, 9)
        with pytest.raises(KeyError):  # somebody else moved it on meanwhile
            await db.run(lambda tx: tx.move(first, State.SEALED, 9))

    with_db(tmp_path / "scans.db", work)


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    async def work(db: ScansDb) -> None:
        def add_and_remove(tx: Tx) -> Scan:
            scan = tx.add(arrival())
            tx.conn.execute("DELETE FROM scan WHERE seq = ?", (scan.seq,))
            return scan

        assert (await db.run(add_and_remove)).seq == 1
        assert (await db.run(lambda tx: tx.add(arrival()))).seq == 2

    with_db(tmp_path / "scans.db", work)


def test_the_store_id_stays_and_ids_survive_a_change_of_site(tmp_path: Path) -> None:
    stores: list[str] = []

    async def first(db: ScansDb) -> None:
        await db.run(lambda tx: tx.add(arrival()))
        stores.append(db.store)

    async def second(db: ScansDb) -> None:
        stores.append(db.store)
        assert (await db.run(lambda tx: tx.get(1))).id == f"rathaus/{db.store}/1"

    with_db(tmp_path / "scans.db", first)
    with_db(tmp_path / "scans.db", second)
    assert stores[0] == stores[1]


@pytest.mark.parametrize("sql", [f"PRAGMA user_version = {VERSION + 1}", "CREATE TABLE letters (id)"])
def test_newer_and_foreign_files_are_refused_untouched(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "scans.db"
    conn = sqlite3.connect(path)
    conn.execute(sql)
    conn.commit()
    conn.close()

    async def nothing(_db: ScansDb) -> None: ...

    with pytest.raises(StoreRefused):
        with_db(path, nothing)
    conn = sqlite3.connect(path)
    assert not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'scan'").fetchall()
    conn.close()


def test_a_cancelled_caller_leaves_no_half(tmp_path: Path) -> None:
    import threading

    async def work(db: ScansDb) -> None:
        started, go_on = threading.Event(), threading.Event()

        def slow(tx: Tx) -> None:
            scan = tx.add(arrival())
            started.set()
            go_on.wait(10)
            tx.move(scan, State.SEALED, 7)

        task = asyncio.ensure_future(db.run(slow))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert (await db.run(lambda tx: tx.get(1))).state is State.SEALED

    with_db(tmp_path / "scans.db", work)


def came(day: int, *, synced: bool = True, station: str = "counter") -> Arrival:
    at = Stamp(1_795_000_000 * 10**9 + day * 86_400 * 10**9, 6, synced)
    return Arrival(station, b"a", "0" * 64, 10, "application/pdf", 2, (), at, "boot")


def test_duplicates_are_looked_for_within_the_stations_window(tmp_path: Path) -> None:
    async def go() -> None:
        db = ScansDb(tmp_path / "scans.db", "rathaus", {"counter": 30 * 86_400.0})
        await db.open()
        first = await db.run(lambda tx: tx.add(came(0)))
        assert (await db.run(lambda tx: tx.add(came(29)))).duplicate_of == first.id
        assert (await db.run(lambda tx: tx.add(came(31)))).duplicate_of != first.id  # but of the one on day 29
        assert (await db.run(lambda tx: tx.add(came(90)))).duplicate_of is None
        assert (await db.run(lambda tx: tx.add(came(90, station="other")))).duplicate_of is None
        assert (await db.run(lambda tx: tx.add(came(-9000, synced=False)))).duplicate_of == first.id  # says its clock
        late = await db.run(lambda tx: tx.add(came(9000)))
        assert late.duplicate_of is not None  # one of them came at a time that nobody knows
        await db.close()

    asyncio.run(go())


def test_without_a_window_duplicates_are_so_for_ever(tmp_path: Path) -> None:
    async def work(db: ScansDb) -> None:
        first = await db.run(lambda tx: tx.add(came(0)))
        assert (await db.run(lambda tx: tx.add(came(9000)))).duplicate_of == first.id

    with_db(tmp_path / "scans.db", work)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(State), st.booleans()), max_size=40))
def test_any_walk_leaves_states_and_journal_agreeing(walk: list[tuple[int, State, bool]]) -> None:
    """Moves that the table has are made with their entry, all others leave no trace; some transactions break off."""
    with tempfile.TemporaryDirectory() as folder:

        async def work(db: ScansDb) -> None:
            scans = await db.run(lambda tx: [tx.add(arrival(n)) for n in range(5)])
            made = 2 * len(scans)
            for which, to, breaks in walk:

                def move(tx: Tx, which: int = which, to: State = to, breaks: bool = breaks) -> Scan:
                    moved = tx.move(scans[which], to, 9)
                    if breaks:
                        raise RuntimeError
                    return moved

                allowed = to in MOVES[scans[which].state]
                try:
                    scans[which] = await db.run(move)
                except BadMove:
                    assert not allowed
                except RuntimeError:
                    assert allowed
                    assert breaks
                else:
                    assert allowed
                    made += 1
            result = await db.run(lambda tx: verify(tx.conn, None))
            assert (result.entries, result.faults) == (made, [])
            assert await db.run(lambda tx: [tx.get(s.seq).state for s in scans]) == [s.state for s in scans]

        with_db(Path(folder) / "scans.db", work)


def open_below(folder: Path) -> list[str]:
    """Files of a folder that this process has open."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(path.readlink()))
    return [name for name in found if name.startswith(str(folder))]


def test_given_up_while_it_opens_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_open = threading.Event(), threading.Event()
    made: list[sqlite3.Connection] = []

    def bring_up(conn: sqlite3.Connection) -> None:
        begun.set()
        assert may_open.wait(60)
        made.append(conn)
        migrate.bring_up(conn)

    async def go() -> None:
        monkeypatch.setattr("torhaus.daemon.scans.db.bring_up", bring_up)
        db = ScansDb(tmp_path / "scans.db", "rathaus")
        opening = asyncio.create_task(db.open())
        await asyncio.to_thread(begun.wait, 60)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        may_open.set()
        await db.close()
        await db.close()
        assert made
        assert open_below(tmp_path) == []
        with pytest.raises(sqlite3.OperationalError, match="not open"):
            await db.run(lambda tx: tx.next_seq())

    asyncio.run(go())
