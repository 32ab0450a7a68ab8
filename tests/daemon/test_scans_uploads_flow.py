"""Bytes on their way: written down from time to time, with a checksum only at the end."""

from pathlib import Path

import pytest

from tests.daemon.scans_fakes import fake_pdf
from tests.daemon.upload_fakes import UploadBench, b64, sha, with_uploads
from torhaus.daemon.scans.uploads import body, flow
from torhaus.daemon.scans.uploads.ledger import Upload

DOC = fake_pdf("z" * 9000)


@pytest.mark.parametrize("is_summed", [False, True])
def test_it_is_written_down_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_summed: bool) -> None:
    monkeypatch.setattr(body, "BATCH_BYTES", 1000)
    monkeypatch.setattr(flow, "SYNC_BYTES", 2000)
    kept: list[int] = []
    real = flow.Flow.keep

    async def keep(self: flow.Flow) -> Upload:
        found = await real(self)
        kept.append(found.offset)
        return found

    monkeypatch.setattr(flow.Flow, "keep", keep)

    async def work(b: UploadBench) -> None:
        async def pieces():  # type: ignore[no-untyped-def]  # noqa: ANN202
            for start in range(0, len(DOC), 500):
                yield DOC[start : start + 500]

        where = await b.create(len(DOC))
        more = {"Upload_Checksum": f"sha256 {b64(bytes.fromhex(sha(DOC)))}"} if is_summed else {}
        got = await b.tus("PATCH", where, pieces(), Upload_Offset="0", **more)  # type: ignore[no-untyped-call]
        assert got.status == 204
        assert await b.hashes() == [sha(DOC)]

    with_uploads(tmp_path, work)
    assert kept[-1] == len(DOC)
    assert (len(kept) == 1) is is_summed
