"""A bad document and the scan that replaces it: what a person says, and when the first batch is through."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.release.config import Release, Retention
from torhaus.daemon.scans.release.papers import Paper, Result, Waits, is_made_good
from torhaus.daemon.scans.release.standing import Step
from torhaus.daemon.scans.states import Reason, State


async def step(s: Scene, lot: str) -> Step:
    return (await s.queue.release.standing(lot)).step(s.clock.wall_ns())


async def replaced(s: Scene, bad: Paper, new: str) -> None:
    await s.queue.release.replaced(bad.id, new, "S17", "uid:7")


async def bad_day(s: Scene) -> tuple[str, Paper]:
    """Three documents, one of them bad, the others looked at."""
    lot = await s.day(3)
    [bad] = await s.look_at_sample(lot, Result.PAGE_MISSING)
    await s.queue.release.say_of_rest(lot, Result.OK, "S17", "uid:7")
    return lot, bad


def test_a_batch_is_through_when_the_new_scan_is_there_and_looked_at(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        first, bad = await bad_day(s)
        assert await step(s, first) is Step.TROUBLE
        second = await s.day(3, deliver=False)
        new = next(p for p in await s.papers(second) if not p.sampled)
        await replaced(s, bad, new.id)
        again = {p.id: p for p in await s.papers(second)}[new.id]
        assert again.sampled  # whoever replaces another is looked at
        assert (await s.queue.release.standing(first)).settled == 0
        await s.say(again)
        assert await step(s, first) is Step.TROUBLE  # not at its target yet
        [waits] = [p.waits_for for p in await s.papers(first) if p.id == bad.id]
        assert waits == Waits.REPLACEMENT
        await s.deliver()
        assert await step(s, first) is Step.DELAY
        s.clock.pass_s(31 * DAY_S)
        papers = await s.queue.release.release(first, "S17", "uid:7")
        [mine] = [p for p in papers if p.id == bad.id]
        assert (mine.waits_for, mine.replaced_by, mine.released_ns) == (Waits.REPLACED, new.id, None)
        assert sum(p.released_ns is not None for p in papers) == 2
        assert await step(s, first) is Step.DONE
        [told] = [lot for lot in await s.queue.release.lots() if lot.name == first]
        assert (told.failed, told.settled, told.open) == (1, 1, 0)  # what was found does not vanish
        entries = [(e.event, e.data) for e in (await s.queue.show(bad.id))[1]]
        said = next(data for event, data in entries if event == "use.replaced")
        assert (said["replaced_by"], said["by"], said["account"]) == (new.id, "S17", "uid:7")
        said = next(e.data for e in (await s.queue.show(new.id))[1] if e.event == "use.replaces")
        assert said["replaces"] == bad.id

    with_scene(tmp_path, work)


def test_a_new_scan_that_is_bad_in_its_turn_or_objected_to_replaces_nothing(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        first, bad = await bad_day(s)
        one, two = [(await s.papers(await s.day(1)))[0] for _ in range(2)]
        await replaced(s, bad, one.id)
        await s.say(one)
        assert await step(s, first) is Step.DELAY
        await s.queue.release.say("feedback", one.id, Result.RESCAN, "B04", "uid:9")
        assert await step(s, first) is Step.TROUBLE
        await replaced(s, one, two.id)
        assert await step(s, first) is Step.TROUBLE
        await s.say(two)
        assert await step(s, first) is Step.DELAY
        assert await step(s, str(one.lot)) is Step.DONE  # of it nothing is left
        await s.say(two, Result.BAD)
        assert await step(s, first) is Step.TROUBLE
        await s.queue.release.settled(two.id, "S17", "uid:7")
        assert await step(s, first) is Step.DELAY

    with_scene(tmp_path, work)


def test_settled_otherwise_until_somebody_finds_something_wrong_again(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot, bad = await bad_day(s)
        await s.queue.release.settled(bad.id, "S17", "uid:7")
        assert await step(s, lot) is Step.DELAY
        await s.say(bad)  # looked at once more: its paper stays what it is
        s.clock.pass_s(31 * DAY_S)
        papers = await s.queue.release.release(lot, "S17", "uid:7")
        assert [p.waits_for for p in papers if p.released_ns is None] == [Waits.SETTLED]
        await s.queue.release.say("feedback", bad.id, Result.BAD, "B04", "uid:9")
        assert await step(s, lot) is Step.TROUBLE
        await s.queue.release.say("feedback", bad.id, Result.OK, "B04", "uid:9")
        assert await step(s, lot) is Step.RELEASE

    with_scene(tmp_path, work)


def test_what_cannot_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)

    async def work(s: Scene) -> None:
        before = (await s.papers(await s.day(1)))[0]
        lot, bad = await bad_day(s)
        good = next(p for p in await s.papers(lot) if p.id != bad.id)
        s.number = next(n for n in range(99) if sha256(fake_pdf(n)).hexdigest() == bad.sha256) - 1
        [same] = await s.papers(await s.day(1))
        s.number = 50
        stack, gone, seen, away = await s.papers(await s.day(4, deliver=False))

        def change(tx: Tx) -> None:
            at = s.clock.wall_ns()
            tx.move(tx.move(tx.get(gone.seq), State.DELIVERING, at), State.HELD, at, Reason.REFUSED)
            tx.conn.execute("UPDATE scan SET derived_from = ? WHERE seq = ?", (stack.id, seen.seq))
            tx.conn.execute("UPDATE paper SET released_ns = ? WHERE scan IN (?, ?)", (at, away.seq, before.seq))

        await s.queue._db.run(change)
        await s.queue.release.discard(gone.id, "S17", "uid:7")
        for new, why in (
            ("rathaus/0/99", Refusal.NO_SUCH_SCAN), (before.id, Refusal.NOT_LATER), (bad.id, Refusal.NOT_LATER),
            (same.id, Refusal.SAME_BYTES), (stack.id, Refusal.STACK), (gone.id, Refusal.GONE),
            (away.id, Refusal.UNSEEN),
        ):  # fmt: skip
            with pytest.raises(Refused) as refused:
                await replaced(s, bad, new)
            assert refused.value.why is why
            assert new in str(refused.value)
        for scan, why in ((good, Refusal.NOT_BAD), (before, Refusal.RELEASED)):
            with pytest.raises(Refused) as refused:
                await replaced(s, scan, seen.id)
            assert refused.value.why is why
            with pytest.raises(Refused):
                await s.queue.release.settled(scan.id, "S17", "uid:7")
        with pytest.raises(KeyError):
            await s.queue.release.settled("rathaus/0/99", "S17", "uid:7")
        assert not any(e.event.startswith("use.replace") for e in (await s.queue.show(bad.id))[1])
        assert not await s.queue._db.run(lambda tx: is_made_good(tx, bad.seq))

    with_scene(tmp_path, work)


def test_a_new_scan_may_be_named_before_its_day_is_closed(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        _, bad = await bad_day(s)
        for n in range(20):
            s.put(f"new{n}.pdf", fake_pdf(100 + n))
        await s.look()
        new = sorted(scan.id for scan in await s.queue.list((State.SPOOLED,)))
        for id_ in new:
            await replaced(s, bad, id_)
        assert await s.queue.release.to_look_at() == {"counter": 20}
        papers = await s.papers(await s.day(0))
        assert [p.sampled for p in papers] == [True] * 20  # a drawing takes nobody out

    with_scene(tmp_path, work)


@pytest.mark.parametrize("retention", [Retention(keep_days=20), Retention(keep_days=20, from_="released")])
def test_the_copy_of_a_bad_one_goes_after_it_was_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retention: Retention
) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)

    async def work(s: Scene) -> None:
        _, bad = await bad_day(s)
        [new] = await s.papers(await s.day(1))
        await replaced(s, bad, new.id)
        s.clock.pass_s(300 * DAY_S)

        async def stands() -> tuple[str, ...]:
            await s.queue.release.step()
            return tuple([(await s.queue.show(p.id))[0].state.value for p in (bad, new)])

        assert await stands() == ("verified", "verified")
        await s.say(new)
        is_released = retention.from_ == "released"
        assert await stands() == ("purged", "verified" if is_released else "purged")
        assert (await stands())[0] == "purged"  # once

    with_scene(tmp_path, work, Release(delay_days=900), retention)


def test_a_bad_one_that_is_discarded_stays_a_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)

    async def work(s: Scene) -> None:
        lot = await s.day(2, deliver=False)
        [bad] = await s.look_at_sample(lot, Result.BAD)

        def hold(tx: Tx) -> None:
            scan = tx.move(tx.get(bad.seq), State.DELIVERING, s.clock.wall_ns())
            tx.move(scan, State.HELD, s.clock.wall_ns(), Reason.REFUSED)

        await s.queue._db.run(hold)
        await s.deliver()
        await s.queue.release.discard(bad.id, "S17", "uid:7")
        assert await step(s, lot) is Step.LOOK_AT_ALL  # a bad result outlives its document
        await s.queue.release.say_of_rest(lot, Result.OK, "S17", "uid:7")
        assert await step(s, lot) is Step.TROUBLE
        assert await s.waits(lot) == {Waits.QUALITY_FAILED, Waits.DELAY}
        [new] = await s.papers(await s.day(1))
        await replaced(s, bad, new.id)
        await s.say(new)
        assert await step(s, lot) is Step.DELAY
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.release(lot, "S17", "uid:7")
        assert await step(s, lot) is Step.DONE

    with_scene(tmp_path, work)
