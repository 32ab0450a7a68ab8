"""What the queue begins with, and to whom anything is sent."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.daemon.home import Home, running, until
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.sending_home import STANDALONE, home_of
from tests.daemon.test_lora_order_pages import post
from torhaus.daemon.control import Refused
from torhaus.daemon.lora.queue import GONE
from torhaus.daemon.lora.sending import NO_KEYS, PASSIVE, refusals
from torhaus.daemon.outbox.state import State


def stored(home: Home) -> list[tuple[str, str | None, str]]:
    with contextlib.closing(State(home.store / "state.db", read_only=True)) as state:
        return [(q.ref, q.outcome, q.why) for q in state.downlinks()[0]]


def test_to_whom_nothing_is_sent(tmp_path: Path) -> None:
    it = OtaaDevice()
    passive, standalone = home_of(tmp_path / "a", it, more=""), home_of(tmp_path / "b", it)
    assert set(refusals(passive.load()).values()) == {("passive", PASSIVE)}
    assert refusals(standalone.load()) == {"a81758fffe0312ac": ("no_keys", NO_KEYS)}

    async def go() -> None:
        async with asyncio.timeout(20), running(passive.app({})):
            with pytest.raises(Refused, match="passive") as refused:
                await post(passive, device="flur", hex="00", fport=1)
            assert refused.value.status == 409

    asyncio.run(go())


def test_what_waits_goes_on_after_a_restart_and_ends_when_the_device_is_gone(tmp_path: Path) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def one() -> None:
        async with asyncio.timeout(20), running(home.app({})):
            await post(home, device="flur", hex="00", fport=1, ref="a")

    async def two() -> None:
        app = home.app({})
        async with asyncio.timeout(20), running(app):
            assert [s["ref"] for s in await home.ask("/lora/downlinks")] == ["a"]
            await until(lambda: len(home.lines()) == 1)

    async def three() -> None:
        home.write(home.config.read_text().partition(STANDALONE)[2])
        app = home.app({})
        async with asyncio.timeout(20), running(app):
            await until(lambda: len(home.lines()) == 2)
            assert home.lines()[1]["event"]["detail"] == GONE

    asyncio.run(one())
    assert [(ref, outcome) for ref, outcome, _ in stored(home)] == [("a", None)]
    asyncio.run(two())
    asyncio.run(three())
    assert stored(home) == [("a", "failed", GONE)]


def test_what_was_changed_on_disk_is_told_and_not_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def put() -> None:
        async with asyncio.timeout(20), running(home.app({})):
            await post(home, device="flur", hex="00", fport=1)

    async def look() -> None:
        app = home.app({})
        async with asyncio.timeout(20), running(app):
            assert await home.ask("/lora/downlinks?all=1") == []
            assert app.joining.sending is not None
            await app.joining.sending.queue.persist()

    asyncio.run(put())
    with contextlib.closing(sqlite3.connect(home.store / "state.db")) as conn, conn:
        conn.execute('UPDATE downlink SET facts = replace(facts, \'"payload":"AA=="\', \'"payload":"/w=="\')')
    asyncio.run(look())
    assert "downlinks were changed on disk" in caplog.text
    caplog.clear()
    asyncio.run(look())
    assert "changed on disk" not in caplog.text
