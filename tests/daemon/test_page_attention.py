import asyncio
from pathlib import Path

import pytest

from tests.daemon.page_scene import checked, home_of, visited
from torhaus.daemon.causes import Cause
from torhaus.daemon.lora.join_book import JoinResult
from torhaus.daemon.page import attention
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.view import Ask
from torhaus.drivers.base import DeviceChanged
from torhaus.drivers.said import Said, about


def test_commands_in_texts() -> None:
    assert attention.rich("a `b <c` d").text == 'a <code class="command">b &lt;c</code> d'
    assert attention.rich("").text == ""


def test_each_kind_has_its_words_and_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            await visitor.get("/")
            site = visitor.app._sources()
            causes = [
                Cause("new_kind", "something new happened"),
                Cause("gateway_silent", "", "aa555a0000000101", values={"minutes": 7}),
                Cause("dropped", "", "archive", "full", {"n": 1234}),
            ]
            monkeypatch.setattr(site.survey, "causes", lambda: causes)
            ask = Ask(site, Language("en"))
            status = site.survey.status()
            status.clock_synced = True
            found = attention.items(ask, status)
            assert [(i.kind, i.level, i.title, i.path) for i in found] == [
                ("dropped", "bad", "Records dropped (“archive”): 1,234, full", "/forwarders"),
                ("new_kind", "warn", "something new happened", ""),
                (
                    "gateway_silent",
                    "warn",
                    "Gateway aa555a0000000101 has been silent for 7 min",
                    "/gateways/aa555a0000000101",
                ),
            ]
            text = attention.shown(ask, found).text
            checked(text)
            assert "3 things to look at" in text
            assert "Everything is fine" in attention.shown(ask, []).text

    asyncio.run(go())


def test_a_far_side_that_is_away_is_somebodys_matter(tmp_path: Path) -> None:
    async def go() -> None:
        more = '[[forwarder]]\nname = "zentrale"\ntype = "mqtt"\nurl = "mqtt://127.0.0.1:1"\n'
        async with visited(home_of(tmp_path, more)) as visitor:
            status, text = await visitor.get("/", Accept_Language="en")
            assert status == 200
            assert "“zentrale” cannot be reached" in text
            assert "Nothing is lost" in text
            assert (await visitor.get("/forwarders/zentrale"))[0] == 200

    asyncio.run(go())


def test_what_drivers_say_is_said_in_the_readers_language(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            watch = visitor.app.watch
            watch.gone("driver bus", about("/dev/ttyUSB0", Said("port_gone")))
            watch.event("bus", DeviceChanged("zaehler", up=False, detail=Said("no_answer", s=2.5)))
            for path in ("/", "/gateways"):
                assert "/dev/ttyUSB0: weg; wurde es abgezogen?" in (await visitor.get(path))[1]
                assert "/dev/ttyUSB0: gone; was it unplugged?" in (await visitor.get(path, Accept_Language="en"))[1]
            assert "zaehler (keine Antwort innerhalb von 2,5 s)" in (await visitor.get("/gateways"))[1]

    asyncio.run(go())


def test_joins_count_by_their_last_try(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            book = visitor.app.joining.book
            for device, result in (
                ("a", JoinResult.WRONG_KEY),
                ("a", JoinResult.REQUESTED),
                ("b", JoinResult.NONCE_USED),
            ):
                book.note(result, device, device=device, dev_nonce=len(book.attempts()))
            book.note(JoinResult.UNKNOWN_DEVICE, "c")
            ask = Ask(visitor.app._sources(), Language("en"))
            assert [a.device for a in attention.refused_joins(ask)] == ["b"]

    asyncio.run(go())
