import asyncio
from pathlib import Path

import pytest

from tests.daemon.home import running
from tests.daemon.page_scene import home_of, lorawan, put
from torhaus.codecs.model import Value
from torhaus.daemon.app import App
from torhaus.daemon.outbox.record import Record, Verdict
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.page import latest
from torhaus.daemon.page.latest import Latest


def reading(device: str, value: float) -> Record:
    return lorawan(device, None, {"t": Value(value)})


async def values(looked: Latest, *names: str) -> dict[str, object]:
    found = await looked.of(names)
    return {name: (stored.record.fields or {})["t"].value for name, stored in found.items()}


def with_app(folder: Path, body: object) -> None:
    async def go() -> None:
        app = home_of(folder).app({})
        async with running(app):
            await body(app)  # type: ignore[operator]

    asyncio.run(go())


def test_what_came_before_and_what_comes_after(tmp_path: Path) -> None:
    async def body(app: App) -> None:
        await put(app, MAIN, reading("a", 1), reading("b", 2), reading("a", 3), Record("event", "x", "a", event={}))
        looked = Latest(app.outbox, ["a", "b", "c"])
        feeds = len(app.outbox._feeds[MAIN])
        assert await values(looked, "a", "b", "c") == {"a": 3, "b": 2}
        await put(app, MAIN, reading("b", 4), reading("c", 5), lorawan("a", None, None, reason="mic"))
        assert await values(looked, "a", "b", "c", "nobody") == {"a": 3, "b": 4, "c": 5}
        assert len(app.outbox._feeds[MAIN]) == feeds + 1  # nothing is listened to before the first look

    with_app(tmp_path, body)


def test_the_past_is_searched_so_far_and_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "_PIECE", 3)
    monkeypatch.setattr(latest, "PAST_RECORDS", 8)

    async def body(app: App) -> None:
        await put(app, MAIN, reading("old", 1), *(reading("a", i) for i in range(6)), reading("b", 9))
        assert await values(Latest(app.outbox, ["a", "b", "old"]), "a", "b", "old") == {"a": 5, "b": 9, "old": 1}
        await put(app, MAIN, reading("b", 10))
        assert await values(Latest(app.outbox, ["a", "b", "old"]), "a", "b", "old") == {"a": 5, "b": 10}

    with_app(tmp_path, body)


def test_what_waits_for_its_script_is_no_reading_yet(tmp_path: Path) -> None:
    async def body(app: App) -> None:
        looked = Latest(app.outbox, ["a"])
        assert await values(looked, "a") == {}
        await put(app, MAIN, lorawan("a", None, None, pending=True))
        assert await values(looked, "a") == {}
        (stored,) = await app.outbox.pending(0, 10)
        app.outbox.put_verdict(stored, Verdict({"t": Value(7)}))
        for _ in range(200):
            await asyncio.sleep(0.005)
            if found := await values(looked, "a"):
                break
        assert found == {"a": 7}

    with_app(tmp_path, body)


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "_KEPT", 2)

    async def body(app: App) -> None:
        names = [f"n{i}" for i in range(5)]
        await put(app, MAIN, *(reading(name, i) for i, name in enumerate(names)))
        looked = Latest(app.outbox, names)
        assert await values(looked, *names) == {name: i for i, name in enumerate(names)}
        assert len(looked._read) == 2

    with_app(tmp_path, body)
