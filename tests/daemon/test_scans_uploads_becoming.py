"""What an upload is when it has become a scan: of a station's own, and of another torhaus."""

from pathlib import Path

from tests.daemon.site_scene import DOC, ID, SiteBench, with_site
from tests.daemon.upload_fakes import sha
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.uploads import ledger


def test_a_second_upload_of_a_known_document_is_done_with_the_first_ones_scan(tmp_path: Path) -> None:
    async def work(b: SiteBench) -> None:
        assert (await b.put(DOC)).status == 201
        (scan,) = await b.queue.list()
        size = str(len(DOC))
        begun = await b.tus("POST", "/tus/rathaus", DOC, Upload_Length=size, Upload_Metadata=b.metadata(DOC))
        assert begun.status == 201, begun
        upload_id = begun.headers["Location"].rpartition("/")[2]

        def row(tx: Tx) -> ledger.Upload | None:
            return ledger.get(tx, upload_id, "rathaus")

        upload = await b.queue._db.run(row)
        assert upload is not None
        assert (upload.state, upload.scan, upload.offset) == ("done", scan.seq, len(DOC))
        assert b.uploads() == []
        assert (scan.sha256, begun.headers["Torhaus-Scan"]) == (sha(DOC), scan.id)
        assert ID in begun.headers["Torhaus-Receipt"]

    with_site(tmp_path, work)
