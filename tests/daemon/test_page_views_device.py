import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.daemon.home import running
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.page_scene import CHEAP, PASSWORD, Visitor, checked, lorawan, put
from tests.daemon.sending_home import STANDALONE, home_of, real_app
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.page.users import Role, User, hashed, write_users


def with_visitor(folder: Path, body: Callable[[Visitor], Awaitable[None]], role: Role = Role.ADMIN) -> None:
    """A site that sends to `flur` by bytes and to `hupe` by its script."""

    async def go() -> None:
        home = home_of(folder, OtaaDevice("flur"), STANDALONE)
        write_users(folder / "page.users.toml", {"technik": User("technik", role, hashed(PASSWORD, cost=CHEAP))})
        app = real_app(home)
        jar = aiohttp.CookieJar(unsafe=True)
        async with running(app), aiohttp.ClientSession(cookie_jar=jar) as session:
            await body(Visitor(app, session, f"http://127.0.0.1:{app.http_port}"))

    asyncio.run(go())


def test_a_downlink_is_queued_shown_and_taken_back(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        _, before = await visitor.get("/devices/flur")
        assert "torhaus lora send flur --fport N --hex HEX" in before
        await visitor.sign_in()
        checked((await visitor.get("/devices/flur"))[1])
        answer = await visitor.do("/devices/flur", fport="7", hex=" 01 ff ", json="", confirmed="1")
        assert (answer.status, answer.headers["Location"]) == (303, "/devices/flur?note=queued")
        orders = visitor.app.joining.sending.orders if visitor.app.joining.sending else None
        assert orders is not None
        (item,) = orders.queue.open()
        assert (item.payload, item.fport, item.confirmed, item.source) == (b"\x01\xff", 7, True, "page")
        _, text = await visitor.get("/devices/flur?note=queued")
        checked(text)
        assert "wartet jetzt auf das nächste Uplink" in text
        assert f'name="cancel" value="{item.id}"' in text
        assert (await visitor.do("/devices/flur", cancel=item.id)).status == 303
        assert list(orders.queue.open()) == []
        assert "zurückgenommen" in (await visitor.get("/devices/flur"))[1]
        assert (await visitor.do("/devices/flur", cancel=item.id)).status == 409
        assert (await visitor.do("/devices/flur", cancel="0" * 12)).status == 404

    with_visitor(tmp_path, body)


def test_the_script_makes_the_bytes(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in()
        answer = await visitor.do("/devices/hupe", fport="", hex="", json='{"level": 3}')
        assert answer.status == 303
        assert visitor.app.joining.sending is not None
        (item,) = visitor.app.joining.sending.queue.open()
        assert (item.payload, item.fport) == (b"\x01\x03", 7)

    with_visitor(tmp_path, body)


def test_what_cannot_be_sent_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in()
        odd: list[dict[str, str]] = [
            {}, {"fport": "7"}, {"hex": "zz", "fport": "7"}, {"hex": "00"}, {"hex": "00", "fport": "0"},
            {"hex": "00", "fport": "224"}, {"hex": "00", "fport": "x"}, {"hex": "00", "fport": "٣"},
            {"json": "{", "fport": "7"}, {"json": "[" * 5000, "fport": "7"}, {"json": '{"level": 99}'},
            {"hex": "00" * 400, "fport": "7"}, {"hex": "00", "json": "1", "fport": "7"},
        ]  # fmt: skip
        for form in odd:
            assert (await visitor.do("/devices/hupe", **form)).status == 409, form
        assert (await visitor.do("/devices/keller", hex="00", fport="7")).status == 409  # it has no keys
        assert (await visitor.do("/devices/nobody", hex="00", fport="7")).status == 404
        assert visitor.app.joining.downlinks() == {}
        assert visitor.app.watch.defects == {}

    with_visitor(tmp_path, body)


def test_who_may_only_look_sends_nothing(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        await visitor.sign_in()
        assert 'name="hex"' not in (await visitor.get("/devices/flur"))[1]
        assert (await visitor.do("/devices/flur", hex="00", fport="7")).status == 403
        assert visitor.app.joining.downlinks() == {}

    with_visitor(tmp_path, body, Role.OPERATE)


def test_the_last_values_and_frames(tmp_path: Path) -> None:
    async def body(visitor: Visitor) -> None:
        record = lorawan("flur", "a81758fffe0312ab", {"co2": Value(640, "[ppm]"), "used": Value(1, derived=True)})
        record.payload = b"\x01\x02"
        await put(visitor.app, MAIN, record)
        _, text = await visitor.get("/devices/flur")
        checked(text)
        assert "640 ppm" in text
        assert "berechnet" in text
        assert "data=0102" in text
        assert "−97 dBm / 7,5 dB" in text
        assert "aa555a0000000101" in text

    with_visitor(tmp_path, body)
