import asyncio
from pathlib import Path
from typing import Any

from tests.daemon.page_scene import Visitor, checked, home_of, spoil, visited
from torhaus.daemon.outbox.state import State


def with_letter(folder: Path, body: Any) -> None:
    async def go() -> None:
        async with visited(home_of(folder)) as visitor:
            await spoil(visitor.app)
            await body(visitor)

    asyncio.run(go())


async def letters(visitor: Visitor) -> list[int]:
    return [dead.number for dead in await visitor.app.outbox.on_state(State.dead_letters)]


def test_a_person_looks_and_sends_it_again(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        (number,) = await letters(visitor)
        before = await visitor.get(f"/dead-letters/{number}")
        assert "&lt;img" in before[1]
        assert "Verwerfen" not in before[1]  # nobody has signed in
        await visitor.sign_in()
        _, text = await visitor.get(f"/dead-letters/{number}")
        checked(text)
        answer = await visitor.do("/dead-letters", what="retry", number=str(number))
        assert answer.headers["Location"] == "/dead-letters?done=retry&n=1"
        assert "1 Datensatz wird noch einmal gesendet." in (await visitor.get("/dead-letters?done=retry&n=1"))[1]
        assert await letters(visitor) == []
        assert visitor.app.survey.dead_letters.get("archive", 0) == 0
        assert (await visitor.do("/dead-letters", what="retry", number=str(number))).status == 404

    with_letter(tmp_path, body)


def test_dropping_one(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        (number,) = await letters(visitor)
        await visitor.sign_in()
        assert (await visitor.do("/dead-letters", what="drop", number=str(number))).status == 303
        assert await letters(visitor) == []

    with_letter(tmp_path, body)


def test_all_are_dropped_only_after_a_question(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        assert "kann niemand" not in (await visitor.get("/dead-letters?drop=1"))[1]
        await visitor.sign_in()
        _, text = await visitor.get("/dead-letters?drop=1&forwarder=archive")
        checked(text)
        assert "Das kann niemand rückgängig machen." in text
        assert (await visitor.do("/dead-letters", what="drop_all", forwarder="other")).status == 303
        assert len(await letters(visitor)) == 1
        answer = await visitor.do("/dead-letters", what="drop_all", forwarder="archive")
        assert answer.headers["Location"] == "/dead-letters?done=drop_all&n=1&forwarder=archive"
        assert await letters(visitor) == []

    with_letter(tmp_path, body)


def test_all_are_sent_again(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in()
        answer = await visitor.do("/dead-letters", what="retry_all")
        assert answer.headers["Location"] == "/dead-letters?done=retry_all&n=1"
        assert await letters(visitor) == []

    with_letter(tmp_path, body)


def test_who_may_operate_scans_decides_nothing_here(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in("poststelle")
        assert (await visitor.do("/dead-letters", what="drop_all")).status == 403
        assert len(await letters(visitor)) == 1

    with_letter(tmp_path, body)
