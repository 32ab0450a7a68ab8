import asyncio
import contextlib
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.daemon.scans_fakes import Bench, MagicCheck, fake_pdf, key_file, make_pdf
from torhaus.daemon.scans.check import ProcessCheck
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.viewing import MAX_PICTURE_BYTES, ONCE_NS, NotShown


class Painter(MagicCheck):
    """Draws what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = b"\xff\xd8\xffpicture\xff\xd9"
        self.reason: Reason | None = None
        self.pages: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def draw(self, path: Content, page: int, into: int) -> Verdict:
        self.pages.append(page)
        await self.gate.wait()
        try:
            await asyncio.to_thread(os.write, into, self.picture)
        except BrokenPipeError:
            return Verdict("application/pdf", Reason.CHECK_CRASHED)
        return Verdict("application/pdf", self.reason, 1)


async def arrived(b: Bench, data: bytes = b"") -> str:
    b.put("a.pdf", data or fake_pdf())
    await b.look()
    return (await b.queue.list())[0].id


async def opened(b: Bench, id_: str) -> list[tuple[object, object]]:
    entries = (await b.queue.show(id_))[1]
    return [(e.data["account"], e.data["shown"]) for e in entries if e.event == "use.opened"]


async def get(b: Bench, id_: str) -> None:
    async with b.queue.viewing.document(id_, "page:1"):
        pass


def play(tmp_path: Path, check: Painter | None = None) -> Bench:
    return Bench(tmp_path, check=check or Painter())


def test_the_document_itself_and_the_journal_knows_who_had_it(tmp_path: Path) -> None:
    async def go() -> None:
        async with play(tmp_path) as b:
            id_ = await arrived(b)
            for _ in range(2):
                async with b.queue.viewing.document(id_, "page:1") as (scan, content):
                    with content.open("rb") as file:
                        assert file.read() == fake_pdf()
            assert scan.id == id_
            assert await opened(b, id_) == [("page:1", "document")] * 2
            with pytest.raises(KeyError):
                await get(b, "none")

    asyncio.run(go())


def test_pages_are_entered_once_an_hour_for_everybody(tmp_path: Path) -> None:
    async def go() -> None:
        check = Painter()
        async with play(tmp_path, check) as b:
            id_ = await arrived(b)
            for page in range(3):
                assert await b.queue.viewing.page(id_, page, "page:1") == check.picture
            assert check.pages == [0, 1, 2]
            assert await opened(b, id_) == [("page:1", "pages")]
            await b.queue.viewing.page(id_, 0, "page:2")
            b.clock.now_ns += ONCE_NS + 1
            await b.queue.viewing.page(id_, 0, "page:1")
            assert await opened(b, id_) == [("page:1", "pages"), ("page:2", "pages"), ("page:1", "pages")]

    asyncio.run(go())


def test_what_is_no_picture_is_not_handed_on(tmp_path: Path) -> None:
    async def go() -> None:
        check = Painter()
        async with play(tmp_path, check) as b:
            id_ = await arrived(b)
            for picture in (
                b"",
                b"<svg onload=alert(1)>",
                b"\xff\xd8\xffcut",
                b"\xff\xd8\xff" + bytes(MAX_PICTURE_BYTES),
            ):
                check.picture = picture
                with pytest.raises(NotShown, match="no_picture"):
                    await b.queue.viewing.page(id_, 0, "page:1")
            check.picture, check.reason = b"\xff\xd8\xff\xff\xd9", Reason.DAMAGED
            with pytest.raises(NotShown, match="no_picture"):
                await b.queue.viewing.page(id_, 0, "page:1")
            check.reason = Reason.NO_PAGES
            with pytest.raises(KeyError):
                await b.queue.viewing.page(id_, 7, "page:1")

    asyncio.run(go())


def test_nobody_judges_bytes_that_changed_nor_opens_what_was_refused(tmp_path: Path) -> None:
    async def go() -> None:
        async with play(tmp_path) as b:
            id_ = await arrived(b)
            scan, _ = await b.queue.show(id_)
            path = b.queue._spool.path(scan.sha256)
            path.chmod(0o600)
            path.write_bytes(b"other bytes")
            for ask in (get(b, id_), b.queue.viewing.page(id_, 0, "page:1")):
                with pytest.raises(NotShown, match="damaged"):
                    await ask
            assert await opened(b, id_) == []
            b.put("bad.pdf", b"%PDF-1.7 cut")
            await b.look(1000)
            await b.look(1000)
            bad = (await b.queue.list())[0]
            assert bad.state == "quarantined"
            with pytest.raises(NotShown, match="quarantined"):
                await get(b, bad.id)
            b.clock.pass_s(4000)
            b.queue._spool._brought.clear()
            await b.queue.release.discard(bad.id, "S17", "uid:7")
            with pytest.raises(NotShown, match="purged"):
                await b.queue.viewing.page(bad.id, 0, "page:1")

    asyncio.run(go())


def test_too_many_who_want_pictures_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torhaus.daemon.scans.viewing.MAX_WAITING", 2)

    async def go() -> None:
        check = Painter()
        async with play(tmp_path, check) as b:
            id_ = await arrived(b)
            check.gate.clear()
            async with asyncio.TaskGroup() as group:
                waiting = [group.create_task(b.queue.viewing.page(id_, n, "page:1")) for n in range(2)]
                while len(check.pages) < 2:  # noqa: ASYNC110 - until both are drawn
                    await asyncio.sleep(0)
                with pytest.raises(NotShown, match="crowded"):
                    await b.queue.viewing.page(id_, 0, "page:1")
                check.gate.set()
            assert [task.result() for task in waiting] == [check.picture] * 2
            assert await b.queue.viewing.page(id_, 0, "page:1")

    asyncio.run(go())


def test_few_are_sent_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torhaus.daemon.scans.viewing.MAX_OPEN", 1)

    async def go() -> None:
        async with play(tmp_path) as b:
            id_ = await arrived(b)
            async with b.queue.viewing.document(id_, "page:1"):
                with pytest.raises(NotShown, match="crowded"):
                    await get(b, id_)
            await get(b, id_)

    asyncio.run(go())


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_real_process_draws_it(tmp_path: Path, is_sealed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_sealed:
        monkeypatch.setenv("TORHAUS_TEST_SPOOL_KEY", key_file(tmp_path))

    async def go() -> None:
        async with Bench(tmp_path, check=ProcessCheck(Disk(), Limits())) as b:
            id_ = await arrived(b, make_pdf(2))
            picture = await b.queue.viewing.page(id_, 1, "page:1")
            with Image.open(io.BytesIO(picture)) as image:
                assert image.size == (1240, 1755)
            with pytest.raises(KeyError):
                await b.queue.viewing.page(id_, 2, "page:1")

    asyncio.run(go())


def ends_of_pipes() -> int:
    found = 0
    for fd in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found += str(fd.readlink()).startswith("pipe:")
    return found


@pytest.mark.parametrize("turns", range(4))
def test_who_leaves_early_leaves_nothing_open(tmp_path: Path, turns: int) -> None:
    async def go() -> None:
        check, busy = Painter(), threading.Event()
        async with play(tmp_path, check) as b:
            id_ = await arrived(b)
            content = b.queue._spool.content((await b.queue.list())[0].sha256)
            assert await b.queue.viewing.page(id_, 0, "page:1")
            before = ends_of_pipes()
            check.gate.clear()
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            holding = asyncio.create_task(asyncio.to_thread(busy.wait))  # no thread is free for the other end
            drawing = asyncio.create_task(b.queue.viewing._drawn(content, 0))
            for _ in range(turns):
                await asyncio.sleep(0)
            drawing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await drawing
            busy.set()
            await holding
            await asyncio.to_thread(int)  # behind all that went before
            assert ends_of_pipes() == before

    asyncio.run(go())
