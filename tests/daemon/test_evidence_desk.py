import errno
import sqlite3
from pathlib import Path

from tests.daemon.evidence_scene import read
from tests.daemon.scans_fakes import Bench, FaultyDisk, fake_pdf, refuse, with_bench
from torhaus.daemon.evidence.changes import enter_changes
from torhaus.daemon.scans.events import StoreStalled


def test_faults_wait_for_a_store_that_is_full(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.queue.evidence.faults.add("login_failed", "counter")

        def full(_: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        real, b.queue._db._commit = b.queue._db._commit, full  # type: ignore[method-assign, assignment]
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


def test_use_is_entered(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await b.queue.evidence.used("released", "uid:7", "rathaus/1/1", rule="14 days")
        journal = read(tmp_path)
        assert journal.get(journal.seqs("use.released")[0]).data == {"account": "uid:7", "rule": "14 days"}
        changed = await b.queue._db.run(lambda tx: enter_changes(tx, {"x": "1"}, 5, "list"))
        assert changed == 1

    with_bench(tmp_path, work)
