"""A configuration in a folder, and an App that runs on it inside of a test."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from torhaus.codecs.model import Frame, Stamp
from torhaus.daemon.app import App
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.config.load import Loaded, load
from torhaus.daemon.control import ask
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.notify import Notifier
from torhaus.drivers.base import Host, LinkChanged


class QuickClock(SystemClock):
    """Real time, but nobody sleeps for longer than a moment."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


class Heard(Notifier):
    """Keeps what systemd would be told."""

    def __init__(self) -> None:
        super().__init__({})
        self.said: list[dict[str, str | int]] = []

    def send(self, **state: str | int) -> None:
        self.said.append(state)


class Home:
    """`torhaus.toml` and its lists; `load` reads them as the daemon does."""

    def __init__(self, folder: Path, more: str = "", sensors: list[Sensor] | None = None, devices: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "torhaus.toml"
        self.socket = folder / "t.sock"
        self.store = folder / "state"
        self.out = folder / "out.jsonl"
        sensors = sensors or []
        (folder / "devices.toml").write_text("".join(s.config() for s in sensors) + devices)
        keys = folder / "devices.keys.toml"
        keys.touch(mode=0o600)
        keys.write_text("".join(s.keys() for s in sensors))
        self.write(more)

    def write(self, more: str, listen: str = "127.0.0.1:0") -> None:
        self.config.write_text(
            f'[site]\nid = "test"\n[store]\npath = "state"\n[control]\nsocket = "t.sock"\n'
            f'[http]\nlisten = "{listen}"\n[log]\nformat = "text"\n{more}'
        )

    def load(self) -> Loaded:
        return load(self.config)

    def app(self, drivers: dict[str, Any] | None = None, forwarders: list[Any] | None = None) -> App:
        """An App with these drivers (name to coroutine function of a host) instead of the configured ones."""
        loaded = self.load()
        if drivers is not None:
            modules = [(driver_module(run), SimpleNamespace(name=name)) for name, run in drivers.items()]
            loaded = msgspec.structs.replace(loaded, drivers=modules)
        if forwarders is not None:
            loaded = msgspec.structs.replace(loaded, forwarders=forwarders)
        return App(loaded, QuickClock(), Heard())

    async def ask(self, what: str, method: str = "GET") -> Any:
        """An answer of the control socket, as JSON."""
        return json.loads(await asyncio.to_thread(ask, self.socket, what, method))

    def lines(self) -> list[dict[str, Any]]:
        """What the file forwarder wrote."""
        return [json.loads(line) for line in self.out.read_text().splitlines()] if self.out.exists() else []


def driver_module(run: Callable[[Host], Any]) -> Any:
    """A driver's module, of which only `open` is used."""
    return SimpleNamespace(open=lambda _: SimpleNamespace(run=run))


def archive(home: Path) -> str:
    """A `[[forwarder]]` to out.jsonl."""
    return f'[[forwarder]]\nname = "archive"\ntype = "file"\npath = "{home}/out.jsonl"\n'


@asynccontextmanager
async def running(app: App) -> AsyncIterator[App]:
    """The app from its start to its orderly end."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(app.run(stop))
        started = group.create_task(app.started.wait())
        await asyncio.wait([task, started], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if not task.done():
            try:
                yield app
            finally:
                stop.set()


async def until(condition: Callable[[], object]) -> None:
    """Let things happen until something holds (the test's own time-out is the limit)."""
    while not condition():  # noqa: ASYNC110 - whatever is waited for
        await asyncio.sleep(0.005)


def stamp(wall_ns: int = 1_795_000_000 * 10**9) -> Stamp:
    return Stamp(wall_ns, 1_000 * 10**9, synced=True)


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


METER = '[[device]]\nname = "meter"\ncodec = "cayenne_lpp"\n'
PAYLOAD = bytes.fromhex("01670110")


def frame(data: bytes = PAYLOAD, device: str = "meter") -> Frame:
    return Frame("x", data, stamp(), device=device)


def sender(frames: list[Frame]) -> Any:
    async def run(host: Host) -> None:
        host.event(LinkChanged(True))
        host.deliver(frames, [])
        await asyncio.Event().wait()

    return run
