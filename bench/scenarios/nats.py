"""Uplinks durable to NATS JetStream: GWMP in, commit, a stream on disk; and a backlog drained into it.

Measured by the daemon's own count of what a stream has acknowledged, and checked against what the stream holds.
"""

import json
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Self

from bench.frames import Traffic
from bench.processes import Worker, end, folder, free_port, listens, program, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.scenarios.uplinks import PATIENCE_S, window
from bench.site import Daemon

STREAM: Final = {"name": "BENCH", "subjects": ["torhaus.>"], "storage": "file", "discard": "new", "num_replicas": 1}


class NatsServer:
    """A server of its own on loopback, with JetStream in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._store = folder / "jetstream"
        self.start()
        self.ask("STREAM.CREATE.BENCH", STREAM)

    def start(self) -> None:
        """Start, or start again after `stop`."""
        command = [program("nats-server", "nats-server"), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd"]
        self.process = subprocess.Popen([*command, str(self._store)], stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(self.port), "nats-server listens")

    def stop(self) -> None:
        """End it."""
        end(self.process)

    def ask(self, call: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """A request to JetStream's API. Raises BenchError."""
        body = json.dumps(values).encode() if values else b""
        with socket.create_connection(("127.0.0.1", self.port), 30) as sock, sock.makefile("rb") as lines:
            sock.sendall(b"CONNECT {}\r\nSUB answer 1\r\nPUB $JS.API.%b answer %d\r\n" % (call.encode(), len(body)))
            sock.sendall(body + b"\r\n")
            while not lines.readline().startswith(b"MSG"):
                pass
            answer: dict[str, Any] = json.loads(lines.readline())
        if "error" in answer:
            raise BenchError(f"{call}: {answer['error']}")
        return answer

    def stored(self) -> int:
        """Messages in the stream."""
        count: int = self.ask("STREAM.INFO.BENCH")["state"]["messages"]
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _daemon(place: Path, traffic: Traffic, port: int) -> Daemon:
    more = (
        f'[[forwarder]]\nname = "nats"\ntype = "nats"\nurls = ["nats://127.0.0.1:{port}"]\nexpected_stream = "BENCH"\n'
        'kinds = ["reading", "frame"]\nbackfill_per_s = 1000000\n'
    )
    return Daemon(place, traffic.devices, None, more=more)


def _send(daemon: Daemon, traffic: Traffic) -> int:
    with closing(Worker("load", daemon.udp, traffic.file(), 0, window(traffic))) as generator:
        generator.say("go")
        sent: dict[str, Any] = json.loads(generator.read())
    return min(traffic.count, int(sent["acked"]) * traffic.per_datagram)


def _accepted(daemon: Daemon, wanted: int) -> None:
    def is_done() -> bool:
        accepted: float = daemon.metric("torhaus_forwarder_accepted_records_total")
        return accepted >= wanted

    wait_until(is_done, f"{wanted} records in the stream", PATIENCE_S)


def throughput(plan: Plan, name: str) -> Figures:
    """One run: as fast as it is acknowledged, until the stream has the last record."""
    traffic = Traffic(plan.records)
    traffic.file()
    with folder() as place, NatsServer(place) as server, _daemon(place, traffic, server.port) as daemon:
        daemon.start()
        wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
        daemon.profile(plan, name)
        before, began = daemon.usage(), time.perf_counter()
        wanted = _send(daemon, traffic)
        _accepted(daemon, wanted)
        took = time.perf_counter() - began
        figures = {"uplinks_per_s": wanted / took, "lost": float(wanted - server.stored())}
        return figures | daemon.costs(before, wanted)


def drain(plan: Plan) -> Figures:
    """One run: the server is away while records come in, and comes back."""
    traffic = Traffic(plan.records)
    traffic.file()
    with folder() as place, NatsServer(place) as server, _daemon(place, traffic, server.port) as daemon:
        daemon.start()
        wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
        resting_mib = daemon.rss_mib()
        server.stop()
        wanted = _send(daemon, traffic)
        grown_mib = daemon.rss_mib() - resting_mib
        before = daemon.usage()
        server.start()
        wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected again")
        began = time.perf_counter()
        _accepted(daemon, wanted)
        took = time.perf_counter() - began
        figures = {"drained_per_s": wanted / took, "lost": float(wanted - server.stored()), "grown_mib": grown_mib}
        return figures | daemon.costs(before, wanted)
