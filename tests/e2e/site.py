"""A whole site for end-to-end tests: configuration, the real daemon as a process, simulated gateways, a real broker."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.peers import free_port
from torhaus.daemon.demo.gateway import SimulatedGateway
from torhaus.daemon.demo.sensors import Sensor

START_S = 20.0


def wait_for(condition: Callable[[], Any], what: str, limit_s: float = 60.0) -> Any:
    """What the condition gives once it is true; fails when it is not in time. Never what a test measures."""
    end = time.monotonic() + limit_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {limit_s:.0f} s: {what}"
        time.sleep(0.02)


class Site:
    """A folder with a configuration, and the daemon that runs on it."""

    def __init__(
        self,
        folder: Path,
        sensors: Sequence[Sensor],
        more: str,
        devices: str = "",
        store: object = None,
        limits: str = "",
    ) -> None:
        self.folder = folder
        self.udp = free_port()
        self.http = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        place = store or "state"
        (folder / "devices.toml").write_text("".join(s.config() for s in sensors) + devices)
        keys = folder / "devices.keys.toml"
        keys.touch(mode=0o600)
        keys.write_text("".join(s.keys() for s in sensors))
        self.config = folder / "torhaus.toml"
        self.config.write_text(
            f'[site]\nid = "test"\n[store]\npath = "{place}"\n{limits}[control]\nsocket = "t.sock"\n'
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n[log]\nformat = "text"\n'
            f'[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{self.udp}"\n{more}'
        )

    def start(self, *, wait: bool = True) -> None:
        """Start the daemon; with `wait`, return when it is ready."""
        log = (self.folder / "log.txt").open("ab")
        command = [sys.executable, "-m", "torhaus", "run", "--config", str(self.config)]
        env = os.environ | self.environment
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode
        self.process = subprocess.Popen(command, stderr=log, stdout=log, cwd="/", env=env)
        log.close()
        if wait:
            wait_for(self.ready, f"ready; log: {(self.folder / 'log.txt').read_text()[-2000:]}", START_S)

    def ready(self) -> bool:
        """Whether /readyz says so."""
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log.txt").read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def get(self, path: str) -> bytes:
        """A page of the running daemon."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=5) as answer:
            body: bytes = answer.read()
            return body

    def status(self) -> dict[str, Any]:
        """/healthz."""
        found: dict[str, Any] = json.loads(self.get("/healthz"))
        return found

    def kill(self) -> None:
        """kill -9, at once."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=20)

    def torhaus(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command of the command line on this site."""
        config = [] if args[0] == "decode" else ["--config", str(self.config)]
        command = [sys.executable, "-m", "torhaus", *args, *config]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")

    def log(self) -> str:
        """What the daemon wrote."""
        return (self.folder / "log.txt").read_text()


@contextlib.contextmanager
def running(site: Site, *, start: bool = True) -> Iterator[Site]:
    """The site, stopped whatever happens."""
    if start:
        site.start()
    try:
        yield site
    finally:
        if site.process is not None and site.process.poll() is None:
            site.process.kill()
            site.process.wait()


def mqtt_forwarder(port: int, more: str = "") -> str:
    """A `[[forwarder]]` to a broker on loopback."""
    return (
        f'[[forwarder]]\nname = "broker"\ntype = "mqtt"\nurl = "mqtt://127.0.0.1:{port}"\n'
        f"backfill_per_s = 50000\n{more}"
    )


class Subscriber:
    """Everything that a broker hands out, QoS 1, in a session that survives; `bodies` in order of arrival."""

    def __init__(self, port: int, topic: str = "torhaus/+/+/+") -> None:
        self.bodies: list[dict[str, Any]] = []
        self.topics: list[str] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test-subscriber", clean_session=False)
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.reconnect_delay_set(1, 1)
        self._subscribed = False
        self._client.on_subscribe = self._on_subscribe
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed = True

    def wait_subscribed(self) -> None:
        """Return when the broker has the subscription."""
        wait_for(lambda: self._subscribed, "subscribed")

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self.topics.append(message.topic)
        self.bodies.append(json.loads(message.payload))

    def ids(self) -> list[str]:
        """Record ids in order of arrival."""
        return [b["id"] for b in self.bodies]

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def subscriber(port: int, topic: str = "torhaus/+/+/+", *, wait: bool = True) -> Iterator[Subscriber]:
    """A subscriber that is there."""
    found = Subscriber(port, topic)
    try:
        if wait:
            found.wait_subscribed()
        yield found
    finally:
        found.close()


class Air:
    """Gateways and sensors, and what was acknowledged: (device, counter) in order."""

    def __init__(self, site: Site, sensors: Sequence[Sensor], gateways: int = 4) -> None:
        self._site = site
        self.sensors = sensors
        self.gateways = [SimulatedGateway(f"aa555a00000001{n:02x}", 1 + n % 2) for n in range(gateways)]
        self.sent: list[tuple[str, int]] = []
        self.acked: set[tuple[str, int]] = set()

    async def __aenter__(self) -> Self:
        """Bind the gateways' sockets."""
        for gateway in self.gateways:
            await gateway.open("127.0.0.1", self._site.udp)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        for gateway in self.gateways:
            gateway.close()
        await asyncio.sleep(0)

    async def send(self, gateway: int, sensor: Sensor, timeout_s: float = 5.0) -> bool:
        """One uplink through one gateway; whether it was acknowledged."""
        key = (sensor.name, sensor.fcnt)
        self.sent.append(key)
        ok = await self.gateways[gateway % len(self.gateways)].push_acked([sensor.uplink()], timeout_s)
        if ok:
            self.acked.add(key)
        return ok


def keys_of(bodies: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """(device, counter) of readings, in order of arrival."""
    return [(b["device"], b["lora"]["fcnt"]) for b in bodies if b["kind"] == "reading" and "lora" in b]


def is_up(url: str) -> bool:
    """Whether something answers there."""
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
