import asyncio
from pathlib import Path

import msgspec

from torhaus.codecs.model import Stamp
from torhaus.daemon.scans import sources
from torhaus.daemon.scans.db import Arrival, ScansDb
from torhaus.daemon.scans.folder import Entry, Identity
from torhaus.daemon.scans.sources import Entries, Source

HERE = Identity(1, 2**64 - 1, 10, 1000)
SOURCE = Source(1, b"a.pdf", HERE, "ab" * 32, False)
HOT = Path("/hot")


def entry(name: str = "a.pdf", identity: Identity = HERE, claimed: bool = False) -> Entry:
    return Entry(HOT / name, identity, claimed)


def test_an_entry_is_known_by_all_that_stat_says() -> None:
    claim = HOT / ".torhaus/1"
    changed = msgspec.structs.replace(HERE, mtime_ns=1001)
    other_inode = msgspec.structs.replace(HERE, ino=5)
    remounted = msgspec.structs.replace(HERE, dev=9, ino=5)
    assert Entries([entry()]).pop(SOURCE, claim) == entry()
    assert Entries([entry("renamed.pdf")]).pop(SOURCE, claim) == entry("renamed.pdf")
    assert Entries([entry(identity=changed)]).pop(SOURCE, claim) is None
    assert Entries([entry(identity=other_inode)]).pop(SOURCE, claim) is None
    assert Entries([entry(identity=remounted)]).pop(SOURCE, claim) == entry(identity=remounted)
    assert Entries([entry("b.pdf", remounted)]).pop(SOURCE, claim) is None
    claimed = Entry(claim, changed, True)
    assert Entries([entry(), claimed]).pop(SOURCE, claim) == claimed


def test_an_entry_is_given_out_once() -> None:
    entries = Entries([entry(), entry("b.pdf", Identity(1, 3, 10, 1000))])
    assert entries.pop(SOURCE, HOT / "x") is not None
    assert entries.pop(SOURCE, HOT / "x") is None
    assert [e.path.name for e in entries.rest()] == ["b.pdf"]


def test_same_file_in_another_dress() -> None:
    touched = entry(identity=msgspec.structs.replace(HERE, mtime_ns=9))
    restored = entry(identity=msgspec.structs.replace(HERE, ino=9))
    redelivered = entry(identity=msgspec.structs.replace(HERE, ino=9, mtime_ns=9))
    assert SOURCE.same_file(touched, SOURCE.sha256)
    assert SOURCE.same_file(restored, SOURCE.sha256)
    assert not SOURCE.same_file(redelivered, SOURCE.sha256)
    assert not SOURCE.same_file(touched, "cd" * 32)
    assert not SOURCE.same_file(entry("b.pdf"), SOURCE.sha256)


def test_what_is_remembered_survives(tmp_path: Path) -> None:
    async def go() -> None:
        db = ScansDb(tmp_path / "scans.db", "rathaus")
        await db.open()
        arrival = Arrival("counter", b"a\xff.pdf", "ab" * 32, 10, "application/pdf", 1, (), Stamp(5, 6, True), "b")
        scan = await db.run(lambda tx: tx.add(arrival))
        source = await db.run(lambda tx: sources.remember(tx, scan, entry()))
        assert source == SOURCE
        assert await db.run(lambda tx: sources.load(tx, "counter")) == [source]
        assert await db.run(lambda tx: sources.load(tx, "other")) == []
        stuck = await db.run(
            lambda tx: sources.update(tx, "counter", source, entry("b.pdf", Identity(3, 4, 5, 6)), True)
        )
        assert stuck == Source(1, b"a.pdf", Identity(3, 4, 5, 6), source.sha256, True)
        assert await db.run(lambda tx: sources.load(tx, "counter")) == [stuck]
        names = [entry("1", claimed=True), entry("2", claimed=True), entry("1"), entry("9" * 30, claimed=True)]
        found = await db.run(lambda tx: [sources.original_name(tx, e) for e in names])
        assert found == [b"a\xff.pdf", b"2", b"1", b"9" * 30]
        await db.run(lambda tx: sources.forget(tx, stuck))
        assert await db.run(lambda tx: sources.load(tx, "counter")) == []
        await db.close()

    asyncio.run(go())
