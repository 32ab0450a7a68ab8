import hashlib
from pathlib import Path

import pytest
from aiohttp import web

from tests.daemon.far_sides.manners import answered_raw
from tests.daemon.far_sides.tus import TusServer
from tests.daemon.target_scene import DATA, SHA, parcel, with_far_side
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets.base import NotNow, Refused, TargetDown
from torhaus.daemon.scans.targets.tus import MAX_SIPS, Tus


def test_it_goes_up_in_chunks_each_with_its_checksum(tmp_path: Path) -> None:
    server = TusServer()

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        assert await target.stored(one) is None
        assert (await target.send(one)).stored_sha256 is None
        assert server.patches == 4
        assert one.progress.text == f"{server.url}/files/0"
        assert server.metadata["0"] == {
            "filename": "Bußgeld 1.pdf", "filetype": "application/pdf", "sha256": SHA, "torhaus-id": one.id,
            "torhaus-station": "counter", "torhaus-evidence-head": "12:ab",
        }  # fmt: skip
        assert await target.stored(one) == SHA
        assert server.asked[-1] == "GET /files/0"
        server.proves = True
        assert await target.stored(one) == SHA
        assert server.asked[-1] == "HEAD /files/0"

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize("algorithms", ["sha1", "sha1,sha256", ""])
def test_after_a_crash_it_goes_on_where_it_was(tmp_path: Path, algorithms: str) -> None:
    server = TusServer(algorithms)

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        server.script = ["", "store_then_drop"]
        with pytest.raises(TargetDown):
            await target.send(one)
        assert len(server.uploads["0"]) == 8192
        again = parcel(tmp_path, progress=one.progress.text)  # what was kept on disk
        await target.send(again)
        assert list(server.uploads) == ["0"]
        assert server.patches == 4  # nothing was sent twice
        assert await target.stored(again) == SHA

    with_far_side(tmp_path, server, work)


def test_an_upload_that_the_server_has_forgotten_begins_anew(tmp_path: Path) -> None:
    server = TusServer()

    async def work(target: Tus) -> None:
        one = parcel(tmp_path, progress=f"{server.url}/files/99")
        await target.send(one)
        assert one.progress.text == f"{server.url}/files/0"
        server.script = ["lose"]
        with pytest.raises(NotNow) as caught:
            await target.send(parcel(tmp_path))
        assert caught.value.reason is Reason.LOST

    with_far_side(tmp_path, server, work)


def test_a_server_that_ignores_checksums_is_read_back(tmp_path: Path) -> None:
    server = TusServer(algorithms="")

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        server.script = ["flip"]
        await target.send(one)
        assert await target.stored(one) == hashlib.sha256(bytes([DATA[0] ^ 1]) + DATA[1:]).hexdigest()

    with_far_side(tmp_path, server, work)


def test_a_server_that_gives_nothing_back_proves_nothing(tmp_path: Path) -> None:
    server = TusServer()
    server.gives_back = False

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        await target.send(one)
        with pytest.raises(TargetDown, match="reading back: 405"):
            await target.stored(one)

    with_far_side(tmp_path, server, work)


def test_an_upload_that_was_begun_elsewhere_is_none_of_this_server(tmp_path: Path) -> None:
    server, other = TusServer(), TusServer()

    async def work(target: Tus) -> None:
        async with other:
            for kept in (f"{other.url}/files/0", '{"posted_ns": 1}', "ready", "http://[", "/files/0"):
                one = parcel(tmp_path, progress=kept)
                assert await target.stored(one) is None
                await target.send(one)
                assert str(one.progress.text).startswith(f"{server.url}/files/")
                assert await target.stored(one) == SHA
        assert other.asked == []  # nor does it get to see our token

    with_far_side(tmp_path, server, work)


def test_an_upload_of_another_length_is_not_gone_on_with(tmp_path: Path) -> None:
    server = TusServer()

    async def work(target: Tus) -> None:
        first = parcel(tmp_path, data=DATA + b"more")
        await target.send(first)
        one = parcel(tmp_path, seq=8, progress=first.progress.text)  # its number was given out anew
        await target.send(one)
        assert await target.stored(one) == SHA
        assert bytes(server.uploads["0"]) == DATA + b"more"

    with_far_side(tmp_path, server, work)


@pytest.mark.parametrize("location", ["http://[", "//[", "", "https://other.example/files/1", "/files/\xff"])
def test_an_upload_without_a_place_there(tmp_path: Path, location: str) -> None:
    class Nowhere(TusServer):
        async def _create(self, request: web.Request) -> web.Response:
            return answered_raw(request, b"201 Created", b"Location: " + location.encode("latin-1"))

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        with pytest.raises(TargetDown, match="has no URL there"):
            await target.send(one)
        assert one.progress.text is None

    with_far_side(tmp_path, Nowhere(), work)


def test_a_server_that_sips_does_not_get_it_for_ever(tmp_path: Path) -> None:
    class Sips(TusServer):
        @staticmethod
        def harmed(_: web.Request, data: bytes) -> bytes | None:
            return data[:1]

    server = Sips("")

    async def work(target: Tus) -> None:
        one = parcel(tmp_path)
        with pytest.raises(NotNow, match="less than it is sent"):
            await target.send(one)
        assert server.patches == MAX_SIPS + 1
        setattr(server, "harmed", TusServer.harmed)  # noqa: B010
        await target.send(one)  # goes on where it was
        assert await target.stored(one) == SHA

    with_far_side(tmp_path, server, work)


def test_what_is_too_large_is_not_begun(tmp_path: Path) -> None:
    server = TusServer()

    async def work(target: Tus) -> None:
        with pytest.raises(Refused, match="1000000 bytes"):
            await target.send(parcel(tmp_path, data=bytes(1_000_001)))
        assert server.uploads == {}
        assert await target.probe() == "tus 1.0.0, checksums of chunks: sha256"

    with_far_side(tmp_path, server, work)
