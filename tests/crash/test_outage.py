"""The broker is away while records come in, for long: memory stays, and afterwards new ones do not wait for the old."""

import asyncio
import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.crash.load import BROKER, Load, sensors
from tests.e2e.site import Site, mqtt_forwarder, running, wait_for
from tests.peers import free_port, mosquitto, program
from torhaus.daemon.demo.sensors import Sensor

RECORDS_LONG = 2_000_000
RECORDS_SHORT = 30_000
GATEWAYS = 16
FRAMES = 40
MORE_BYTES = 20 << 20
"""So much more memory than at rest the daemon may have, however long the backlog."""
LIVE = "live"


class Radio(msgspec.Struct):
    fcnt: int


class Body(msgspec.Struct):
    id: str
    device: str
    late: bool
    lora: Radio


class Receiver:
    """What a subscriber gets, counted by device and counter; `live` has the number of late ones seen before each."""

    def __init__(self, port: int, known: list[Sensor], most: int) -> None:
        self.late = 0
        self.total = 0
        self.got = {s.name: bytearray(most) for s in known}
        self.live: dict[int, tuple[int, float]] = {}
        command = [program("mosquitto_sub"), "-p", str(port), "-h", "127.0.0.1", "-q", "1", "-t", "torhaus/+/+/+"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        decode = msgspec.json.Decoder(Body).decode
        decode_many = msgspec.json.Decoder(list[Body]).decode
        assert self.process.stdout is not None
        for line in self.process.stdout:
            for body in decode_many(line) if line.startswith(b"[") else (decode(line),):
                self.total += 1
                self.late += body.late
                if body.device == LIVE:
                    self.live.setdefault(body.lora.fcnt, (self.late, time.monotonic()))
                else:
                    self.got[body.device][body.lora.fcnt] = 1

    def close(self) -> None:
        self.process.terminate()
        self._thread.join()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def receiver(port: int, known: list[Sensor], most: int) -> Iterator[Receiver]:
    found = Receiver(port, known, most)
    try:
        yield found
    finally:
        found.close()


def rss_bytes(site: Site) -> int:
    assert site.process is not None
    text = Path(f"/proc/{site.process.pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("VmRSS"))


async def send_many(load: Load, known: list[Sensor], each: int) -> None:
    """So many uplinks of every sensor, as fast as they are acknowledged; each is repeated until it is."""

    async def one(n: int) -> None:
        mine = known[n::GATEWAYS]
        for _ in range(each):
            for at in range(0, len(mine), FRAMES):
                assert await load.push(n, mine[at : at + FRAMES], 30.0), "no acknowledgement in 30 s"

    await asyncio.gather(*(one(n) for n in range(GATEWAYS)))


def tell(**figures: float) -> None:
    """For a person who reads along (`make test-crash`)."""
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}), flush=True)  # noqa: T201


@pytest.mark.parametrize(
    ("records", "per_s"),
    [
        pytest.param(RECORDS_SHORT, 6_000, id="short"),
        pytest.param(RECORDS_LONG, 100_000, marks=[pytest.mark.crash, pytest.mark.timeout(3600)], id="long"),
    ],
)
def test_memory_stays_and_new_records_do_not_wait_for_the_backlog(tmp_path: Path, records: int, per_s: int) -> None:
    known = sensors(GATEWAYS * FRAMES)
    live = Sensor(100_000, name=LIVE)
    each = records // len(known)
    port = free_port()
    forwarder = mqtt_forwarder(port).replace("backfill_per_s = 50000", f"backfill_per_s = {per_s}")
    with running(Site(tmp_path, [*known, live], forwarder)) as site:

        async def fill() -> None:
            async with Load(site, known, gateways=GATEWAYS) as load:
                await send_many(load, known, 1)
                rest = rss_bytes(site)
                began = time.monotonic()
                await send_many(load, known, each - 1)
                seconds = time.monotonic() - began
                more = rss_bytes(site) - rest
                tell(records=records, taken_per_s=records / seconds, rest_mb=rest / 1e6, more_mb=more / 1e6)
                assert more <= MORE_BYTES

        asyncio.run(fill())
        assert site.status()["forwarders"]["broker"]["backlog"] == each * len(known)
        assert site.stop() == 0
        began = time.monotonic()
        site.start()
        tell(ready_after_s=time.monotonic() - began)
        rest = rss_bytes(site)
        with (
            mosquitto(tmp_path, BROKER, "max_inflight_messages 1000", port=port),
            receiver(port, known, each) as got,
        ):
            wait_for(lambda: got.late > 0, "the backlog begins to arrive")
            began, first = time.monotonic(), got.late
            sent: dict[int, float] = {}

            async def send_live() -> None:
                async with Load(site, [live], gateways=1) as load:
                    while got.late < records * 0.8:
                        n = live.fcnt
                        assert await load.push(0, [live], 30.0)
                        sent[n] = time.monotonic()
                        await asyncio.sleep(0.2)

            asyncio.run(send_live())
            seconds = time.monotonic() - began
            drained = got.late - first
            wait_for(lambda: sum(map(sum, got.got.values())) == each * len(known), "all arrived", 600)
            wait_for(lambda: got.live.keys() >= sent.keys(), "the new ones, too")
            more = rss_bytes(site) - rest
        tell(
            drained_per_s=drained / seconds,
            live_latest_s=max(got.live[n][1] - at for n, at in sent.items()),
            live_records=len(sent),
            more_mb=more / 1e6,
        )
        assert more <= MORE_BYTES
        assert sent
        overtaken = [n for n in sent if got.live[n][0] < each * len(known) * 0.95]
        assert len(overtaken) == len(sent), "new records waited for the backlog"
        assert site.stop() == 0
