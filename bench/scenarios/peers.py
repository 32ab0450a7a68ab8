"""What torhaus is compared with: other programs that take in readings and pass them on, seen by the same oracle.

They get readings that are decoded already, at QoS 1 from a broker of their own, and send to another: no LoRaWAN, no
codec. So their job is smaller than torhaus's. What each guarantees is said with its figures (registry.py).
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.oracle import NUMBER
from bench.peers import node_red, thingsboard
from bench.processes import Worker, end, folder
from bench.publisher import DEVICES
from bench.scenario import CHECK_S, BenchError, Figures, Plan
from bench.scenarios.uplinks import PAUSE_S
from bench.site import MIB, Mosquitto
from bench.usage import Usage, memory_bytes, usage

Start = Callable[[Path, int, int], "subprocess.Popen[bytes]"]
PATIENCE_S = 20.0
"""So long without another arrival, and the rest counts as lost."""
WARM_S = 60.0
MOST_RECORDS = 50_000
MOST_SLOW_RECORDS = 10_000
"""The slow ones would take the whole time of a bench."""


def gateway(count: int, start: Start, *, platform: bool = False) -> Figures:
    """A program between two brokers."""
    with folder() as place, Mosquitto(place) as source, Mosquitto(place) as target:
        helpers = [Worker("peers.thingsboard_platform", target.port)] if platform else []
        process = start(place, source.port, target.port)
        try:
            _warm_up(source.port, target.port, process, place)
            return _contest(place, process, source.port, target.port, count)
        finally:
            end(process)
            for helper in helpers:
                helper.close()


def _warm_up(source: int, target: int, process: "subprocess.Popen[bytes]", place: Path) -> None:
    """Until a record of every device has come through: what is done once for each is not what is measured."""
    oracle = Worker("oracle", target, DEVICES, 1, NUMBER)
    deadline = time.monotonic() + WARM_S
    try:
        for wanted in (1, DEVICES):  # the first until it is there: what is sent before the peer subscribes is lost
            _publish(source, wanted)
            while oracle.ask("state")["unique"] < wanted:
                if process.poll() is not None or time.monotonic() > deadline:
                    said = place / "output.txt"
                    text = said.read_text(errors="replace")[-500:] if said.exists() else ""
                    raise BenchError(f"nothing comes through: {text}")
                time.sleep(0.5)
                if wanted == 1:
                    _publish(source, 1)
    finally:
        oracle.close()
    time.sleep(1)  # repeats of the warm-up must not be counted as what follows


def _publish(source: int, count: int) -> None:
    publisher = Worker("publisher", source, count)
    publisher.ask("go")
    publisher.close()


def _contest(place: Path, process: "subprocess.Popen[bytes]", source: int, target: int, count: int) -> Figures:
    oracle = Worker("oracle", target, count, 1, NUMBER, PAUSE_S)
    publisher = Worker("publisher", source, count)
    try:
        before = usage(process.pid, place)
        began_at = time.time()
        publisher.ask("go")
        return _figures(oracle, count, began_at, before, process.pid, place)
    finally:
        publisher.close()
        oracle.close()


def _figures(oracle: Worker, count: int, began_at: float, before: Usage, pid: int, place: Path) -> Figures:
    """When everything has arrived, or nothing more does."""
    seen: dict[str, Any] = oracle.ask("state")
    while seen["unique"] < count and time.time() - max(seen["last_at"], began_at) < PATIENCE_S:
        time.sleep(CHECK_S)
        seen = oracle.ask("state")
    if not seen["unique"]:
        raise BenchError("nothing arrived")
    used = usage(pid, place).since(before)
    return {
        "records": float(seen["unique"]),
        "uplinks_per_s": seen["unique"] / (seen["last_at"] - began_at),
        "lost": float(count - seen["unique"]),
        "repeats": float(seen["repeats"]),
        "cpu_us": used.cpu_s / count * 1e6,
        "rss_mib": memory_bytes(pid) / MIB,
        "written_bytes": used.written_bytes / count,
        "disk_flushes": float(used.flushes),
    }


def thingsboard_gateway(plan: Plan) -> Figures:
    """thingsboard-gateway."""
    return gateway(min(plan.records, MOST_SLOW_RECORDS), thingsboard.start, platform=True)


def node_red_flow(plan: Plan) -> Figures:
    """Node-RED."""
    return gateway(min(plan.records, MOST_RECORDS), node_red.start)


def mosquitto_bridge(plan: Plan) -> Figures:
    """mosquitto with persistence, bridged: the source broker is the peer."""
    count = min(plan.records, MOST_RECORDS)
    with folder() as place, Mosquitto(place) as target:
        data = place / "data"
        data.mkdir()
        more = (
            f"persistence true\npersistence_location {data}/\nconnection up\naddress 127.0.0.1:{target.port}\n"
            "topic # out 1\ncleansession false\nbridge_protocol_version mqttv50\nnotifications false\n"
        )
        # with 0 the bridge would announce a Receive Maximum of 0, which is against the protocol, and be thrown out
        with Mosquitto(place, 1000, more) as source:
            _warm_up(source.port, target.port, source.process, place)
            return _contest(place, source.process, source.port, target.port, count)


def aiomqtt_client(plan: Plan) -> Figures:
    """aiomqtt: publishes what it has in memory."""
    count = min(plan.records, MOST_RECORDS)
    with folder() as place, Mosquitto(place) as target:
        oracle = Worker("oracle", target.port, count, 1, NUMBER, PAUSE_S)
        client = Worker("peers.aiomqtt_client", target.port, count)
        try:
            before = usage(client.process.pid, place)
            client.say("go")
            began_at = json.loads(client.read())["began_at"]
            return _figures(oracle, count, began_at, before, client.process.pid, place)
        finally:
            client.close()
            oracle.close()
