import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.daemon.scans_fakes import Bench, fake_pdf
from torhaus.codecs.model import Stamp
from torhaus.daemon.scans import counts
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.counts import Arrived, arrived_since, by_state, newest_batches
from torhaus.daemon.scans.db import Arrival, ScansDb, Tx
from torhaus.daemon.scans.states import State
from torhaus.daemon.scans.targets import folder


def scans(tx: Tx) -> None:
    """Two of station a yesterday, one of each station today, in two batches."""
    for i, (station, batch, at_ns) in enumerate(
        (("a", "old", 5), ("a", "old", 6), ("a", "new", 100), ("b", None, 200))
    ):
        arrival = Arrival(
            station, b"x", f"{i:064x}", 10, "application/pdf", 1, (), Stamp(at_ns, 0, True), "b" * 32, batch=batch
        )
        scan = tx.add(arrival)
        if i == 0:
            tx.move(scan, State.SEALED, at_ns)


def test_where_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        db = ScansDb(tmp_path / "scans.db", "test")
        await db.open()
        assert await db.run(lambda tx: arrived_since(tx, 0)) == []
        assert await db.run(lambda tx: newest_batches(tx, 9)) == []
        await db.run(scans)
        found = await db.run(lambda tx: by_state(tx, ["a", "c"], ["t"]))
        assert found.station == {"a": {"sealed": 1, "spooled": 2}, "c": {}, "b": {"spooled": 1}}
        assert found.target == {"t": {}}
        assert (found.station_gone, found.target_gone) == ({"b": 1}, {})
        assert await db.run(lambda tx: arrived_since(tx, 50)) == [
            Arrived("a", State.SPOOLED, 1, 100),
            Arrived("b", State.SPOOLED, 1, 200),
        ]
        batches = await db.run(lambda tx: newest_batches(tx, 9))
        assert [(b.batch, b.state, b.count) for b in batches] == [
            ("new", State.SPOOLED, 1),
            ("old", State.SPOOLED, 1),
            ("old", State.SEALED, 1),
        ]
        assert {b.batch for b in await db.run(lambda tx: newest_batches(tx, 1))} == {"new"}
        monkeypatch.setattr(counts, "MAX_LATELY", 1)
        assert [row.station for row in await db.run(lambda tx: arrived_since(tx, 0))] == ["b"]
        await db.close()

    asyncio.run(go())


def test_what_waits_for_a_target_or_a_station_that_has_gone_is_known_until_it_is_there_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.put("1.pdf", fake_pdf(1))
            b.put("2.pdf", fake_pdf(2))
            await b.look()
            await b.queue.seal()
            before = b.config
            b.config = replace(before, target=(folder.Config("other", str(b.out)),), route=())
            await b.restart()
            assert (await b.queue.counts()).target_gone == {"archive": 2}
            b.config = before
            await b.restart()
            await b.deliver()
            assert await b.states() == ["verified"] * 2
            b.config = replace(before, target=(folder.Config("other", str(b.out)),), route=())
            await b.restart()
            b.put("3.pdf", fake_pdf(3))
            await b.look()  # and not sealed yet
            b.config = replace(before, station=(Station("cellar", str(b.hot)),), route=())
            await b.restart()
            await b.queue.seal()
            counts = await b.queue.counts()
            assert (counts.target_gone, counts.station_gone) == ({}, {"counter": 1})

    asyncio.run(go())
