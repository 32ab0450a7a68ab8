"""The journal while the queue runs: roots, changes, faults, what people state and export."""

import asyncio
import errno
import json
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.daemon.evidence_scene import read, some_days
from tests.daemon.scans_fakes import SITE, Bench, FaultyDisk, fake_pdf, refuse, with_bench
from torhaus.daemon.evidence.changes import enter_changes, hashes_of
from torhaus.daemon.evidence.log import MAX_KINDS, OTHERS, FaultLog, LogClass, class_of
from torhaus.daemon.evidence.note import Unstatable
from torhaus.daemon.evidence.roots import UNKNOWN, day_of, is_due, leaves_of, make_root, parse_root, roots_of
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.events import EvidenceBroken, StoreStalled, TargetChanged
from torhaus.daemon.scans.queue import ScanQueue


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


def test_changes_of_the_configuration_are_entered_once(tmp_path: Path) -> None:
    first, part = tmp_path / "torhaus.toml", tmp_path / "conf.d" / "scan.toml"
    part.parent.mkdir()
    first.write_text("a")
    part.write_text("b")

    def entered() -> list[tuple[str, object, object]]:
        entries = [read(tmp_path).get(n) for n in range(1, len(read(tmp_path).entries) + 1)]
        return [(str(e.data["name"]), e.data["was"], e.data["sha256"]) for e in entries if e.event == "config.file"]

    def again() -> None:
        async def go() -> None:
            b = Bench(tmp_path)
            queue = ScanQueue(b.config, tmp_path / "state", SITE, b.clock, b.events.append, files=[first, part])
            await queue.open()
            await queue.close()

        asyncio.run(go())

    again()
    a, b = (hashes_of([path])[name] for path, name in ((first, "torhaus.toml"), (part, "conf.d/scan.toml")))
    assert entered() == [("conf.d/scan.toml", None, b), ("torhaus.toml", None, a)]
    again()
    assert len(entered()) == 2
    first.write_text("c")
    part.unlink()
    again()
    c = hashes_of([first])["torhaus.toml"]
    assert entered()[2:] == [("conf.d/scan.toml", b, None), ("torhaus.toml", a, c)]
    keys = [read(tmp_path).get(n) for n in read(tmp_path).seqs("config.key")]
    assert len(keys) == 1


def test_a_flood_of_faults_is_one_entry_a_minute(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for _ in range(10_000):
            b.queue.evidence.faults.add("login_failed", "counter")
        b.queue._report(TargetChanged("archive", False, "refused"))
        await b.queue.record_head()
        journal = read(tmp_path)
        [seq] = journal.seqs("fault.login_failed")
        assert journal.get(seq).data == {"count": 10_000, "where": "counter"}
        assert len(journal.seqs("fault.target_down")) == 1
        await b.queue.record_head()
        assert len(read(tmp_path).seqs("fault.login_failed")) == 1

    with_bench(tmp_path, work)


def test_faults_wait_for_a_store_that_is_full(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.queue.evidence.faults.add("login_failed", "counter")

        def full(_: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        real, b.queue._db._commit = b.queue._db._commit, full  # type: ignore[method-assign]
        await b.queue.record_head()
        assert [event.where for event in b.told(StoreStalled)] == ["evidence"]
        b.queue._db._commit = real  # type: ignore[method-assign]
        await b.queue.record_head()
        journal = read(tmp_path)
        assert len(journal.seqs("fault.login_failed")) == 1
        assert len(journal.seqs("fault.store_OperationalError")) == 1

    with_bench(tmp_path, work)


def test_a_disk_that_is_full_costs_files_only_for_the_time_being(tmp_path: Path) -> None:
    disk = FaultyDisk()

    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        await b.look()
        b.clock.pass_s(86_400)
        disk.fault = refuse(errno.ENOSPC, "create", "make_dir")
        await b.queue.record_head()
        assert [event.detail for event in b.told(StoreStalled)] == ["ENOSPC"]
        disk.fault = lambda _name, _path: None
        await b.queue.record_head()
        assert len(list((tmp_path / "state/scans/roots").iterdir())) == 1

    with_bench(tmp_path, work, disk=disk)


def test_kinds_of_faults_are_bounded() -> None:
    log = FaultLog()
    for n in range(MAX_KINDS + 10):
        log.add(f"kind{n}")
    counts = log.take()
    assert (len(counts), counts[OTHERS]) == (MAX_KINDS + 1, 10)
    assert log.is_empty
    log.give_back(counts)
    assert sum(log.take().values()) == MAX_KINDS + 10


def test_classes() -> None:
    assert class_of("config.file") is class_of("rights.token_added") is LogClass.CONFIG
    assert class_of("use.exported") is class_of("verified") is class_of("root") is LogClass.USE
    assert class_of("post.split") is LogClass.POST_PROCESSING
    assert class_of("fault.login_failed") is LogClass.FAULT


def test_what_is_open_until_a_person_says_it(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("Müller, Anna.pdf", fake_pdf())
        await b.look()
        desk, [scan] = b.queue.evidence, await b.queue.list()
        note = await desk.note(scan.id)
        assert note.creator == note.quality == note.completeness == note.match == "open"
        assert (note.original_name, note.clock, note.pages) == ("Müller, Anna.pdf", "synced", 1)
        note = await desk.state(scan.id, ["creator", "match=yes"], "S17", "uid:1000")
        note = await desk.state(scan.id, ["match=no"], "QS-2", "uid:1001")
        assert note.quality == "open"
        assert not isinstance(note.match, str)
        assert (note.match.value, note.match.by, note.match.account) == ("no", "QS-2", "uid:1001")
        assert [read(tmp_path).get(seq).data["value"] for seq in read(tmp_path).seqs("use.stated")] == [
            "self",
            "yes",
            "no",
        ]
        for odd in ("match", "match=maybe", "colour=red", ""):
            with pytest.raises(Unstatable):
                await desk.state(scan.id, ["quality=passed", odd], "S17", "uid:1000")
        assert (await desk.note(scan.id)).quality == "open"  # all or nothing
        with pytest.raises(KeyError):
            await desk.state("rathaus/0/0", ["match=yes"], "S17", "uid:1000")
        assert "ller" not in json.dumps([line.decode() for line in read(tmp_path).lines()], ensure_ascii=False)

    with_bench(tmp_path, work)


def test_of_a_batch(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        for n in range(3):
            b.put(f"{n}.pdf", fake_pdf(n))
        await b.look()
        desk = b.queue.evidence
        with pytest.raises(KeyError):
            await desk.batch_note("post-7")
        await b.queue._db.run(lambda tx: tx.conn.execute("UPDATE scan SET batch = 'post-7' WHERE seq < 3"))
        note = await desk.state_batch("post-7", ["completeness=complete"], "S17", "uid:0")
        assert (note.count, [each.batch for each in note.documents]) == (2, ["post-7", "post-7"])
        assert all(each.completeness != "open" for each in note.documents)
        assert note == await desk.batch_note("post-7")
        last = (await b.queue.list())[0]
        assert (await desk.note(last.id)).completeness == "open"

    with_bench(tmp_path, work)


def test_use_and_rights_are_entered(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await b.queue.evidence.used("released", "uid:7", "rathaus/1/1", rule="14 days")
        await b.queue.evidence.rights("token_added", "uid:0", station="counter")
        journal = read(tmp_path)
        assert journal.get(journal.seqs("use.released")[0]).data == {"account": "uid:7", "rule": "14 days"}
        assert journal.get(journal.seqs("rights.token_added")[0]).data["station"] == "counter"
        changed = await b.queue._db.run(lambda tx: enter_changes(tx, {"x": "1"}, 5, "list"))
        assert changed == 1

    with_bench(tmp_path, work)
