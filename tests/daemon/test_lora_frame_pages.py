"""The frame log over the control socket."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.frame_fakes import ROOF, downlink
from tests.daemon.home import Home, running, stamp, until
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.app import App
from torhaus.daemon.control import Refused, ask, follow
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora.seen import Seen
from torhaus.drivers.base import Host, LinkChanged

SENSOR = Sensor(1)


def uplink() -> Frame:
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(ROOF, rssi_dbm=-80, snr_db=9)])
    return Frame("x", SENSOR.uplink(), stamp(), radio)


class Door:
    """A driver that delivers what the test gives it."""

    def __init__(self) -> None:
        self.host: Host | None = None

    async def __call__(self, host: Host) -> None:
        host.event(LinkChanged(True))
        self.host = host
        await asyncio.Event().wait()


def home(folder: Path) -> tuple[Home, Door, App]:
    it, door = Home(folder, sensors=[SENSOR]), Door()
    app = it.app({"x": door})
    app.frames._tick_s = 0.05
    return it, door, app


async def lines(it: Home, what: str) -> list[Any]:
    body = await asyncio.to_thread(ask, it.socket, what)
    return [msgspec.json.decode(line, type=Seen) for line in body.splitlines()]


def test_the_past(tmp_path: Path) -> None:
    it, door, app = home(tmp_path)

    async def go() -> None:
        async with running(app):
            await until(lambda: door.host)
            assert door.host is not None
            door.host.deliver([uplink()], [])
            await until(lambda: app.watch.committed_records)
            await app.downlinks.send(downlink())
            [up, down] = await lines(it, "/lora/frames")
            assert (up.device, up.state, up.rx[0].gateway) == (SENSOR.name, "decoded", ROOF)
            assert (down.direction, down.state, down.statuses) == ("down", "not sent", ["NO_GATEWAY"] * 2)
            assert len(await lines(it, "/lora/frames?count=1")) == 1
            assert await lines(it, f"/lora/frames?gateway={'0' * 16}") == []
            assert len(await lines(it, f"/lora/frames?device={SENSOR.name}")) == 1
            assert len(await lines(it, f"/lora/frames?gateway={ROOF.upper()}")) == 2
            assert app.watch.frame_viewers == 0

    asyncio.run(go())


def test_what_comes(tmp_path: Path) -> None:
    it, door, app = home(tmp_path)
    got: list[bytes] = []

    def read() -> None:
        got.extend(follow(it.socket, "/lora/frames?follow=1"))

    async def go() -> None:
        async with running(app):
            await until(lambda: door.host)
            assert door.host is not None
            task = asyncio.ensure_future(asyncio.to_thread(read))
            await until(lambda: app.watch.frame_viewers)
            await until(lambda: got)  # an empty line comes when nothing else does
            door.host.deliver([uplink()], [])
            await until(lambda: any(line.strip() for line in got))
        await task  # the daemon ends, and so does the answer
        assert app.watch.frame_viewers == 0

    asyncio.run(go())
    [line] = [line for line in got if line.strip()]
    assert msgspec.json.decode(line, type=Seen).device == SENSOR.name


def test_what_was_skipped_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    it, door, app = home(tmp_path)
    got: list[bytes] = []

    async def go() -> None:
        async with running(app):
            await until(lambda: door.host)
            enter = app.frames.log.enter

            def entering(*words: Any) -> Any:
                viewer = enter(*words)
                if viewer is not None:
                    viewer.skipped = 7
                return viewer

            monkeypatch.setattr(app.frames.log, "enter", entering)
            stream = follow(it.socket, "/lora/frames?follow=1")
            while b"skipped" not in b"".join(got):
                got.append(await asyncio.to_thread(next, stream))
            await asyncio.to_thread(stream.close)

    asyncio.run(go())
    assert b'{"skipped":7}\n' in got


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("gateway=12", 400, "gateway: an EUI-64 has 16 hex digits"),
        ("count=1001", 400, "count must be 0 to 1000"),
        ("count=-1", 400, "count must be"),
        ("count=%D9%A3", 400, "count must be"),
        ("count=99999", 400, "count must be"),
    ],
)
def test_refusals(tmp_path: Path, query: str, status: int, says: str) -> None:
    it, _, app = home(tmp_path)

    async def go() -> None:
        async with running(app):
            with pytest.raises(Refused, match=says) as e:
                await lines(it, f"/lora/frames?{query}")
            assert e.value.status == status

    asyncio.run(go())


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    it, _, app = home(tmp_path)
    monkeypatch.setattr("torhaus.daemon.lora.frame_log.MAX_VIEWERS", 0)

    async def go() -> None:
        async with running(app):
            with pytest.raises(Refused, match="too many are watching already"):
                await lines(it, "/lora/frames")

    asyncio.run(go())


def test_only_the_local_socket_has_it(tmp_path: Path) -> None:
    _, _, app = home(tmp_path)

    async def go() -> None:
        async with running(app):
            reader, writer = await asyncio.open_connection("127.0.0.1", app.http_port)
            writer.write(b"GET /lora/frames HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            assert b" 404 " in await reader.readline()
            writer.close()
            await writer.wait_closed()

    asyncio.run(go())
