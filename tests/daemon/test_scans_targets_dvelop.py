from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from tests.daemon.far_sides.dvelop import REPOSITORY, DvelopServer
from tests.daemon.far_sides.manners import answered_raw
from tests.daemon.scans_fakes import FakeClock
from tests.daemon.target_scene import DATA, SHA, parcel, send, with_far_side
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Pending, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.dvelop import Config, Dvelop, Way


def test_links_are_followed_and_the_object_has_our_id(tmp_path: Path) -> None:
    server = DvelopServer()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        assert await target.stored(one) is None
        assert await target.send(one) == Receipt(None, "filed", "P000001")
        assert server.objects["P000001"] == {
            "content": DATA, "filename": "Bußgeld 1.pdf",
            "properties": {"betreff": ["Bußgeld 1.pdf"], "stelle": ["counter"], "torhausId": [one.id]},
        }  # fmt: skip
        assert await target.stored(one) == SHA
        assert [call.split(" ")[0] for call in server.asked].count("POST") == 2
        assert sum(call == "GET /dms" for call in server.asked) == 1

    with_far_side(tmp_path, server, work)


def test_a_lost_answer_makes_no_second_object(tmp_path: Path) -> None:
    server, clock = DvelopServer(), FakeClock()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        server.script = ["", "store_then_drop"]
        with pytest.raises(TargetDown):
            await target.send(one)
        assert len(server.objects) == 1
        server.hidden = 3  # the search does not know it yet
        for _ in range(3):
            with pytest.raises(Pending):
                await target.send(parcel(tmp_path, progress=one.progress.text))
        assert (await send(target, one, clock)).object_id == "P000001"
        assert len(server.objects) == 1

    with_far_side(tmp_path, server, work, clock)


def test_what_was_never_made_is_made_when_the_search_had_its_time(tmp_path: Path) -> None:
    server, clock = DvelopServer(), FakeClock()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        server.script = ["", "502"]
        with pytest.raises(TargetDown):
            await target.send(one)
        began = clock.boot_ns()
        await send(target, one, clock)
        assert clock.boot_ns() - began == 60e9
        assert server.documents() == [DATA]

    with_far_side(tmp_path, server, work, clock)


def test_our_id_with_other_content_or_twice_waits_for_a_person(tmp_path: Path) -> None:
    server = DvelopServer()

    async def work(target: Dvelop) -> None:
        await target.send(parcel(tmp_path))
        server.objects["P000001"]["content"] = b"other"
        with pytest.raises(Refused, match="P000001") as caught:
            await target.send(parcel(tmp_path))
        assert caught.value.reason is Reason.CONFLICT
        server.objects["P2"] = server.objects["P000001"]
        with pytest.raises(Refused, match="2 objects"):
            await target.send(parcel(tmp_path))
        assert len(server.objects) == 2

    with_far_side(tmp_path, server, work)


def test_a_person_removes_what_was_wrong_there_and_it_goes_anew(tmp_path: Path) -> None:
    server, clock = DvelopServer(), FakeClock()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        await target.send(one)
        server.objects["P000001"]["content"] = b"other"
        again = parcel(tmp_path, progress=one.progress.text)  # its id is known, as after a crash
        with pytest.raises(Refused, match="P000001"):
            await target.send(again)
        server.objects.clear()
        assert (await send(target, again, clock)).object_id == "P000002"
        assert server.documents() == [DATA]

    with_far_side(tmp_path, server, work, clock)


def test_an_object_that_is_gone_is_lost_but_not_at_once(tmp_path: Path) -> None:
    server, clock = DvelopServer(), FakeClock()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        await target.send(one)
        server.objects.clear()
        with pytest.raises(Pending):
            await target.stored(one)
        clock.pass_s(61)
        assert await target.stored(one) is None

    with_far_side(tmp_path, server, work, clock)


def test_a_mapping_that_is_not_right_yet_holds_no_document_at_once(tmp_path: Path) -> None:
    server = DvelopServer()

    async def work(target: Dvelop) -> None:
        one = parcel(tmp_path)
        server.script = ["", "400"]
        with pytest.raises(NotNow, match="filing: 400"):
            await target.send(one)
        assert one.progress.text is not None
        assert msgspec.json.decode(one.progress.text, type=Way) == Way()  # nothing was made: no need to wait
        await target.send(one)

    with_far_side(tmp_path, server, work)


def test_our_token_goes_to_no_other_server(tmp_path: Path) -> None:
    server = DvelopServer()
    server.links_elsewhere = True

    async def work(target: Dvelop) -> None:
        for call in (target.probe, lambda: target.send(parcel(tmp_path))):
            with pytest.raises(TargetDown, match="another server"):
                await call()

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize("field", [b"Location: http://[", b"Location: //[/P1", b"Location: /P\xff", b"X: y"])
@pytest.mark.parametrize("step", ["_chunk", "_make"])
def test_an_answer_that_says_nowhere_where_it_is(tmp_path: Path, step: str, field: bytes) -> None:
    server = DvelopServer()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return answered_raw(request, b"201 Created", field)

    setattr(server, step, answer)

    async def work(target: Dvelop) -> None:
        with pytest.raises((TargetDown, NotNow), match=r"no Location|no object id|filing: 400"):
            await target.send(parcel(tmp_path))

    with_far_side(tmp_path, server, work)


def test_a_repository_that_is_not_there_and_a_token_that_is_refused(tmp_path: Path) -> None:
    server = DvelopServer()

    async def work(target: Dvelop) -> None:
        assert REPOSITORY in await target.probe()
        (tmp_path / "dvelop.token").write_text("wrong", encoding="ascii")
        with pytest.raises(TargetDown, match="/dms: 401"):
            await target.probe()

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"url": "https://stadt.d-velop.cloud/dms"}, "url must be"),
        ({"properties": {"a": "{b}"}}, "properties"),
        ({"properties": {"torhausId": "x"}}, "id_property"),
    ],
)
def test_faults(more: dict[str, Any], text: str) -> None:
    keys = {"url": "https://stadt.d-velop.cloud", "token_file": "/t", "repository": "r", "source_category": "c"}
    with pytest.raises(ValueError, match=text):
        Config("akte", **{**keys, "id_property": "torhausId", **more})
