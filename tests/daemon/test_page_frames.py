import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.page_scene import EVIL, GATEWAY, checked, home_of, lorawan, put, visited
from torhaus.codecs.model import Value
from torhaus.daemon.lora.frame_log import MAX_VIEWERS
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.page.views import frames as view


def test_frames_are_shown_and_filtered(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await put(
                visitor.app, MAIN, lorawan("hupe", "a81758fffe0312ad", {"level": Value(3)}), lorawan(EVIL, None, None)
            )
            status, text = await visitor.get("/frames")
            checked(text)
            assert (status, text.count("<tr>")) == (200, 3)
            assert "level" in text
            assert "kind=frame&amp;data=40ab1203" in text
            assert (await visitor.get("/frames?device=hupe"))[1].count("<tr>") == 2
            assert (await visitor.get(f"/frames?gateway={GATEWAY.upper()}"))[1].count("<tr>") == 3
            assert (await visitor.get("/frames?gateway=0000000000000000"))[1].count("<tr>") == 0
            assert (await visitor.get("/frames?gateway=xyz"))[0] == 409
            assert visitor.app.watch.frame_viewers == 0

    asyncio.run(go())


def test_frames_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "TICK_S", 0.05)

    async def go() -> None:
        async with (
            visited(home_of(tmp_path)) as visitor,
            visitor.session.get(f"{visitor.base}/frames?stream=1") as answer,
        ):
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert (await answer.content.readline()) == b": \n"
            assert visitor.app.survey.page.streams == 1
            await put(visitor.app, MAIN, lorawan(EVIL, None, {EVIL: Value(EVIL)}))
            while not (line := await answer.content.readline()).startswith(b"data: "):
                pass
            row = json.loads(line.removeprefix(b"data: "))
            checked(row, "tbody")
            assert row.startswith("<tr><td>")

    asyncio.run(go())


def test_only_so_many_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "TICK_S", 0.02)

    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            ask = visitor.session.get
            watching = [await ask(f"{visitor.base}/frames?stream") for _ in range(MAX_VIEWERS)]
            async with ask(f"{visitor.base}/frames?stream") as answer:
                assert answer.status == 503
            assert (await visitor.get("/frames"))[0] == 409
            for one in watching:
                one.close()
            while visitor.app.survey.page.streams:  # noqa: ASYNC110 - noticed with the next tick
                await asyncio.sleep(0.005)
            assert visitor.app.watch.frame_viewers == 0
            assert (await visitor.get("/frames"))[0] == 200

    asyncio.run(go())


def test_the_end_of_the_daemon_ends_those_who_watch(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            answer = await visitor.session.get(f"{visitor.base}/frames?stream")
            visitor.app.frames.end()
            async with asyncio.timeout(5):
                assert b"data" not in await answer.read()

    asyncio.run(go())
