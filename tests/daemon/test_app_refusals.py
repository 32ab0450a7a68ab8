"""What keeps a daemon from starting: said in one sentence, and nothing is taken in or harmed."""

import asyncio
from pathlib import Path

import pytest

from tests.daemon.home import Home, running
from tests.peers import free_port
from torhaus.daemon.httpd import CannotListen
from torhaus.drivers.base import Host


def fails(home: Home, error: type[BaseException], match: str) -> None:
    async def go() -> None:
        async with running(home.app({})):
            pass

    with pytest.raises(ExceptionGroup) as group:
        asyncio.run(go())
    with pytest.raises(error, match=match):
        raise group.value.exceptions[0]


def test_a_store_that_cannot_be_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.store.write_text("a file")
    fails(home, OSError, "File exists")
    assert home.store.read_text() == "a file"


def test_a_store_that_another_daemon_uses(tmp_path: Path) -> None:
    one, other = Home(tmp_path), Home(tmp_path / "other")
    other.config.write_text(other.config.read_text().replace('"state"', f'"{one.store}"'))

    async def go() -> None:
        async with running(one.app({})):
            await asyncio.to_thread(fails, other, OSError, "another torhaus")
            assert (await one.ask("/healthz"))["ready"]

    asyncio.run(go())
    assert not other.socket.exists()


def test_a_control_socket_that_another_daemon_uses(tmp_path: Path) -> None:
    one, other = Home(tmp_path), Home(tmp_path / "other")
    other.config.write_text(other.config.read_text().replace('"t.sock"', f'"{one.socket}"'))

    async def go() -> None:
        async with running(one.app({})):
            await asyncio.to_thread(fails, other, CannotListen, "another torhaus answers there")
            assert (await one.ask("/healthz"))["ready"]

    asyncio.run(go())


def test_a_port_that_is_in_use(tmp_path: Path) -> None:
    home = Home(tmp_path)
    port = free_port()
    home.write("", f"127.0.0.1:{port}")
    ran = 0

    async def driver(_: Host) -> None:
        nonlocal ran
        ran += 1

    async def go() -> None:
        async with running(home.app({"radio": driver})):
            pass

    async def busy() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
        with pytest.raises(ExceptionGroup) as group:
            await go()
        assert str(group.value.exceptions[0]) == f"cannot listen on 127.0.0.1:{port}: Address already in use"
        server.close()
        await server.wait_closed()

    asyncio.run(busy())
    assert ran == 0  # nothing was taken in
    assert not home.socket.exists()
    asyncio.run(go())  # and nothing is left that would keep the next start from working
    assert ran > 0
