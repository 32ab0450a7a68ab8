import asyncio
import errno
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import FaultyDisk, fake_pdf, key_file, refuse
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.events import StoreStalled
from torhaus.daemon.scans.release.config import Release, Retention, RetentionRule
from torhaus.daemon.scans.release.forgetting import FORGOTTEN
from torhaus.daemon.scans.release.papers import Result
from torhaus.daemon.scans.sealed import Unreadable
from torhaus.daemon.scans.states import Reason, State


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is just bringing the same bytes again."""
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)


def blobs(s: Scene) -> int:
    return len(list((s.root / "state/scans/blobs").glob("*/*")))


async def come(s: Scene, *marks: int) -> None:
    for n, mark in enumerate(marks):
        s.put(f"{mark}-{n}.pdf", fake_pdf(mark))
    await s.look()
    await s.deliver()


def test_copies_go_after_their_time_with_a_record(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1, 2)
        s.clock.pass_s(14 * DAY_S - 10)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["verified"] * 2, 2)
        s.clock.pass_s(10)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["purged"] * 2, 0)
        scan, entries = await s.queue.show((await s.queue.list())[0].id)
        assert entries[-1].data == {
            "state": "purged", "sha256": scan.sha256, "bytes": scan.size_bytes,
            "rule": "scan.retention", "days": 14, "since": "verified", "forgotten": FORGOTTEN,
        }  # fmt: skip
        await s.restart()

    with_scene(tmp_path, work, None, Retention())


def test_a_copy_of_a_sealed_file_is_worth_nothing_after_its_document_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))

    async def work(s: Scene) -> None:
        await come(s, 1, 2)
        gone, stays = sorted(await s.queue.list(), key=lambda scan: scan.sha256 != sha256(fake_pdf(1)).hexdigest())
        [wrapped] = await s.queue._db.run(
            lambda tx: tx.conn.execute("SELECT wrapped FROM spool_key WHERE sha256 = ?", (gone.sha256,)).fetchone()
        )
        path = s.queue._spool.path(gone.sha256)
        thief = path.read_bytes()
        assert await asyncio.to_thread(s.queue._spool.intact, gone.sha256)
        s.clock.pass_s(14 * DAY_S)
        s.put("3.pdf", fake_pdf(2))  # another document with the other's bytes: their key stays
        await s.look()
        await s.queue.release.step()
        assert sorted(await s.states()) == ["purged", "purged", "spooled"]
        for _ in range(2):
            path.write_bytes(thief)  # his copy, where it was
            with pytest.raises(Unreadable, match="its key is gone"):
                await asyncio.to_thread(s.queue._spool.content, gone.sha256)
            assert await asyncio.to_thread(s.queue._spool.intact, stays.sha256)
            left = b"".join(p.read_bytes() for p in (s.root / "state").rglob("*") if p.is_file())
            assert wrapped not in left
            assert fake_pdf(1) not in left
            await s.restart()  # what was in memory is gone, too

    with_scene(tmp_path, work, None, Retention())


def test_each_class_and_station_has_its_own_time(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        s.clock.pass_s(2 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["purged"]
        assert (await s.queue.show((await s.queue.list())[0].id))[1][-1].data["rule"] == "scan.retention.rule[0]"

    with_scene(tmp_path, work, None, Retention(90, rule=(RetentionRule(station="counter", keep_days=1),)))


def test_the_copy_stays_until_quality_control_is_through(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(2)
        s.clock.pass_s(100 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["verified"] * 2
        [bad] = await s.look_at_sample(lot, Result.BAD)
        await s.queue.release.step()
        assert await s.states() == ["verified"] * 2
        await s.say(bad)
        await s.queue.release.step()
        assert await s.states() == ["purged"] * 2
        assert await s.waits(lot) == {"delay"}  # the paper's time goes on without the copy
        s.clock.pass_s(100 * DAY_S)
        released = await s.queue.release.release(lot, "S17", "uid:7")
        assert all(p.released_ns is not None and p.state == "purged" for p in released)
        assert (await s.queue.show(released[0].id))[1][-1].event == "paper_released"

    with_scene(tmp_path, work, Release(delay_days=150), Retention())


def test_from_release_on(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        await s.look_at_sample(lot)
        s.clock.pass_s(200 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["verified"]
        await s.queue.release.release(lot, "S17", "uid:7")
        await s.queue.release.step()
        assert await s.states() == ["released"]
        s.clock.pass_s(14 * DAY_S)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["purged"], 0)

    with_scene(tmp_path, work, Release(), Retention(from_="released"))


def test_bytes_that_another_scan_has_stay(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        s.clock.pass_s(13 * DAY_S)
        await come(s, 1)
        s.clock.pass_s(2 * DAY_S)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["purged", "verified"], 1)
        s.clock.pass_s(13 * DAY_S)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["purged"] * 2, 0)
        await come(s, 1)
        assert (await s.states(), blobs(s)) == (["purged", "purged", "verified"], 1)

    with_scene(tmp_path, work, None, Retention())


def test_bytes_that_are_just_coming_again_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        s.clock.pass_s(20 * DAY_S)
        monkeypatch.setattr(spool, "SETTLED_S", 3600.0)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["verified"], 1)
        monkeypatch.setattr(spool, "SETTLED_S", -1.0)
        await s.queue.release.step()
        assert (await s.states(), blobs(s)) == (["purged"], 0)

    with_scene(tmp_path, work, None, Retention())


def test_what_waits_for_a_person_stays_until_one_decides(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1, 2)

        def hold(scan: Scan) -> None:
            s_conn = sqlite3.connect(s.root / "state/scans/scans.db")
            s_conn.execute("UPDATE scan SET state = 'held', reason = ? WHERE seq = ?", (Reason.NO_ROUTE, scan.seq))
            s_conn.commit()
            s_conn.close()

        held, other = await s.queue.list()
        hold(held)
        s.clock.pass_s(400 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["purged", "held"]
        assert (await s.queue.release.discard(held.id, "S17", "uid:7")).state is State.PURGED
        assert blobs(s) == 0
        data = (await s.queue.show(held.id))[1][-1].data
        assert (data["by"], data["was"], data["sha256"]) == ("S17", "held", held.sha256)
        with pytest.raises(ValueError, match="purged"):
            await s.queue.release.discard(other.id, "S17", "uid:7")
        with pytest.raises(KeyError):
            await s.queue.release.discard("rathaus/0/99", "S17", "uid:7")

    with_scene(tmp_path, work, None, Retention())


def test_what_the_disk_refuses_is_tried_again(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        s.clock.pass_s(20 * DAY_S)
        assert isinstance(s.disk, FaultyDisk)
        s.disk.fault = refuse(errno.EIO, "unlink")
        await s.queue.release.step()
        assert [e.detail for e in s.told(StoreStalled)] == ["EIO"]
        assert (await s.states(), blobs(s)) == (["purged"], 1)
        s.disk.fault = lambda _name, _path: None
        await s.queue.release.step()
        assert blobs(s) == 0

    with_scene(tmp_path, work, None, Retention())


def test_what_a_crash_left_goes_at_the_next_start(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1)
        s.clock.pass_s(20 * DAY_S)
        assert isinstance(s.disk, FaultyDisk)
        s.disk.fault = refuse(errno.EIO, "unlink")
        await s.queue.release.step()
        s.disk.fault = lambda _name, _path: None
        await s.restart()
        assert (await s.states(), blobs(s)) == (["purged"], 0)

    with_scene(tmp_path, work, None, Retention())


def test_what_is_thrown_away_while_others_are_deleted_goes_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(s: Scene) -> None:
        await come(s, 1, 2)
        retaining, real = s.queue.release.retention, Tx.wants_blob
        later = ["ff" * 32]

        def meanwhile(tx: Tx, sha256: str) -> bool:
            if later:
                retaining._left.add(later.pop())
            return real(tx, sha256)

        s.clock.pass_s(14 * DAY_S)
        monkeypatch.setattr(Tx, "wants_blob", meanwhile)
        await retaining._remove([scan.sha256 for scan in await s.queue.list()])
        assert retaining._left == {"ff" * 32}

    with_scene(tmp_path, work, None, Retention())
