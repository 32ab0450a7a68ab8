from pathlib import Path

import pytest
from aiohttp import web

from tests.daemon.far_sides.paperless import PaperlessServer
from tests.daemon.scans_fakes import FakeClock
from tests.daemon.target_scene import DATA, SHA, parcel, send, with_far_side
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Pending, Receipt, Refused, TargetDown
from torhaus.daemon.scans.targets.paperless import Config, Paperless


@pytest.mark.parametrize(("version", "proof"), [(2, "download"), (3, "metadata")])
def test_the_task_is_asked_for_until_it_names_the_document(tmp_path: Path, version: int, proof: str) -> None:
    server = PaperlessServer(version)
    server.polls = 2

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        for _ in range(3):
            with pytest.raises(Pending):
                await target.send(one)
        assert await target.send(one) == Receipt(None, "filed", "1")
        assert server.made == {1: ("3f2a91c0-7-Bußgeld 1.pdf", DATA)}
        assert server.forms == [{"tags": ["7", "12"], "title": ["Bußgeld 1.pdf"]}]
        assert await target.stored(one) == SHA
        assert proof in server.asked[-1]
        assert await target.probe() == f"Paperless {version}.1"

    with_far_side(tmp_path, server, work)


def test_a_stored_checksum_is_not_enough_if_it_shall_not_be(tmp_path: Path) -> None:
    server = PaperlessServer()

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        await send(target, one)
        assert await target.stored(one) == SHA
        assert "download" in server.asked[-1]
        server.made.clear()
        assert await target.stored(one) is None

    with_far_side(tmp_path, server, work, read_back="always")


def test_after_a_crash_the_task_is_asked_for_and_nothing_is_sent_again(tmp_path: Path) -> None:
    server = PaperlessServer()

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        with pytest.raises(Pending):
            await target.send(one)
        again = parcel(tmp_path, progress=one.progress.text)
        assert (await send(target, again)).object_id == "1"
        assert len(server.forms) == 1

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize("jump_s", [0, -2, 5000])
def test_a_lost_answer_makes_no_second_document_whatever_the_clock_is_set_to(tmp_path: Path, jump_s: int) -> None:
    server, clock = PaperlessServer(), FakeClock()
    server.polls = 3

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        server.script = ["store_then_drop"]
        with pytest.raises(TargetDown):
            await target.send(one)
        clock.wall_offset_ns += jump_s * 10**9
        assert (await send(target, one, clock)).object_id == "1"
        assert len(server.forms) == 1

    with_far_side(tmp_path, server, work, clock, settle_s=600.0)


def test_a_task_that_is_forgotten_is_sent_again_when_its_time_is_over(tmp_path: Path) -> None:
    server, clock = PaperlessServer(), FakeClock()

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        with pytest.raises(Pending):
            await target.send(one)
        server.tasks.clear()
        began = clock.boot_ns()
        assert (await send(target, one, clock)).object_id == "1"
        assert clock.boot_ns() - began >= 600e9
        assert len(server.forms) == 2

    with_far_side(tmp_path, server, work, clock, settle_s=600.0)


@pytest.mark.parametrize("said", ["²", "9" * 5000, "-1", "", "None", True, -1])
def test_a_task_that_names_no_document(tmp_path: Path, said: object) -> None:
    server = PaperlessServer(2)
    server.polls = 100

    async def tasks(_: web.Request) -> web.Response:
        return web.json_response([{"status": "SUCCESS", "related_document": said, "result": [["²"]]}])

    setattr(server, "_tasks", tasks)  # noqa: B010

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        for _ in range(2):
            with pytest.raises((Pending, TargetDown)):
                await target.send(one)
        assert len(server.forms) == 1

    with_far_side(tmp_path, server, work, settle_s=600.0)


def test_bytes_that_paperless_2_has_already_wait_for_a_person(tmp_path: Path) -> None:
    server = PaperlessServer(2)

    async def work(target: Paperless) -> None:
        await send(target, parcel(tmp_path, 7))
        with pytest.raises(Refused, match="already") as caught:
            await send(target, parcel(tmp_path, 8))
        assert caught.value.reason is Reason.CONFLICT
        assert len(server.made) == 1

    with_far_side(tmp_path, server, work)


def test_our_name_with_other_content_waits_for_a_person(tmp_path: Path) -> None:
    server = PaperlessServer()

    async def work(target: Paperless) -> None:
        server.made[5] = ("3f2a91c0-7-Bußgeld 1.pdf", b"other")
        with pytest.raises(Refused, match="document 5"):
            await send(target, parcel(tmp_path))
        server.made[6] = server.made[5]
        with pytest.raises(Refused, match="2 documents"):
            await send(target, parcel(tmp_path))
        assert server.forms == []

    with_far_side(tmp_path, server, work)


def test_what_it_could_not_consume_is_tried_again(tmp_path: Path) -> None:
    server = PaperlessServer()

    async def work(target: Paperless) -> None:
        one = parcel(tmp_path)
        server.script = ["lose"]
        with pytest.raises(NotNow, match="see its log"):
            await send(target, one)
        assert (await send(target, one)).object_id == "1"
        server.script = ["400"]
        with pytest.raises(Refused, match="sending: 400"):
            await send(target, parcel(tmp_path, 8))

    with_far_side(tmp_path, server, work)


def test_faults() -> None:
    with pytest.raises(ValueError, match="title"):
        Config("paperless", "https://paperless.example", token_file="/t", title="{datum}")
