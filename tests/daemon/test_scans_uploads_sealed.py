"""Uploads to a box with a site key: what is a scan lies encrypted, and what is delivered is what was sent."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import blob, fake_pdf, key_file
from tests.daemon.test_scans_uploads_plain import digest
from tests.daemon.upload_fakes import UploadBench, b64, sha, with_uploads
from torhaus.daemon.scans.sealed import MAGIC, SEGMENT_BYTES

WORD = b"GEHEIM"
DOC = fake_pdf("GEHEIM" * (SEGMENT_BYTES // 2))  # three segments and a bit


@pytest.fixture(autouse=True)
def site_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))


def on_disk(b: UploadBench) -> list[bytes]:
    """Every file below the store."""
    return [path.read_bytes() for path in (b.root / "state").rglob("*") if path.is_file()]


async def arrives(b: UploadBench) -> None:
    """Nothing of it is on the disk to be read; after a restart it is delivered as it was sent."""
    (scan,) = await b.queue.list()
    assert await asyncio.to_thread(blob, b, scan) == DOC
    found = await asyncio.to_thread(on_disk, b)
    assert not any(WORD in data for data in found)
    assert sum(data.startswith(MAGIC) for data in found) == 1
    assert (b.uploads(), sorted(path.name for path in b.out.iterdir())) == ([], [])
    await b.restart()
    await b.deliver()
    assert [path.read_bytes() for path in b.out.iterdir()] == [DOC]


def test_one_request(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        wrong = await b.ask("PUT", "/scans/phone/a.pdf", DOC, Repr_Digest=digest(b"other"))
        assert (wrong.status, await b.queue.list()) == (400, [])
        assert not any(WORD in data for data in await asyncio.to_thread(on_disk, b))
        got = await b.ask("PUT", "/scans/phone/a.pdf", DOC, Repr_Digest=digest(DOC))
        again = await b.ask("PUT", "/scans/phone/a.pdf", DOC)  # under another key of its own: still the same document
        assert (got.status, got.headers["Repr-Digest"], again.status) == (201, digest(DOC), 200)
        await arrives(b)

    with_uploads(tmp_path, work)


def test_in_pieces_with_a_restart_between(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC), Upload_Metadata=f"sha256 {b64(sha(DOC).encode())}")
        cut = SEGMENT_BYTES + 7
        assert (await b.tus("PATCH", where, DOC[:cut], Upload_Offset="0")).status == 204
        await b.restart()
        last = await b.tus("PATCH", where, DOC[cut:], Upload_Offset=str(cut))
        assert (last.status, last.headers["Repr-Digest"]) == (204, digest(DOC))
        await arrives(b)

    with_uploads(tmp_path, work)


def test_parts_put_together(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        cuts = [DOC[:1], DOC[1 : SEGMENT_BYTES + 1], DOC[SEGMENT_BYTES + 1 :]]
        urls = " ".join([await b.create(len(c), c, Upload_Concat="partial") for c in cuts])
        bad = f"sha256 {b64(sha(b'other').encode())}"
        wrong = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{urls}", Upload_Metadata=bad)
        assert (wrong.status, len(b.uploads())) == (460, 3)
        made = await b.tus("POST", "/tus/phone/", Upload_Concat=f"final;{urls}")
        assert made.status == 201, made
        await arrives(b)

    with_uploads(tmp_path, work)


def test_bytes_that_the_disk_changed_meanwhile_are_no_scan(tmp_path: Path) -> None:
    """They are read once more to be sealed: other bytes than came must not be taken for the document."""

    async def work(b: UploadBench) -> None:
        where = await b.create(len(DOC))
        assert (await b.tus("PATCH", where, DOC[:-5], Upload_Offset="0")).status == 204
        path = b.root / "state/scans/uploads" / where.rpartition("/")[2]
        with path.open("r+b") as file:
            file.seek(1000)
            file.write(b"X")
        assert (await b.tus("PATCH", where, DOC[-5:], Upload_Offset=str(len(DOC) - 5))).status == 460
        assert (await b.tus("HEAD", where)).status == 410
        assert (await b.queue.list(), b.uploads()) == ([], [])

    with_uploads(tmp_path, work)
