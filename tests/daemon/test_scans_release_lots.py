from pathlib import Path

from tests.daemon.evidence_scene import read
from tests.daemon.release_scene import DAY_S, Scene, with_scene
from tests.daemon.scans_fakes import fake_pdf
from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.db import Arrival, Scan, Tx
from torhaus.daemon.scans.release.config import Release, ReleaseRule
from torhaus.daemon.scans.release.sampling import draw
from torhaus.daemon.scans.states import Reason, State


def test_a_day_is_closed_when_it_is_over_and_the_journal_says_all_to_draw_again(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        for n in range(30):
            s.put(f"{n}.pdf", fake_pdf(n))
        await s.look()
        await s.queue.release.step()
        await s.queue.seal()
        await s.queue.release.step()
        assert await s.queue.release.lots() == []
        s.clock.pass_s(DAY_S)
        await s.queue.release.step()
        [lot] = await s.queue.release.lots()
        assert (lot.count, lot.sampled, lot.open, lot.failed, lot.released) == (30, 2, 2, 0, 0)
        journal = read(tmp_path)
        entries = [journal.get(seq) for seq in journal.seqs("lot_closed")]
        assert entries[0].data == {"lot": lot.name, "seed": lot.seed, "documents": 30, "sampled": 2}
        members = [e for e in entries[1:] if e.data["drawn_from"]]
        ids = tuple(str(e.scan) for e in members)
        again = draw(str(entries[0].data["seed"]), {"": ids}, {"": float(str(members[0].data["percent"]))})
        assert again == {e.scan for e in members if e.data["sampled"]}
        assert again == {p.id for p in await s.papers(lot.name) if p.sampled}
        await s.queue.release.step()
        assert len(await s.queue.release.lots()) == 1

    with_scene(tmp_path, work)


def arrive(tx: Tx, s: Scene, n: int, batch: str | None, class_: str | None = None) -> Scan:
    told = Told(department="bauamt", class_=class_) if class_ else Told()
    at = s.clock.stamp()
    return tx.add(
        Arrival("counter", b"x", f"{n:064x}", 10, "application/pdf", 1, (), at, s.clock.boot_id, (), told, batch)
    )


def test_a_batch_is_closed_when_nothing_of_it_comes_any_more(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        def come(tx: Tx) -> None:
            for n in range(12):
                scan = arrive(tx, s, n, "7-post", "rechnung" if n < 10 else "brief")
                tx.move(scan, State.HELD, s.clock.wall_ns(), Reason.NO_ROUTE)

        await s.queue._db.run(come)
        s.clock.pass_s(500)
        await s.queue.release.step()
        assert await s.queue.release.lots() == []
        s.clock.pass_s(200)
        await s.queue.release.step()
        [lot] = await s.queue.release.lots()
        assert (lot.name, lot.count, lot.sampled) == ("7-post", 12, 6)  # half of the invoices, one letter
        papers = await s.papers("7-post")
        assert [p.place for p in papers] == list(range(1, 13))
        assert len([p for p in papers if p.class_ == "brief" and p.sampled]) == 1

    with_scene(tmp_path, work, Release(rule=(ReleaseRule(class_="rechnung", sample_percent=50.0),)))


def test_quarantined_ones_are_not_drawn_while_there_are_others(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        def come(tx: Tx) -> None:
            for n in range(20):
                to, why = (State.HELD, Reason.NO_ROUTE) if n == 7 else (State.QUARANTINED, Reason.DAMAGED)
                tx.move(arrive(tx, s, n, "b"), to, s.clock.wall_ns(), why)
            tx.move(arrive(tx, s, 99, "c"), State.QUARANTINED, s.clock.wall_ns(), Reason.DAMAGED)

        await s.queue._db.run(come)
        s.clock.pass_s(700)
        await s.queue.release.step()
        assert [p.place for p in await s.papers("b") if p.sampled] == [8]
        assert [p.sampled for p in await s.papers("c")] == [True]

    with_scene(tmp_path, work)


def test_what_comes_late_is_a_lot_of_its_own(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        first = await s.day(1)
        s.clock.wall_offset_ns -= int(DAY_S * 1e9)  # the clock was set back
        assert await s.day(1) == f"{first}/2"

    with_scene(tmp_path, work)
