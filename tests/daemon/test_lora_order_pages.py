"""The control socket's calls for downlinks."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home, running, until
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.sending_home import home_of, real_app
from torhaus.daemon.control import Refused, ask

OTHER = "f" * 12


async def post(home: Home, **order: Any) -> Any:
    body = json.dumps(order).encode()
    return json.loads(await asyncio.to_thread(ask, home.socket, "/lora/downlinks", "POST", body))


async def refused(home: Home, what: str, method: str = "GET", body: bytes | None = None) -> int:
    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(ask, home.socket, what, method, body)
    assert caught.value.words
    return caught.value.status


def test_send_list_and_cancel(tmp_path: Path) -> None:
    it = OtaaDevice()
    home = home_of(tmp_path, it)

    async def go() -> None:
        async with asyncio.timeout(20), running(real_app(home)):
            one = await post(home, device="flur", fport=10, hex="0102", ref="a", confirmed=True)
            again = await post(home, device=it.eui, fport=10, hex="0102", ref="a")
            assert (one["state"], one["device"], one["payload"]) == ("waiting", "flur", "0102")
            assert (again["id"], again["is_new"]) == (one["id"], False)
            two = await post(home, device="flur", fport=10, base64="AQ==", priority=5)
            horn = await post(home, device="hupe", json={"level": 7})
            assert (horn["fport"], horn["payload"], horn["warnings"]) == (7, "0107", ["loud"])
            found = await home.ask("/lora/downlinks?device=flur")
            assert [(s["id"], s.get("priority", 0)) for s in found] == [(two["id"], 5), (one["id"], 0)]
            assert len(await home.ask("/lora/downlinks")) == 3
            assert (await home.ask(f"/lora/downlinks/{two['id']}"))["why"].startswith("waits for")
            assert await home.ask(f"/lora/downlinks/{two['id']}", "DELETE") == {"id": two["id"]}
            assert await refused(home, f"/lora/downlinks/{two['id']}", "DELETE") == 409
            assert await refused(home, f"/lora/downlinks/{OTHER}", "DELETE") == 404
            assert await refused(home, f"/lora/downlinks/{OTHER}") == 404
            assert await refused(home, "/lora/downlinks?device=nobody") == 404
            found = await home.ask("/lora/downlinks?all=1&device=flur")
            assert [s["state"] for s in found] == ["cancelled", "waiting"]
            for order, status in (
                (b"", 400),
                (b'{"device": "nobody", "hex": ""}', 404),
                (b'{"device": "keller", "hex": ""}', 409),
                (b'{"device": "zaehler", "hex": ""}', 404),
                (b'{"device": "flur", "hex": "", "fport": 0}', 400),
                (b'{"device": "hupe", "json": {"level": 10}}', 400),
                (b" " * 70_000, 413),
            ):
                assert await refused(home, "/lora/downlinks", "POST", order) == status
            await until(lambda: len(home.lines()) == 4)
            assert {(e["device"], e["event"]["state"]) for e in home.lines()} == {
                ("flur", "queued"),
                ("flur", "cancelled"),
                ("hupe", "queued"),
            }

    asyncio.run(go())


def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def go() -> None:
        app = home.app({})
        async with asyncio.timeout(20), running(app):
            await app.outbox.on_state(lambda s: s.conn.execute("PRAGMA query_only = 1"))
            assert await refused(home, "/lora/downlinks", "POST", b'{"device": "flur", "hex": "", "fport": 1}') == 503
            assert await home.ask("/lora/downlinks") == []
            await app.outbox.on_state(lambda s: s.conn.execute("PRAGMA query_only = 0"))
            assert (await post(home, device="flur", hex="", fport=1))["state"] == "waiting"

    asyncio.run(go())
