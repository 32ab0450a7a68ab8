"""The table of uploads."""

import asyncio
from pathlib import Path

import msgspec

from torhaus.daemon.scans.db import ScansDb, Tx
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.uploads import ledger
from torhaus.daemon.scans.uploads.ledger import Files, Upload


def upload(upload_id: str, **more: object) -> Upload:
    made = Upload(upload_id, "phone", "whole", "open", 10, 0, b"\xff.pdf", "", "", None, 100)
    return msgspec.structs.replace(made, **more)


def test_rows(tmp_path: Path) -> None:
    def work(tx: Tx) -> None:
        for one in (
            upload("a"),
            upload("b", offset=10),
            upload("c", offset=10, kind="partial"),
            upload("d", length=None),
        ):
            ledger.add(tx, one)
        assert ledger.get(tx, "a", "phone") == upload("a")
        assert ledger.get(tx, "a", "other") is None
        assert ledger.open_ones(tx, "phone") == 4
        assert [u.id for u in ledger.unfinished(tx)] == ["b"]
        bad = ledger.change(tx, upload("a", state="bad", expires_ns=50, offset=3))
        assert [u.id for u in ledger.expired(tx, 50)] == ["a"]
        assert ledger.get(tx, "a", "phone") == bad
        assert [u.is_whole for u in (bad, upload("d", length=None, offset=5), upload("b", offset=10))] == [
            False, False, True,
        ]  # fmt: skip
        ledger.remove(tx, ["a", "b", "x"])
        assert ledger.open_ones(tx, "phone") == 2

    async def go() -> None:
        db = ScansDb(tmp_path / "scans.db", "x")
        await db.open()
        await db.run(work)
        files = Files(tmp_path / "uploads", Disk())
        files.prepare()
        for name in ("c", "stray"):
            files.path(name).write_bytes(b"x")
        assert await db.run(files.sweep) == 1
        files.unlink("c")
        files.unlink("c")
        assert list((tmp_path / "uploads").iterdir()) == []
        await db.close()

    asyncio.run(go())
    assert len({ledger.new_id() for _ in range(100)}) == 100
