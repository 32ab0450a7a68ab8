import asyncio
from pathlib import Path

import pytest

from tests.daemon.home import METER, Home, archive, frame, running, sender, until
from torhaus.daemon.control import Refused
from torhaus.daemon.outbox.store import MAIN

FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n"


def test_replay_over_the_socket(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path), devices=METER)

    async def go() -> None:
        app = home.app({"x": sender([frame(), frame(), frame()])})
        async with running(app):
            await until(lambda: app.runners["archive"][1].tally.accepted == 3)
            path = "/forwarders/archive/replay"
            assert await home.ask(f"{path}?start=0&end=99&dry_run=1", "POST") == {"records": 3, "backlog": 0}
            assert await home.ask(f"{path}?start=1&end=2", "POST") == {"records": 1, "backlog": 1}
            await until(lambda: app.runners["archive"][1].tally.accepted == 4)
            for wrong, status in (
                ("/forwarders/nobody/replay?start=0&end=1", 404),
                (path, 400),
                (f"{path}?start=-1&end=1", 400),
                (f"{path}?start=1&end={'9' * 20}", 400),
                (f"{path}?start=%D9%A3&end=4", 400),
            ):
                with pytest.raises(Refused) as e:
                    await home.ask(wrong, "POST")
                assert e.value.status == status
            assert await home.ask(f"{path}?start=0&end={'9' * 19}&dry_run=1", "POST") == {"records": 3, "backlog": 0}

    asyncio.run(go())
    first, second, _, again = home.lines()
    assert first["id"] != second["id"]
    assert (again["late"], again["id"]) == (True, second["id"])


def test_only_the_local_socket_has_them(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))

    async def go() -> None:
        app = home.app({})
        async with running(app):
            assert app.outbox.settled_by[MAIN].keys() == {"archive"}
            reader, writer = await asyncio.open_connection("127.0.0.1", app.http_port)
            writer.write(b"POST /forwarders/archive/replay?start=0&end=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n" + FORM)
            assert b" 303 " in await reader.readline()  # to where one signs in, whatever was asked
            writer.close()
            await writer.wait_closed()

    asyncio.run(go())
