import sqlite3
from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, MONTH, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.daemon.scans.events import ScanMoved, StoreStalled
from torhaus.daemon.scans.release import desk
from torhaus.daemon.scans.release.config import Release, Retention
from torhaus.daemon.scans.release.desk import NotConfigured
from torhaus.daemon.scans.release.papers import Result
from torhaus.daemon.scans.states import State


def test_paper_may_go_when_it_is_delivered_looked_at_and_the_delay_is_over(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(3, deliver=False)
        assert await s.waits(lot) == {"delivery"}
        await s.deliver()
        assert await s.waits(lot) == {"quality"}
        assert {p.free_from_ns for p in await s.papers(lot)} == {None}
        await s.look_at_sample(lot)
        assert await s.waits(lot) == {"delay"}
        verified = s.clock.wall_ns()
        assert {p.free_from_ns for p in await s.papers(lot)} == {verified + 30 * 86_400 * 10**9}
        s.clock.pass_s(30 * DAY_S - 1)
        assert all(p.released_ns is None for p in await s.queue.release.release(lot, "S17", "uid:7"))
        s.clock.pass_s(1)
        assert await s.waits(lot) == {"person"}
        released = await s.queue.release.release(lot, "S17", "uid:7")
        assert [p.state for p in released] == ["released"] * 3
        assert len([e for e in s.told(ScanMoved) if e.state is State.RELEASED]) == 3
        entry = (await s.queue.show(released[0].id))[1][-1]
        assert (entry.event, entry.data["by"], entry.data["lot"]) == ("released", "S17", lot)
        assert entry.data["sha256"] == released[0].sha256
        again = await s.queue.release.release(lot, "S18", "uid:8")
        assert [p.released_ns for p in again] == [p.released_ns for p in released]

    with_scene(tmp_path, work)


def test_a_bad_sample_blocks_its_batch_until_all_of_it_was_looked_at(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(5)
        other = await s.day(2)
        [bad] = await s.look_at_sample(lot, Result.PAGE_MISSING)
        await s.look_at_sample(other)
        s.clock.pass_s(365 * DAY_S)
        assert await s.waits(lot) == {"quality_failed"}
        assert await s.waits(other) == {"person"}
        assert all(p.released_ns is None for p in await s.queue.release.release(lot, "S17", "uid:7"))
        assert await s.queue.release.say_of_rest(lot, Result.OK, "S18", "uid:7") == 4
        after = await s.queue.release.release(lot, "S17", "uid:7")
        assert [p.id for p in after if p.released_ns is None] == [bad.id]
        await s.say(bad)  # the page was found
        after = await s.queue.release.release(lot, "S17", "uid:7")
        assert all(p.released_ns for p in after)
        with pytest.raises(ValueError, match="released before"):
            await s.say(bad, Result.BAD)

    with_scene(tmp_path, work)


def test_it_releases_by_itself_if_told_to(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lots = [await s.day(1) for _ in range(3)]
        for lot in lots[1:]:
            await s.look_at_sample(lot)
        s.clock.pass_s(40 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["verified", "released", "released"]
        assert (await s.queue.show((await s.papers(lots[2]))[0].id))[1][-1].data["rule"] == "scan.release.automatic"

    with_scene(tmp_path, work, Release(delay_days=30, automatic=True))


def test_it_releases_by_itself_what_retention_has_deleted_long_before(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot, open_one = await s.day(2), await s.day(1)
        await s.look_at_sample(lot)
        s.queue._spool._brought.clear()
        s.clock.pass_s(15 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["purged", "purged", "verified"]
        assert await s.waits(lot) == {"delay"}
        s.clock.pass_s(16 * DAY_S)
        await s.queue.release.step()
        assert all(p.released_ns is not None for p in await s.papers(lot))
        assert await s.waits(open_one) == {"quality"}

    with_scene(tmp_path, work, Release(delay_days=30, automatic=True), Retention(keep_days=14))


def test_many_lots_are_gone_through_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LOTS_LOOKED_AT", 2)
    monkeypatch.setattr(desk, "LOTS_AT_ONCE", 1)

    async def work(s: Scene) -> None:
        lots = [await s.day(1) for _ in range(5)]
        for lot in lots[1:]:
            await s.look_at_sample(lot)
        s.clock.pass_s(40 * DAY_S)
        for _ in range(12):
            await s.queue.release.step()
        assert await s.states() == ["verified", *["released"] * 4]

    with_scene(tmp_path, work, Release(delay_days=30, automatic=True))


@pytest.mark.parametrize("release", [None, MONTH])
@pytest.mark.parametrize("behind_days", [60, -60])
def test_what_was_proved_by_a_wrong_clock_counts_from_when_it_is_right(
    tmp_path: Path, release: Release | None, behind_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(s: Scene) -> None:
        right_ns = s.clock.wall_offset_ns
        s.clock.wall_offset_ns -= int(behind_days * DAY_S * 1e9)
        with monkeypatch.context() as wrong:
            wrong.setattr(s.clock, "synced", lambda: False)
            s.put("a.pdf", fake_pdf(1))
            await s.look()
            await s.deliver()
        scan, story = await s.queue.show((await s.queue.list())[0].id)
        assert story[-1].data == {"state": "verified", "sha256": scan.sha256, "synced": False}
        s.clock.wall_offset_ns = right_ns
        s.queue._spool._brought.clear()
        await s.restart()
        for _ in range(3):
            await s.queue.release.step()
            for lot in await s.queue.release.lots() if release else []:
                await s.look_at_sample(lot.name)
                assert await s.waits(lot.name) == {"delay"}
            s.clock.pass_s(4 * DAY_S)
        assert await s.states() == ["verified"]
        s.clock.pass_s(3 * DAY_S)
        await s.queue.release.step()
        assert await s.states() == ["purged"]

    with_scene(tmp_path, work, release, Retention(keep_days=14))


def test_a_person_releases_nothing_too_early_just_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1, deliver=False)
        [paper] = await s.papers(lot)
        await s.say(paper)
        with monkeypatch.context() as wrong:
            wrong.setattr(s.clock, "synced", lambda: False)
            await s.deliver()
        s.clock.pass_s(40 * DAY_S)  # the box was away for so long, and did not know
        [paper] = await s.queue.release.release(lot, "S17", "uid:7")
        assert (paper.released_ns, paper.waits_for) == (None, "delay")

    with_scene(tmp_path, work)


def test_nothing_is_closed_or_released_by_a_clock_that_nobody_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        await s.look_at_sample(lot)
        s.clock.pass_s(365 * DAY_S)
        monkeypatch.setattr(s.clock, "synced", lambda: False)
        with pytest.raises(ValueError, match="clock"):
            await s.queue.release.release(lot, "S17", "uid:7")
        s.put("b.pdf", b"%PDF-1.7\nb\n%%EOF\n")
        await s.look()
        await s.queue.seal()
        s.clock.pass_s(2 * DAY_S)
        await s.queue.release.step()
        assert len(await s.queue.release.lots()) == 1

    with_scene(tmp_path, work)


def test_without_its_table_nothing_happens(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        with pytest.raises(IndexError):
            await s.day(2)
        with pytest.raises(NotConfigured):
            await s.queue.release.papers("x")
        events = [e.event for e in (await s.queue.show((await s.queue.list())[0].id))[1]]
        assert events[-1] == "verified"

    with_scene(tmp_path, work, None)


def test_trouble_of_the_store_is_told_once(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        def full(_: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        real, s.queue._db._commit = s.queue._db._commit, full  # type: ignore[method-assign, assignment]
        await s.queue.release.step()
        await s.queue.release.step()
        assert [e.where for e in s.told(StoreStalled)] == ["release"]
        s.queue._db._commit = real  # type: ignore[method-assign]

    with_scene(tmp_path, work)
