import asyncio
from pathlib import Path

import pytest

from torhaus.codecs.model import Stamp
from torhaus.daemon.scans import counts
from torhaus.daemon.scans.counts import Arrived, arrived_since, by_state, newest_batches
from torhaus.daemon.scans.db import Arrival, ScansDb, Tx
from torhaus.daemon.scans.states import State


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
