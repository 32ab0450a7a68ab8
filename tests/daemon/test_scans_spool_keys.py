import asyncio
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.daemon.scans_fakes import Bench, blob, fake_pdf, key_file, make_pdf, with_bench
from torhaus.daemon.scans import spool_keys
from torhaus.daemon.scans.check import ProcessCheck
from torhaus.daemon.scans.checker import Limits
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.evidence import KeyUnusable
from torhaus.daemon.scans.sealed import Unreadable
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.spool_keys import SpoolKeys


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is encrypted is said here, also where the whole run is with encrypted documents."""
    monkeypatch.delenv("TORHAUS_TEST_SPOOL_KEY", raising=False)


def sealing(b: Bench, *keys: str) -> Bench:
    b.config = replace(b.config, spool_key_files=keys)
    b.new_queue()
    return b


def on_disk(b: Bench) -> bytes:
    """Everything below the store."""
    return b"".join(path.read_bytes() for path in (b.root / "state").rglob("*") if path.is_file())


def test_nothing_of_a_document_is_on_the_disk_and_it_arrives(tmp_path: Path) -> None:
    async def go() -> None:
        key = key_file(tmp_path)
        async with sealing(Bench(tmp_path), key) as b:
            data = fake_pdf("GEHEIM" * 20_000)
            b.put("a.pdf", data)
            await b.look()
            [scan] = await b.queue.list()
            assert await asyncio.to_thread(blob, b, scan) == data
            assert b"GEHEIM" not in on_disk(b)
            await b.restart()  # its key comes from the store now
            await b.deliver()
            assert await b.states() == ["verified"]
            assert [path.read_bytes() for path in b.out.iterdir()] == [data]
            assert b"GEHEIM" not in on_disk(b)
            b.put("b.pdf", data)  # the same again is one file
            await b.look()
            assert len(list((tmp_path / "state/scans/blobs").glob("*/*"))) == 1
            assert (await b.queue.verify_evidence()).faults == []

    asyncio.run(go())


def test_keys_are_changed_and_old_documents_stay_readable(tmp_path: Path) -> None:
    old, new = key_file(tmp_path, "old"), key_file(tmp_path, "new")

    async def go() -> None:
        async with Bench(tmp_path) as b:
            b.put("plain.pdf", fake_pdf("plain"))
            await b.look()
        for keys in ((old,), (new, old)):
            async with sealing(b, *keys):
                b.put(f"{len(keys)}.pdf", fake_pdf(keys))
                await b.look()
        async with sealing(b, new, old):
            for scan in await b.queue.list():
                await asyncio.to_thread(blob, b, scan)
            found = await b.queue._db.run(lambda tx: tx.conn.execute("SELECT site_key FROM spool_key").fetchall())
            assert len({row[0] for row in found}) == 2
        for missing in ((new,), ()):
            with pytest.raises(KeyUnusable, match=r"documents need the key [0-9a-f]{16}"):
                await sealing(b, *missing).queue.open()
        with pytest.raises(KeyUnusable, match="spool_key_files"):
            await sealing(b, str(tmp_path / "none")).queue.open()
        async with sealing(b, old, new):
            await b.deliver()
            assert set(await b.states()) == {"verified"}

    asyncio.run(go())


def test_who_forgets_a_key_has_erased_the_document(tmp_path: Path) -> None:
    async def go() -> None:
        async with sealing(Bench(tmp_path), key_file(tmp_path)) as b:
            for name in ("a", "b"):
                b.put(f"{name}.pdf", fake_pdf(name))
            await b.look()
            gone, stays = await b.queue.list()
            spool, db = b.queue._spool, b.queue._db
            wrapped = await db.run(lambda tx: tx.conn.execute("SELECT hex(wrapped) FROM spool_key").fetchall())
            assert await db.run(lambda tx: spool.keys.erase(tx.conn, gone.sha256)) == 1
            await db.checkpoint()
            with pytest.raises(Unreadable, match="its key is gone"):
                await asyncio.to_thread(spool.content, gone.sha256)
            assert not await asyncio.to_thread(spool.intact, gone.sha256)
            await asyncio.to_thread(blob, b, stays)
            left = on_disk(b)
            assert sum(bytes.fromhex(row[0]) in left for row in wrapped) == 1
            b.put("a.pdf", fake_pdf("a"))  # the same bytes again: a file with another key
            b.put("b.pdf", fake_pdf("b"))
            await b.look()
            assert await asyncio.to_thread(spool.intact, gone.sha256)

    asyncio.run(go())


def test_a_damaged_file_is_quarantined_before_it_is_sent(tmp_path: Path) -> None:
    async def go() -> None:
        async with sealing(Bench(tmp_path), key_file(tmp_path)) as b:
            b.put("a.pdf", fake_pdf("x" * 200_000))
            await b.look()
            [path] = (tmp_path / "state/scans/blobs").glob("*/*")
            data = path.read_bytes()
            path.write_bytes(data[:70_000] + bytes([data[70_000] ^ 1]) + data[70_001:])
            await b.deliver()
            assert await b.states() == ["quarantined"]
            assert list(b.out.iterdir()) == []

    asyncio.run(go())


def test_the_real_check_opens_a_sealed_document(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("good.pdf", make_pdf(3))
        b.put("cut.pdf", make_pdf(3)[:-200])
        await b.look()
        await b.look(1000)
        found = {scan.name: (scan.state.value, scan.pages) for scan in await b.queue.list()}
        assert found[b"good.pdf"] == ("spooled", 3)
        assert found[b"cut.pdf"][0] == "quarantined"
        await b.queue.close()

    async def go() -> None:
        b = sealing(Bench(tmp_path, check=ProcessCheck(Disk(), Limits())), key_file(tmp_path))
        async with b:
            await work(b)

    asyncio.run(go())


def test_a_store_that_cannot_be_asked_is_trouble_and_no_damage(tmp_path: Path) -> None:
    def broken(_: bytes) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    keys = SpoolKeys([key_file(tmp_path)])
    keys.load(broken)
    made = keys.new()
    assert keys.of(made.ref) == made.key
    with pytest.raises(OSError, match="OperationalError") as caught:
        keys.of(b"x" * 16)
    assert not isinstance(caught.value, Unreadable)
    assert Spool(tmp_path, Disk()).keys.seals is False


def test_plain_spools_have_no_keys(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        b.put("a.pdf", fake_pdf())
        await b.look()
        assert await b.queue._db.run(lambda tx: tx.conn.execute("SELECT * FROM spool_key").fetchall()) == []

    with_bench(tmp_path, work)


def test_a_batch_of_more_than_is_remembered_keeps_all_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_keys, "MAX_FRESH", 2)

    async def go() -> None:
        async with sealing(Bench(tmp_path, batches="folders"), key_file(tmp_path)) as b:
            (b.hot / "batch").mkdir()
            for n in range(7):
                b.put(f"batch/{n}.pdf", fake_pdf(n))
            assert await b.look() == 7
            await b.restart()
            for scan in await b.queue.list():
                await asyncio.to_thread(blob, b, scan)
            await b.deliver()
            assert await b.states() == ["verified"] * 7

    asyncio.run(go())
