"""A sample stays the percentage of what exists, and everybody can draw it again from the journal."""

from pathlib import Path

import pytest

from tests.daemon.evidence_scene import read
from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release import retaining
from torhaus.daemon.scans.release.config import Release
from torhaus.daemon.scans.release.papers import Paper, Result, Waits
from torhaus.daemon.scans.release.redrawing import draw_again
from torhaus.daemon.scans.release.sampling import ranked
from torhaus.daemon.scans.release.standing import Step
from torhaus.daemon.scans.states import Reason, State

TENTH = Release(sample_percent=10.0, delay_days=30)


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)


async def hold(s: Scene, *papers: Paper, to: State = State.HELD) -> None:
    def work(tx: Tx) -> None:
        for paper in papers:
            scan = tx.get(paper.seq)
            if scan.state is State.SEALED:
                scan = tx.move(scan, State.DELIVERING, s.clock.wall_ns())
            tx.move(scan, to, s.clock.wall_ns(), Reason.REFUSED)

    await s.queue._db.run(work)


async def sampled(s: Scene, lot: str) -> list[Paper]:
    return [p for p in await s.papers(lot) if p.sampled]


def test_the_next_in_the_order_takes_the_place_of_a_discarded_one(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(20, deliver=False)
        first, second = await sampled(s, lot)
        await hold(s, first)
        await s.queue.release.discard(first.id, "S17", "uid:7")
        seed = (await s.queue.release.lots())[0].seed
        order = ranked(seed, [p.id for p in await s.papers(lot) if p.id != first.id])
        now = await sampled(s, lot)
        assert {p.id for p in now} == set(order[:2])
        assert second.id in order[:2]
        [new] = [p for p in now if p.id != second.id]
        journal = read(tmp_path)
        whole, mine = [journal.get(seq) for seq in journal.seqs("lot_redrawn")]
        assert whole.data == {
            "lot": lot, "seed": seed, "because_of": first.id, "drawn_from": 18, "there": 19, "sampled": 1,
        }  # fmt: skip
        assert (mine.scan, mine.data["because_of"]) == (new.id, first.id)
        await s.deliver()
        assert [p.waits_for for p in await s.papers(lot) if p.id == first.id] == [Waits.DISCARDED]
        await s.look_at_sample(lot)
        standing = await s.queue.release.standing(lot)
        assert (standing.step(s.clock.wall_ns()), standing.undelivered, standing.discarded) == (Step.DELAY, 0, 1)
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.release(lot, "S17", "uid:7")
        assert (await s.queue.release.standing(lot)).step(s.clock.wall_ns()) is Step.DONE
        with pytest.raises(Refused) as refused:
            await s.say(first)
        assert refused.value.why is Refusal.DISCARDED

    with_scene(tmp_path, work, TENTH)


def test_fewer_are_enough_of_fewer(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(11, deliver=False)
        drawn = await sampled(s, lot)
        others = [p for p in await s.papers(lot) if not p.sampled]
        await hold(s, drawn[0], *others[:1])
        await s.queue.release.discard(others[0].id, "S17", "uid:7")
        assert len(await sampled(s, lot)) == 2  # nobody who was drawn is let off
        await s.queue.release.discard(drawn[0].id, "S17", "uid:7")
        assert len(await sampled(s, lot)) == 1  # of nine
        assert len(read(tmp_path).seqs("lot_redrawn")) == 1

    with_scene(tmp_path, work, TENTH)


def test_all_may_go(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(2, deliver=False)
        papers = await s.papers(lot)
        await hold(s, *papers, to=State.HELD)
        for paper in papers:
            await s.queue.release.discard(paper.id, "S17", "uid:7")
        assert await s.queue.release.to_look_at() == {}
        assert (await s.queue.release.standing(lot)).step(s.clock.wall_ns()) is Step.DONE
        assert await s.waits(lot) == {Waits.DISCARDED}

    with_scene(tmp_path, work)


def test_where_one_is_bad_nobody_has_to_look_at_what_is_gone(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(4, deliver=False)
        await s.look_at_sample(lot, Result.BAD)
        unseen = [p for p in await s.papers(lot) if p.quality is None]
        await hold(s, unseen[0])
        await s.queue.release.discard(unseen[0].id, "S17", "uid:7")
        assert await s.queue.release.to_look_at() == {"counter": 2}
        assert (await s.queue.release.standing(lot)).to_look_at == 2
        assert await s.queue.release.say_of_rest(lot, Result.OK, "S17", "uid:7") == 2
        assert await s.queue.release.to_look_at() == {}

    with_scene(tmp_path, work)


def test_who_comes_out_of_quarantine_is_drawn_like_the_others(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        def lock(tx: Tx) -> None:
            for scan in tx.find("state = 'sealed' AND seq > 1", (), 99):
                tx.move(scan, State.QUARANTINED, s.clock.wall_ns(), Reason.DAMAGED)

        for n in range(30):
            s.put(f"{n}.pdf", fake_pdf(n))
        await s.look()
        await s.queue.seal()
        await s.queue._db.run(lock)
        lot = await s.day(0)
        assert [p.seq for p in await sampled(s, lot)] == [1]
        for paper in (await s.papers(lot))[1:]:
            await s.queue.retry(paper.id)
        assert len(await sampled(s, lot)) == 3

    with_scene(tmp_path, work, TENTH)


def test_nobody_is_drawn_at_whose_paper_nobody_can_look(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(2, deliver=False)
        [first] = await s.look_at_sample(lot)
        other = next(p for p in await s.papers(lot) if p.id != first.id)
        await hold(s, first)
        await s.deliver()
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.release(lot, "S17", "uid:7")
        await s.queue.release.discard(first.id, "S17", "uid:7")
        assert await s.queue.release.to_look_at() == {}
        [left] = [p for p in await s.papers(lot) if p.id == other.id]
        assert (left.sampled, left.released_ns is None) == (False, False)
        assert (await s.queue.release.standing(lot)).step(s.clock.wall_ns()) is Step.DONE

    with_scene(tmp_path, work)


def test_what_was_discarded_before_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores of before: the sample has one that is gone, and its batch waits for ever."""

    async def work(s: Scene) -> None:
        lot = await s.day(20, deliver=False)
        first, _ = await sampled(s, lot)

        await hold(s, first)
        with monkeypatch.context() as patch:
            patch.setattr(retaining, "draw_again", lambda *_: 0)
            await s.queue.release.discard(first.id, "S17", "uid:7")
        assert await s.queue.release.to_look_at() == {"counter": 2}
        await s.queue.release.step()
        assert len(await sampled(s, lot)) == 2
        assert first.id not in {p.id for p in await sampled(s, lot)}
        await s.queue.release.step()
        assert len(read(tmp_path).seqs("lot_redrawn")) == 2

    with_scene(tmp_path, work, TENTH)


def test_a_document_of_no_lot_draws_nobody(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await s.day(1)
        scan = (await s.queue.list())[0]

        def without(tx: Tx) -> int:
            tx.conn.execute("UPDATE scan SET lot = NULL WHERE seq = ?", (scan.seq,))
            return draw_again(tx, tx.get(scan.seq), s.clock.wall_ns())

        assert await s.queue._db.run(without) == 0

    with_scene(tmp_path, work)
