"""The calls about tokens (what they answer to is tested with the command that asks them)."""

import json
from pathlib import Path

from aiohttp.test_utils import make_mocked_request

from tests.daemon.upload_fakes import UploadBench, with_uploads
from torhaus.daemon.scans.uploads.pages import TokenPages


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        pages = TokenPages(b.queue.reception)
        assert {path for _, path, _ in pages.pages()} == {"/scans/tokens", "/scans/heads"}
        missing = await pages.add(make_mocked_request("POST", "/scans/tokens?station=nobody"))
        gone = await pages.revoke(make_mocked_request("DELETE", "/scans/tokens?station=phone&id=x"))
        assert (missing.status, gone.status) == (404, 404)
        made = await pages.add(make_mocked_request("POST", "/scans/tokens?station=phone"))
        assert made.status == 201
        listed = await pages.listing(make_mocked_request("GET", "/scans/tokens?station=phone"))
        assert isinstance(listed.body, bytes)
        assert len(json.loads(listed.body)) == 2
        for _ in range(30):
            await b.queue.reception.add_token("phone")
        full = await pages.add(make_mocked_request("POST", "/scans/tokens?station=phone"))
        assert full.status == 409

    with_uploads(tmp_path, work)
