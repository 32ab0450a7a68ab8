from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.release.config import Release, ReleaseRule
from torhaus.daemon.scans.release.desk import NotConfigured
from torhaus.daemon.scans.release.papers import Result, Waits
from torhaus.daemon.scans.release.standing import THROUGH, WAITING_SQL, LotStanding, Step

AT = 1_795_000_000 * 10**9
HALF = Release(sample_percent=50.0, delay_days=30)


@pytest.mark.parametrize(
    ("more", "step", "to_look_at"),
    [
        ({"open": 2, "unseen": 9}, Step.LOOK, 2),
        ({"open": 1, "unseen": 9, "failed": 1}, Step.LOOK_AT_ALL, 9),
        ({"failed": 1, "objected": 1, "undelivered": 1}, Step.TROUBLE, 0),
        ({"failed": 1, "settled": 1, "released": 9}, Step.DONE, 0),
        ({"discarded": 2, "released": 8}, Step.DONE, 0),
        ({"failed": 1, "settled": 1, "unseen": 3, "discarded": 1}, Step.LOOK_AT_ALL, 3),
        ({"objected": 1, "free_from_ns": AT}, Step.TROUBLE, 0),
        ({"undelivered": 1, "free_from_ns": AT}, Step.DELIVERY, 0),
        ({"free_from_ns": AT}, Step.RELEASE, 0),
        ({"free_from_ns": AT + 1}, Step.DELAY, 0),
        ({"released": 10}, Step.DONE, 0),
        ({"released": 9, "free_from_ns": AT}, Step.RELEASE, 0),
    ],
)
def test_what_comes_next(more: dict[str, int], step: Step, to_look_at: int) -> None:
    lot = LotStanding(name="7-post", drawn_ns=0, **({"count": 10, "sampled": 2} | more))
    assert (lot.step(AT), lot.to_look_at) == (step, to_look_at)
    assert (step in THROUGH) == (step in {"release", "delay", "done"})


def test_a_lot_from_its_closing_to_its_end(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        release = s.queue.release
        lot = await s.day(4, deliver=False)
        standing = await release.standing(lot)
        assert (standing.count, standing.sampled, standing.open, standing.undelivered) == (4, 2, 2, 4)
        assert standing.step(s.clock.wall_ns()) is Step.LOOK
        assert await release.to_look_at() == {"counter": 2}
        await s.deliver()
        assert (await release.standing(lot)).free_from_ns is None  # no date while quality control is open
        await s.look_at_sample(lot)
        assert await release.to_look_at() == {}
        standing = await release.standing(lot)
        assert standing.step(s.clock.wall_ns()) is Step.DELAY
        assert standing.free_from_ns == min(p.free_from_ns or 0 for p in await s.papers(lot))
        s.clock.pass_s(30 * DAY_S)
        assert (await release.standing(lot)).step(s.clock.wall_ns()) is Step.RELEASE
        assert await s.waits(lot) == {Waits.PERSON}
        await release.release(lot, "S17", "uid:7")
        standing = await release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.released, standing.free_from_ns) == (Step.DONE, 4, None)
        assert await release.standings() == [standing]
        with pytest.raises(KeyError):
            await release.standing("none")

    with_scene(tmp_path, work, HALF)


def test_one_bad_document_makes_all_of_its_batch_wait(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        release = s.queue.release
        lot, other = await s.day(4), await s.day(2)
        first, second = [p for p in await s.papers(lot) if p.sampled]
        await s.say(first, Result.BAD)
        standing = await release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.to_look_at, standing.failed) == (Step.LOOK_AT_ALL, 3, 1)
        assert await release.to_look_at() == {"counter": 3 + 1}
        await s.say(second)
        await release.say_of_rest(lot, Result.OK, "S17", "uid:7")
        assert await release.to_look_at() == {"counter": 1}
        s.clock.pass_s(31 * DAY_S)
        standing = await release.standing(lot)
        assert standing.step(s.clock.wall_ns()) is Step.TROUBLE
        assert standing.can_release(s.clock.wall_ns())
        await release.release(lot, "S17", "uid:7")
        assert [s_.released for s_ in await release.standings()] == [0, 3]
        assert [s_.name for s_ in await release.standings(1)] == [other]

    with_scene(tmp_path, work, HALF)


def test_what_was_released_before_one_was_found_bad_is_in_nobodys_way(tmp_path: Path) -> None:
    """Its paper may be gone: nobody can compare it any more."""

    async def work(s: Scene) -> None:
        lot = await s.day(4)
        sample = await s.look_at_sample(lot)
        left = next(p for p in await s.papers(lot) if not p.sampled)
        await s.queue.release.say("feedback", left.id, Result.BAD, "B04", "uid:7")
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.release(lot, "S17", "uid:7")
        await s.say(left, Result.BAD)
        assert await s.queue.release.to_look_at() == {}
        standing = await s.queue.release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.looked, standing.unseen) == (Step.TROUBLE, 3, 0)
        await s.queue.release.settled(left.id, "S17", "uid:7")
        assert (await s.queue.release.standing(lot)).step(s.clock.wall_ns()) is Step.DONE
        assert len(sample) == 2

    with_scene(tmp_path, work, HALF)


def test_a_complaint_is_trouble_and_each_class_has_its_delay(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        await s.look_at_sample(lot)
        [paper] = await s.papers(lot)
        assert (await s.queue.release.standing(lot)).free_from_ns == paper.free_from_ns
        await s.queue.release.say("feedback", paper.id, Result.PAGE_MISSING, "B04", "uid:7")
        standing = await s.queue.release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.free_from_ns) == (Step.TROUBLE, None)

    with_scene(tmp_path, work, Release(rule=(ReleaseRule(station="counter", delay_days=7),)))


def test_without_its_table_there_is_nothing_to_tell(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        assert await s.queue.release.to_look_at() is None
        with pytest.raises(NotConfigured):
            await s.queue.release.standings()

    with_scene(tmp_path, work, None)


def test_counting_what_waits_reads_no_more_than_that(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        def plan(tx: Tx) -> list[str]:
            return [str(row[3]) for row in tx.conn.execute(f"EXPLAIN QUERY PLAN {WAITING_SQL}")]

        steps = await s.queue._db.run(plan)
        whole = [step for step in steps if step.startswith("SCAN") and "INDEX paper_" not in step]
        assert [step for step in whole if "subquery" not in step] == []
        assert {"paper_open", "paper_bad"} <= {word for step in steps for word in step.split()}

    with_scene(tmp_path, work)
