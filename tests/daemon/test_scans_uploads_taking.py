"""What uploads end in: trouble of our own is told once, quotas count what is under way, a repeat is found in time."""

import asyncio
from pathlib import Path

from tests.daemon.scans_fakes import fake_pdf
from tests.daemon.upload_fakes import UploadBench, with_uploads
from torhaus.daemon.scans.events import IntakeStalled
from torhaus.daemon.scans.uploads.taking import lately


def test_uploads_under_way_count(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201
        await b.create(900)
        size = len(fake_pdf(1))
        at_ns = b.clock.wall_ns()
        assert await b.queue._db.run(lambda tx: lately(tx, "phone", at_ns)) == (2, size + 900)
        assert await b.queue._db.run(lambda tx: lately(tx, "other", at_ns)) == (0, 0)
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf(2))).status == 429

    with_uploads(tmp_path, work, quota_bytes=920)


def test_the_same_at_the_same_time_is_one(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        got = await asyncio.gather(*(b.ask("PUT", "/scans/phone/a", fake_pdf(1)) for _ in range(8)))
        assert sorted(g.status for g in got) == [200] * 7 + [201]
        assert len(await b.queue.list()) == 1

    with_uploads(tmp_path, work)


def test_a_broken_store_is_told_once(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        await b.queue._db.run(lambda tx: tx.conn.execute("ALTER TABLE scan RENAME TO gone"))
        for _ in range(2):
            assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 503
        assert [e.kind for e in b.told(IntakeStalled)] == ["store"]
        await b.queue._db.run(lambda tx: tx.conn.execute("ALTER TABLE gone RENAME TO scan"))

    with_uploads(tmp_path, work)
