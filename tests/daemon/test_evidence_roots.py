import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.daemon.evidence_scene import read, some_days
from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.evidence.roots import UNKNOWN, day_of, is_due, leaves_of, make_root, parse_root, roots_of
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.events import EvidenceBroken


def test_a_root_a_day(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await some_days(b)
        files = sorted((tmp_path / "state/scans/roots").iterdir())
        assert len(files) == 3
        for path in files:
            root = msgspec.json.decode(path.read_bytes(), type=evidence.Root)
            assert evidence.signature_good(root, b.queue.evidence.signer.public)
            assert path.name == f"{root.day}-{root.seq}.json"
            assert path.stat().st_mode & 0o777 == 0o600
        assert b.queue.evidence.figures.entries == root.seq == root.last + 1
        assert b.queue.evidence.figures.rooted_ns == b.clock.wall_ns()
        assert b.queue.evidence.figures.faults == 0
        await b.queue.record_head()  # nothing more today
        assert len(list((tmp_path / "state/scans/roots").iterdir())) == 3
        files[1].unlink()
        await b.restart()
        await b.queue.record_head()  # after a start all are looked at
        assert files[1].exists()

    with_bench(tmp_path, work)


def test_a_clock_that_was_set_back_makes_no_harm(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await some_days(b, 2)
        b.clock.pass_s(-86_400 * 400)
        for _ in range(3):
            b.put(f"{b.clock.now_ns}.pdf", fake_pdf(b.clock.now_ns))
            await b.queue.record_head()
        assert len(list((tmp_path / "state/scans/roots").iterdir())) == 3

    with_bench(tmp_path, work)


def test_what_was_tampered_with_is_told_the_day_after(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            await some_days(b, 1)
            b.put("x.pdf", fake_pdf())
            await b.look()
            count = len(read(tmp_path).entries)
            conn = sqlite3.connect(tmp_path / "state/scans/scans.db")
            conn.execute("UPDATE evidence SET entry = x'00' WHERE seq IN (?, ?)", (count, count - 1))
            conn.execute("UPDATE root SET signed = x'ff'")
            conn.commit()
            conn.close()
            b.clock.pass_s(86_400)
            await b.queue.record_head()
            [told] = b.told(EvidenceBroken)
            assert (told.seq, told.what) == (count - 1, "syntax")
            assert b.queue.evidence.figures.faults == told.count > 0
            scan = (await b.queue.list())[0]
            with pytest.raises(OSError, match="was changed"):
                await b.queue.evidence.note(scan.id)
            assert {fault.what for fault in (await b.queue.verify_evidence()).faults} >= {"syntax"}

    asyncio.run(go())


def test_the_first_entry_may_be_the_changed_one(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            conn = sqlite3.connect(tmp_path / "state/scans/scans.db")
            conn.execute("UPDATE evidence SET entry = x'00'")
            conn.commit()
            conn.close()
            await b.queue.record_head()
            assert b.told(EvidenceBroken)
            assert (tmp_path / f"state/scans/roots/{UNKNOWN}-2.json").exists()

    asyncio.run(go())


def test_roots_and_their_leaves(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        db, signer, at_ns = b.queue._db, b.queue.evidence.signer, b.clock.wall_ns()
        made = await db.run(lambda tx: make_root(tx, signer, at_ns))
        assert made is not None
        assert await db.run(lambda tx: roots_of(tx, [1, made.root.last, made.root.seq])) == [made.root]
        assert len(await db.run(lambda tx: leaves_of(tx, made.root))) == made.root.last
        assert not await db.run(lambda tx: is_due(tx, at_ns))
        assert await db.run(lambda tx: is_due(tx, at_ns + 86_400 * 10**9))

        def emptied(tx: object) -> None:
            tx.conn.execute("DELETE FROM evidence")  # type: ignore[attr-defined]
            tx.conn.execute("DELETE FROM root")  # type: ignore[attr-defined]
            assert make_root(tx, signer, 5) is None  # type: ignore[arg-type]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await db.run(emptied)

    with_bench(tmp_path, work)
    assert day_of(1_795_000_000 * 10**9) == "2026-11-18"
    assert parse_root(b"{}") is parse_root(b"\xff") is None
