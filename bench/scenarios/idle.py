"""What it costs to be there, and to be looked at: keep-alives of gateways and nothing else; scrapes of the metrics."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.frames import Traffic
from bench.load import quantile
from bench.processes import Worker, folder, wait_until
from bench.scenario import Figures
from bench.scenarios.uplinks import drive
from bench.site import Daemon, Mosquitto

PULL_EVERY_S = 5.0


def idle(devices: int, gateways: int, seconds: float) -> Figures:
    """Gateways that only send PULL_DATA, each every five seconds, as packet forwarders do by default."""
    with folder() as place, Mosquitto(place) as broker, Daemon(place, devices, broker.port) as daemon:
        ready_s = daemon.start()
        wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", daemon.udp))
        pulls = [b"\2\x5a\x5a\2" + bytes.fromhex(f"aa555a00000{g:05x}") for g in range(gateways)]
        time.sleep(2)  # what the start has left to do
        before, began = daemon.usage(), time.monotonic()
        n = 0
        while (now := time.monotonic() - began) < seconds:
            while n < now / PULL_EVERY_S * gateways:
                sock.send(pulls[n % gateways])
                n += 1
            time.sleep(0.02)
        used = daemon.usage().since(before)
        sock.close()
        return {
            "busy_percent": used.cpu_s / seconds * 100,
            "rss_mib": daemon.rss_mib(),
            "written_bytes_per_hour": used.written_bytes / seconds * 3600,
            "disk_flushes": float(used.flushes),
            "ready_s": ready_s,
        }


@contextmanager
def all_heard(devices: int) -> Iterator[Daemon]:
    """A daemon that has just heard every one of its devices, once."""
    traffic = Traffic(devices, devices, 50)
    traffic.file()
    with folder() as place, Mosquitto(place) as broker, Daemon(place, devices, broker.port) as daemon:
        daemon.start()
        oracle = Worker("oracle", broker.port, traffic.count, devices)
        try:
            wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
            drive(traffic, daemon.udp, oracle)
        finally:
            oracle.close()
        yield daemon


def scrape(devices: int, scrapes: int = 50) -> Figures:
    """/metrics after every device has been heard."""
    with all_heard(devices) as daemon:
        return looked("scrape", daemon, lambda: len(daemon.scrape()), scrapes)


def looked(what: str, daemon: Daemon, look: Callable[[], int], looks: int) -> Figures:
    """What so many looks cost, each after the other. `look` gives the size of what it saw."""
    took = []
    before = daemon.usage()
    for _ in range(looks):
        began = time.perf_counter()
        size = look()
        took.append(time.perf_counter() - began)
    used = daemon.usage().since(before)
    took.sort()
    return {
        f"{what}_cpu_ms": used.cpu_s / looks * 1e3,
        f"{what}_p50_ms": quantile(took, 0.5) * 1e3,
        f"{what}_worst_ms": took[-1] * 1e3,
        "page_kib": size / 1024,
    }
