import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.model import Stamp
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.db import Arrival, ScansDb, Tx
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.states import State


def fill(path: Path, scans: int = 4) -> evidence.Head:
    """A store with some scans; returns the head after the first half."""

    async def go() -> evidence.Head:
        db = ScansDb(path, "rathaus")
        await db.open()
        head = evidence.Head("", 0, "", 0)
        for n in range(scans):
            at = Stamp(1000 + n, n, True)
            arrival = Arrival("counter", b"secret name.pdf", f"{n:064x}", 10, "application/pdf", 1, (), at, "b")

            def work(tx: Tx, arrival: Arrival = arrival, at: Stamp = at) -> None:
                tx.move(tx.add(arrival), State.SEALED, at.wall_ns)

            await db.run(work)
            if n == scans // 2:
                head = await db.run(lambda tx: tx.head(7))
        await db.close()
        return head

    return asyncio.run(go())


class Filled:
    """A store's bytes, and a head recorded half-way."""

    def __init__(self, data: bytes, head: evidence.Head) -> None:
        self.data, self.head = data, head


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    path = tmp_path_factory.mktemp("evidence") / "scans.db"
    head = fill(path)
    with sqlite3.connect(path) as conn:
        data = conn.serialize()
    conn.close()
    return Filled(data[:18] + b"\x01\x01" + data[20:], head)  # not WAL: can be opened in memory


@pytest.fixture
def conn(filled: Filled, tmp_path: Path) -> sqlite3.Connection:
    path = tmp_path / "copy.db"
    path.write_bytes(filled.data)
    return sqlite3.connect(path, isolation_level=None)


def what(result: evidence.Verified) -> set[str]:
    return {fault.what for fault in result.faults}


def test_an_untouched_journal_verifies(conn: sqlite3.Connection, filled: Filled) -> None:
    result = evidence.verify(conn, filled.head)
    assert (result.entries, result.faults) == (12, [])
    assert evidence.last(conn) == (12, bytes.fromhex(result.last_hash))
    conn.close()


def test_names_are_not_in_it(conn: sqlite3.Connection) -> None:
    assert not conn.execute("SELECT 1 FROM evidence WHERE instr(entry, 'secret') > 0").fetchall()
    conn.close()


def rehash(conn: sqlite3.Connection, change: Callable[[evidence.Entry], evidence.Entry]) -> None:
    """What a forger with root would do: change an entry and make the chain fit again."""
    import hashlib

    prev = evidence.ZERO
    for seq, raw in conn.execute("SELECT seq, entry FROM evidence ORDER BY seq").fetchall():
        entry = change(msgspec.json.decode(raw, type=evidence.Entry))
        new = msgspec.json.encode(msgspec.structs.replace(entry, prev=prev.hex()), order="sorted")
        prev = hashlib.sha256(new).digest()
        conn.execute("UPDATE evidence SET entry = ?, hash = ? WHERE seq = ?", (new, prev, seq))


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (
            'UPDATE evidence SET entry = CAST(replace(entry, ":1", ":2") AS BLOB) WHERE seq = 5',
            "changed",
        ),
        ("UPDATE evidence SET hash = zeroblob(32) WHERE seq = 5", "changed"),
        ("UPDATE evidence SET entry = x'00' WHERE seq = 5", "syntax"),
        ("UPDATE evidence SET entry = CAST(entry || ' ' AS BLOB) WHERE seq = 5", "syntax"),
        ("DELETE FROM evidence WHERE seq = 5", "gap"),
        ("DELETE FROM evidence WHERE seq = 1", "gap"),
        ("DELETE FROM evidence WHERE seq > 6", "tail"),
        ("DELETE FROM evidence WHERE seq > 11", "state"),
        ("DELETE FROM evidence", "tail"),
        ("UPDATE scan SET state = 'verified' WHERE seq = 2", "state"),
        ("DELETE FROM scan WHERE seq = 2", "state"),
    ],
)
def test_tampering_is_found(conn: sqlite3.Connection, filled: Filled, sql: str, found: str) -> None:
    conn.execute("PRAGMA foreign_keys = OFF")
    assert conn.execute(sql).rowcount > 0
    assert found in what(evidence.verify(conn, filled.head))
    conn.close()


def test_a_chain_rewritten_from_the_start_does_not_fit_the_recorded_head(
    conn: sqlite3.Connection, filled: Filled
) -> None:
    rehash(conn, lambda e: msgspec.structs.replace(e, at=e.at + 1))
    assert evidence.verify(conn).faults == []
    assert what(evidence.verify(conn, filled.head)) == {"head"}
    conn.close()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.sampled_from(["entry", "hash"]), st.integers(0, 1 << 20))
def test_any_flipped_bit_of_any_entry_is_found(filled: Filled, seq: int, column: str, place: int) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    try:
        conn.deserialize(filled.data)
        value = bytearray(conn.execute(f"SELECT {column} FROM evidence WHERE seq = ?", (seq,)).fetchone()[0])
        bit = place % (len(value) * 8)
        value[bit // 8] ^= 1 << bit % 8
        conn.execute(f"UPDATE evidence SET {column} = ? WHERE seq = ?", (bytes(value), seq))
        assert "changed" in what(evidence.verify(conn))
    finally:
        conn.close()


def test_the_head_is_signed_with_a_key_of_our_own(tmp_path: Path) -> None:
    signer = evidence.Signer(tmp_path, Disk())
    assert (tmp_path / "evidence.key").stat().st_mode & 0o777 == 0o600
    assert signer.recorded() is None
    signer.record(evidence.Head("3f2a91c0", 9, "ab" * 32, 5))
    again = evidence.Signer(tmp_path, Disk())
    head = again.recorded()
    assert head is not None
    assert (head.seq, head.key) == (9, again.public)
    assert evidence.signature_good(head)
    assert not evidence.signature_good(msgspec.structs.replace(head, seq=8))
    assert not evidence.signature_good(head, "00" * 32)
    assert not evidence.signature_good(msgspec.structs.replace(head, signature="zz"))
    assert {path.name for path in tmp_path.iterdir()} == {"evidence.key", "evidence.head"}
