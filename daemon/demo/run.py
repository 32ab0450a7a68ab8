"""`torhaus demo`: the real daemon in a process of its own, with simulated devices around it.

Everything is on loopback. What the subscriber of the broker receives is shown: a live table on a terminal, else one
line per reading.
"""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, TextIO

from torhaus.daemon.clock import SystemClock
from torhaus.daemon.control import NotRunning, Refused, ask
from torhaus.daemon.demo.broker import Broker
from torhaus.daemon.demo.documents import drop
from torhaus.daemon.demo.gateway import SimulatedGateway
from torhaus.daemon.demo.meter import SimulatedMeter
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.demo.site import GATEWAYS, JOINING, Ports, build, free_port, sensors
from torhaus.daemon.simulate.model import Habits
from torhaus.daemon.simulate.run import Plan, Simulation

UPLINK_EVERY_S: Final = 0.5
DOCUMENT_EVERY_S: Final = 8.0
START_S: Final = 20.0


class Table:
    """What arrived: the newest values of each device."""

    def __init__(self, out: TextIO, http: int) -> None:
        self._out = out
        self._tty = out.isatty()
        self._http = http
        self._rows: dict[str, tuple[int, str, str]] = {}
        self.arrived = 0
        self.documents = 0

    def add(self, payload: bytes) -> None:
        """One message from the broker."""
        message = json.loads(payload)
        for one in message if isinstance(message, list) else [message]:  # the backlog may come packed
            if one.get("kind") == "reading":
                self._reading(one)

    def _reading(self, message: dict[str, Any]) -> None:
        self.arrived += 1
        device = message["device"]
        values = "  ".join(
            f"{name} {field['value']}{' ' + field['unit'] if 'unit' in field else ''}"
            for name, field in sorted(message["fields"].items(), key=lambda f: "unit" not in f[1])[:6]
        )
        count = self._rows.get(device, (0, "", ""))[0] + 1
        self._rows[device] = (count, message["at"], values)
        if not self._tty:
            print(f"{message['at']}  {device:18}  {values}", file=self._out, flush=True)

    def document(self, name: str) -> None:
        """One document was delivered."""
        self.documents += 1
        if not self._tty:
            print(f"document delivered: {name}", file=self._out, flush=True)

    def draw(self) -> None:
        """Redraw, on a terminal."""
        if not self._tty:
            return
        width = shutil.get_terminal_size().columns
        lines = [
            f"torhaus demo: {self.arrived} readings arrived, {self.documents} documents delivered; Ctrl-C ends it",
            f"page: http://127.0.0.1:{self._http}/   metrics: http://127.0.0.1:{self._http}/metrics",
            "",
            f"{'DEVICE':18}  {'N':>4}  {'LAST':12}  VALUES",
        ]
        lines += [
            f"{device:18}  {n:4}  {at[11:23]}  {values}" for device, (n, at, values) in sorted(self._rows.items())
        ]
        self._out.write("\x1b[H\x1b[2J" + "\n".join(line[:width] for line in lines) + "\n")
        self._out.flush()


async def demo(folder: Path | None, seconds: float | None, out: TextIO = sys.stdout) -> int:
    """Run until Ctrl-C, or for so many seconds. Returns 0 when readings arrived."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    place = folder or Path(tempfile.mkdtemp(prefix="torhaus-demo-"))
    meter = SimulatedMeter()
    ports = Ports(free_port(socket.SOCK_DGRAM, 1700), free_port(socket.SOCK_STREAM, 8680), 0)
    async with Broker() as broker:
        ports.broker = broker.port
        config = build(place, ports, meter.path)
        daemon = await asyncio.create_subprocess_exec(sys.executable, "-m", "torhaus", "run", "--config", str(config))
        table = Table(out, ports.http)
        try:
            print(f"the daemon runs in {place}", file=out)
            print(f"page: http://127.0.0.1:{ports.http}/", file=out)
            print(f"metrics: http://127.0.0.1:{ports.http}/metrics", file=out, flush=True)
            if not await _wait_ready(place, daemon, stop):
                return 1
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_radio(ports.gwmp, sensors()), name="radio"),
                    group.create_task(_joining(ports.gwmp), name="joining"),
                    group.create_task(_meter(meter), name="meter"),
                    group.create_task(_station(place / "scan-in"), name="station"),
                    group.create_task(_show(broker, table, place / "delivered"), name="show"),
                ]
                ended = group.create_task(daemon.wait(), name="daemon")
                stopped = group.create_task(stop.wait(), name="stop")
                await asyncio.wait({ended, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                for task in (*tasks, ended, stopped):
                    task.cancel()
        finally:
            if daemon.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    daemon.terminate()
                await daemon.wait()
            meter.close()
            if folder is None:
                shutil.rmtree(place, ignore_errors=True)
    print(f"{table.arrived} readings arrived, {table.documents} documents were delivered", file=out, flush=True)
    return 0 if table.arrived else 1


async def _wait_ready(place: Path, daemon: asyncio.subprocess.Process, stop: asyncio.Event) -> bool:
    """Whether the daemon came up; what it says when it does not is on standard error."""
    for _ in range(int(START_S / 0.05)):
        if daemon.returncode is not None or stop.is_set():
            return False
        with contextlib.suppress(NotRunning, Refused):
            await asyncio.to_thread(ask, place / "torhaus.sock", "/readyz")
            return True
        await asyncio.sleep(0.05)
    print(f"the daemon did not start within {START_S:.0f} s", file=sys.stderr)
    return False


async def _radio(port: int, devices: list[Sensor]) -> None:
    gateways = [SimulatedGateway(eui, version) for eui, version in zip(GATEWAYS, (2, 1), strict=True)]
    for gateway in gateways:
        await gateway.open("127.0.0.1", port)
        gateway.pull()
    start = 0
    while True:
        for i, device in enumerate(devices):
            gateway = gateways[i % 2]
            if (start + i) % 10 == 0:
                gateway.pull()
                gateway.report({"time": "2026-01-01 00:00:00 GMT", "rxnb": start, "rxok": start, "ackr": 100.0})
            gateway.push([device.uplink()])
            await asyncio.sleep(UPLINK_EVERY_S)
        start += 1


async def _joining(port: int) -> None:
    """A device that joins over the air, as torhaus is its network server, too."""
    habits = Habits(period_s=5.0, confirmed_every=2, spread_s=1.0, is_limited=False)
    plan = Plan(known=(JOINING,), to=(f"udp://127.0.0.1:{port}",), habits=habits, radius_km=0.1)
    await Simulation(plan, SystemClock()).run()


async def _meter(meter: SimulatedMeter) -> None:
    while True:
        meter.tick(2.0)
        await asyncio.sleep(2.0)


async def _station(folder: Path) -> None:
    number = 0
    while True:
        number += 1
        await asyncio.to_thread(drop, folder, number, 1 + number % 3)
        await asyncio.sleep(DOCUMENT_EVERY_S)


async def _show(broker: Broker, table: Table, delivered: Path) -> None:
    seen: set[str] = set()
    while True:
        while broker.messages:
            received = broker.messages.popleft()
            if not received.topic.endswith("/status"):
                table.add(received.payload)
        for name in await asyncio.to_thread(_names, delivered):
            if name not in seen:
                seen.add(name)
                table.document(name)
        table.draw()
        await asyncio.sleep(0.5)


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
