"""Quality control and release by the local socket: what is asked, and what is answered to nonsense."""

import json
from pathlib import Path
from typing import Any

from aiohttp.test_utils import make_mocked_request

from tests.daemon.release_scene import DAY_S, Scene, with_scene
from torhaus.daemon.scans.pages import ScanPages


async def ask(s: Scene, method: str, path: str) -> tuple[int, Any]:
    routes = {(m, p): answer for m, p, answer in ScanPages(s.queue).routes()}
    answer: Any = await routes[method, path.partition("?")[0]](make_mocked_request(method, path))
    return answer.status, json.loads(answer.body)


def test_a_lot_from_its_sample_to_its_release(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(2)
        status, lots = await ask(s, "GET", "/scans/lots")
        assert (status, lots[0]["name"]) == (200, lot)
        _, papers = await ask(s, "GET", f"/scans/release?batch={lot}")
        sampled = next(p for p in papers if p["sampled"])
        said = f"id={sampled['id']}&result=ok&by=S17"
        assert await ask(s, "POST", f"/scans/quality?{said}") == (200, {"count": 1})
        assert await ask(s, "POST", f"/scans/quality?batch={lot}&result=ok&by=S17") == (200, {"count": 1})
        assert await ask(s, "POST", f"/scans/feedback?{said}") == (200, {"count": 1, "withdrawn": 0})
        s.clock.pass_s(31 * DAY_S)
        status, papers = await ask(s, "POST", f"/scans/release?batch={lot}&by=S17")
        assert (status, [p["state"] for p in papers]) == (200, ["released"] * 2)

    with_scene(tmp_path, work)


def test_a_bad_document_and_what_becomes_of_it(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        bad, new = await s.papers(await s.day(2))
        await ask(s, "POST", f"/scans/quality?id={bad.id}&result=rescan&by=S17")
        said = f"id={bad.id}&new={new.id}&by=S17"
        assert await ask(s, "POST", f"/scans/replaced?{said}") == (200, {"count": 1})
        assert (await s.papers(str(bad.lot)))[0].replaced_by == new.id
        assert await ask(s, "POST", f"/scans/settled?id={bad.id}&by=S17") == (200, {"count": 1})
        assert (await s.papers(str(bad.lot)))[0].replaced_by is None
        for path, status, words in (
            (f"/scans/replaced?id={bad.id}&by=S17", 409, "there is no scan"),
            (f"/scans/replaced?id={bad.id}&new={new.id}&by=Erika%20M", 409, "pseudonym"),
            (f"/scans/settled?id={new.id}&by=S17", 409, "nothing to replace"),
            ("/scans/settled?id=x&by=S17", 404, "no such scan"),
        ):
            got, answer = await ask(s, "POST", path)
            assert got == status
            assert words in answer["error"]

    with_scene(tmp_path, work)


def test_nonsense_is_refused_in_words(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        lot = await s.day(1)
        (paper,) = await s.papers(lot)
        refused = [
            ("GET", "/scans/release?batch=x", 404, "no such closed batch"),
            ("POST", f"/scans/release?batch={lot}&by=Erika%20M", 409, "pseudonym"),
            ("POST", f"/scans/quality?id={paper.id}&result=fine&by=S17", 409, "one of ok"),
            ("POST", "/scans/quality?id=x&result=ok&by=S17", 404, "no such scan"),
            ("POST", f"/scans/discard?id={paper.id}&by=S17", 409, ""),
        ]
        for method, path, status, words in refused:
            got, body = await ask(s, method, path)
            assert got == status, (path, body)
            assert words in body["error"]

    with_scene(tmp_path, work)


def test_while_the_store_is_closed(tmp_path: Path) -> None:
    async def work(s: Scene) -> None:
        await s.queue.close()
        assert (await ask(s, "GET", "/scans/lots"))[0] == 503
        await s.new_queue().open()

    with_scene(tmp_path, work)
