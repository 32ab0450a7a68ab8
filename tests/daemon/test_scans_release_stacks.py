"""A stack that was split: its documents are told in the store as the splitting tells them, and it outlives them all."""

from pathlib import Path

import pytest

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.daemon.scans import spool
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.refusals import Refused
from torhaus.daemon.scans.release.config import Release, Retention, RetentionRule
from torhaus.daemon.scans.release.papers import Result
from torhaus.daemon.scans.states import Reason, State


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SETTLED_S", -1.0)


async def split(s: Scene, *classes: str) -> list[Scan]:
    """The stack and what it became, sealed: all but the cutting, which `test_scans_splitting.py` has."""
    for n in range(len(classes) + 1):
        s.put(f"{n}.pdf", fake_pdf(n))
    await s.look()
    stack, *parts = reversed(await s.queue.list())

    def work(tx: Tx) -> None:
        now = s.clock.wall_ns()
        for part, class_ in zip(parts, classes, strict=True):
            tx.conn.execute("UPDATE scan SET derived_from = ?, target = 'archive' WHERE seq = ?", (stack.id, part.seq))
            tx.move(part, State.SEALED, now, None, sheet="4KQ7VZ2MXPHB", **{"class": class_})
        tx.move(stack, State.SPLIT, now, parts=len(parts))

    await s.queue._db.run(work)
    return [stack, *parts]


async def stands(s: Scene) -> str:
    """Each state's first letters: the stack first."""
    return " ".join(state[:3] for state in await s.states())


def test_it_goes_with_the_last_of_its_documents(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        stack, *_ = await split(s, "brief", "rechnung")
        s.clock.pass_s(50 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "spl sea sea"
        await s.deliver()
        s.clock.pass_s(3 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "spl pur ver"
        s.clock.pass_s(27 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "pur pur pur"
        assert list((s.root / "state/scans/blobs").glob("*/*")) == []
        last = (await s.queue.show(stack.id))[1][-1].data
        assert (last["rule"], last["days"], last["parts"]) == ("scan.retention", 30, 2)

    with_scene(tmp_path, work, None, Retention(30, rule=(RetentionRule(class_="brief", keep_days=2),)))


def test_one_that_waits_for_a_person_keeps_it_and_one_that_was_thrown_away_does_not(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        _, first, _ = await split(s, "brief", "brief")

        def hold(tx: Tx) -> None:
            scan = tx.move(tx.get(first.seq), State.DELIVERING, s.clock.wall_ns())
            tx.move(scan, State.HELD, s.clock.wall_ns(), Reason.REFUSED)

        await s.queue._db.run(hold)
        await s.deliver()
        s.clock.pass_s(100 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "spl hel pur"
        await s.queue.release.discard(first.id, "S17", "uid:7")
        s.clock.pass_s(14 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "pur pur pur"

    with_scene(tmp_path, work, None, Retention())


@pytest.mark.parametrize("copies_go_first", [True, False])
def test_it_is_released_when_all_its_documents_are(tmp_path: Path, copies_go_first: bool) -> None:
    async def work(s: Scene) -> None:
        stack, *_ = await split(s, "brief", "rechnung")
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        (lot,) = await s.queue.release.lots()
        assert lot.count == 2  # the stack is in none
        await s.look_at_sample(lot.name)
        s.clock.pass_s(30 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == ("pur pur pur" if copies_go_first else "spl ver ver")
        await s.queue.release.release(lot.name, "S17", "uid:7")
        await s.queue.release.step()
        if not copies_go_first:
            assert await stands(s) == "rel rel rel"
            said = (await s.queue.show(stack.id))[1][-1].data
            assert (said["state"], said["parts"], said["parts_released"]) == ("released", 2, 2)
            s.clock.pass_s(13 * DAY_S)
            await s.queue.release.step()
            assert await stands(s) == "rel rel rel"
            s.clock.pass_s(DAY_S)
            await s.queue.release.step()
        assert await stands(s) == "pur pur pur"
        s.clock.pass_s(2 * DAY_S)
        await s.queue.release.step()
        assert len(await s.queue.release.lots()) == 1  # what is purged is in no lot, either

    retention = Retention(from_="verified" if copies_go_first else "released")
    with_scene(tmp_path, work, Release(delay_days=20), retention)


def test_what_is_found_bad_after_its_copy_has_gone_keeps_the_stack(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        _, first, _ = await split(s, "brief", "rechnung")
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        (lot,) = await s.queue.release.lots()
        await s.look_at_sample(lot.name)
        s.clock.pass_s(3 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "spl pur ver"
        await s.queue.release.say("quality", first.id, Result.BAD, "S17", "uid:7")
        s.clock.pass_s(90 * DAY_S)
        await s.queue.release.step()
        assert await stands(s) == "spl pur pur"
        await s.queue.release.say("quality", first.id, Result.OK, "S17", "uid:7")
        await s.queue.release.step()
        assert await stands(s) == "pur pur pur"

    retention = Retention(30, rule=(RetentionRule(class_="brief", keep_days=2),))
    with_scene(tmp_path, work, Release(delay_days=200), retention)


def test_one_that_was_bad_and_is_replaced_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        stack, bad, _ = await split(s, "brief", "brief")
        await s.deliver()
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        (lot,) = await s.queue.release.lots()
        await s.queue.release.say("quality", bad.id, Result.RESCAN, "S17", "uid:7")
        await s.queue.release.say_of_rest(lot.name, Result.OK, "S17", "uid:7")
        s.number = 50
        [new] = await s.papers(await s.day(1))
        await s.queue.release.replaced(bad.id, new.id, "S17", "uid:7")
        s.clock.pass_s(31 * DAY_S)
        await s.queue.release.release(lot.name, "S17", "uid:7")
        await s.queue.release.step()
        assert await stands(s) == "spl ver rel ver"
        await s.say(new)
        await s.queue.release.step()
        assert await stands(s) == "rel ver rel ver"
        said = (await s.queue.show(stack.id))[1][-1].data
        assert (said["parts_released"], said["parts_discarded"], said["parts_settled"]) == (1, 0, 1)

    with_scene(tmp_path, work)


def test_what_is_said_is_said_of_its_documents(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        stack, part = await split(s, "brief")
        for kind in ("quality", "feedback"):
            with pytest.raises(Refused, match="name the document that it became"):
                await s.queue.release.say(kind, stack.id, Result.PAGE_MISSING, "S17", "uid:7")
            await s.queue.release.say(kind, part.id, Result.OK, "S17", "uid:7")
        assert not [e for e in (await s.queue.show(stack.id))[1] if e.event.startswith("use.")]

    with_scene(tmp_path, work)
