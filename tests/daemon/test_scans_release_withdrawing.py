"""A complaint after release: nothing calls the paper free any more, until it is dealt with or released again."""

from pathlib import Path

import msgspec
import pytest

from tests.daemon.release_scene import DAY_S, MONTH, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.events import ReleaseWithdrawn
from torhaus.daemon.scans.release.config import Retention
from torhaus.daemon.scans.release.papers import Paper, Result
from torhaus.daemon.scans.release.standing import Step
from torhaus.daemon.scans.states import State

AUTOMATIC = msgspec.structs.replace(MONTH, automatic=True)


async def released(s: Scene, count: int = 2) -> tuple[str, list[Paper]]:
    """A lot whose paper has been released."""
    lot = await s.day(count)
    await s.look_at_sample(lot)
    s.clock.pass_s(31 * DAY_S)
    papers = await s.queue.release.release(lot, "S17", "uid:7")
    assert all(p.released_ns is not None and p.waits_for is None for p in papers)
    return lot, papers


async def complain(s: Scene, paper: Paper | Scan, result: Result = Result.PAGE_MISSING) -> bool:
    return await s.queue.release.say("feedback", paper.id, result, "B04", "uid:9")


def test_the_release_is_taken_back_with_an_entry_and_the_others_stay_released(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot, papers = await released(s)
        assert not await complain(s, papers[1], Result.OK)
        assert await s.queue.release.withdrawn() == {}
        assert await complain(s, papers[0])
        one, other = await s.papers(lot)
        assert (one.released_ns, one.free_from_ns, one.waits_for, one.state) == (None, None, "withdrawn", "verified")
        assert other.released_ns is not None
        entries = (await s.queue.show(one.id))[1]
        assert [e.event for e in entries][-3:] == ["released", "use.feedback", "release_withdrawn"]
        said = entries[-1].data
        assert (said["by"], said["account"], said["lot"], said["sha256"]) == ("B04", "uid:9", lot, one.sha256)
        assert s.events[-1] == ReleaseWithdrawn(one.id, one.station)
        assert await s.queue.release.withdrawn() == {one.station: 1}
        standing = await s.queue.release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.released, standing.objected) == (Step.TROUBLE, 1, 1)
        assert not await complain(s, papers[0], Result.BAD)  # there is nothing more to take back

    with_scene(tmp_path, work)


def test_an_ok_leaves_it_to_a_person_also_where_release_is_automatic(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(2)
        await s.look_at_sample(lot)
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.step()
        paper = (await s.papers(lot))[0]
        assert paper.released_ns is not None
        await complain(s, paper)
        await complain(s, paper, Result.OK)
        await s.queue.release.step()
        assert (await s.papers(lot))[0].waits_for == "person"
        assert await s.queue.release.withdrawn() == {}
        again = (await s.queue.release.release(lot, "S17", "uid:7"))[0]
        assert (again.released_ns, again.withdrawn_ns, again.state) == (s.clock.wall_ns(), None, "released")
        await complain(s, paper)
        assert await s.waits(lot) == {"withdrawn", None}

    with_scene(tmp_path, work, AUTOMATIC)


def test_it_may_be_replaced_or_settled_then(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot, papers = await released(s)
        new = (await s.papers(await s.day(1)))[0]
        with pytest.raises(ValueError, match="released before"):
            await s.queue.release.replaced(papers[0].id, new.id, "S17", "uid:7")
        for paper in papers:
            await complain(s, paper)
        await s.queue.release.replaced(papers[0].id, new.id, "S17", "uid:7")
        await s.queue.release.settled(papers[1].id, "S17", "uid:7")
        assert await s.waits(lot) == {"replacement", "settled"}
        assert await s.queue.release.withdrawn() == {}

    with_scene(tmp_path, work)


def test_our_copy_has_gone_or_its_target_had_filed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)

    async def work(s: Scene) -> None:
        lot = await s.day(2)

        def file(tx: Tx) -> None:
            tx.move(tx.get(1), State.FILED, s.clock.wall_ns(), object="17")

        await s.queue._db.run(file)
        await s.look_at_sample(lot)
        s.clock.pass_s(31 * DAY_S)
        papers = await s.queue.release.release(lot, "S17", "uid:7")
        await complain(s, papers[0])
        assert (await s.papers(lot))[0].state == "filed"
        s.clock.pass_s(2 * DAY_S)
        await s.queue.release.step()
        assert [p.state for p in await s.papers(lot)] == ["filed", "purged"]  # what is complained of is kept
        await complain(s, papers[1])
        assert [(p.state, p.waits_for) for p in await s.papers(lot)] == [
            ("filed", "withdrawn"), ("purged", "withdrawn"),
        ]  # fmt: skip
        assert (await s.queue.show(papers[1].id))[1][-1].event == "release_withdrawn"

    with_scene(tmp_path, work, retention=Retention(1, from_="released"))


def test_the_stack_that_it_was_split_from_is_not_released_either(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        for n in range(3):
            s.put(f"{n}.pdf", fake_pdf(n))
        await s.look()
        stack, *parts = reversed(await s.queue.list())

        def split(tx: Tx) -> None:
            now = s.clock.wall_ns()
            for part in parts:
                tx.conn.execute(
                    "UPDATE scan SET derived_from = ?, target = 'archive' WHERE seq = ?", (stack.id, part.seq)
                )
                tx.move(part, State.SEALED, now, None)
            tx.move(stack, State.SPLIT, now, parts=len(parts))

        await s.queue._db.run(split)
        await s.deliver()
        lot, papers = await released(s, 0)
        await s.queue.release.step()
        assert (await s.queue.show(stack.id))[0].state == "released"
        await complain(s, papers[0])
        scan, entries = await s.queue.show(stack.id)
        assert (scan.state, entries[-1].event, entries[-1].data["because_of"]) == (
            "split", "release_withdrawn", papers[0].id,
        )  # fmt: skip
        await s.queue.release.settled(papers[0].id, "S17", "uid:7")
        await s.queue.release.step()
        assert (await s.queue.show(stack.id))[0].state == "released"
        assert await s.waits(lot) == {"settled", None}

    with_scene(tmp_path, work)


def test_nothing_is_counted_where_nothing_is_released(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        assert await s.queue.release.withdrawn() is None

    with_scene(tmp_path, work, None)
