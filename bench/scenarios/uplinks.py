"""Uplinks durable end to end: GWMP in, MIC, decryption, codec, commit, MQTT QoS 1 acknowledged by mosquitto.

Measured from the first datagram to the arrival of the last record at a subscriber. The bare path is the same job by the
smallest program that does it (bench/bare_path.py): what it costs shows what torhaus's features cost.
"""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.frames import Traffic
from bench.oracle import TORHAUS
from bench.processes import ROOT, Worker, end, folder, free_port, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.site import MIB, Daemon, Mosquitto
from bench.usage import memory_bytes, usage

PATIENCE_S = 600.0
PAUSE_S = 0.002
"""How often the oracle looks where throughput is measured."""


def window(traffic: Traffic) -> int:
    """Datagrams under way: some 4,000 uplinks, as dozens of busy gateways have within a commit window."""
    return max(100, 4000 // traffic.per_datagram) if traffic.per_datagram > 1 else 2000


def drive(traffic: Traffic, udp: int, oracle: Worker) -> dict[str, Any]:
    """Send everything, wait until everything acknowledged has arrived. Raises BenchError when it does not."""
    generator = Worker("load", udp, traffic.file(), 0, window(traffic))
    try:
        began_at = time.time()
        generator.say("go")
        sent: dict[str, Any] = json.loads(generator.read())
    finally:
        generator.close()
    wanted = min(traffic.count, sent["acked"] * traffic.per_datagram)
    wait_until(lambda: oracle.ask("state")["unique"] >= wanted, f"{wanted} records at the broker", PATIENCE_S)
    return sent | {"began_at": began_at}


def outcome(traffic: Traffic, sent: dict[str, Any], seen: dict[str, Any]) -> Figures:
    """What is the same for every program that does this job."""
    return {
        "uplinks": float(seen["unique"]),
        "uplinks_per_s": seen["unique"] / (seen["last_at"] - sent["began_at"]),
        "lost": float(traffic.count - seen["unique"]),
        "repeats": float(seen["repeats"]),
        "late": float(seen["late"]),
        "generator_us": sent["cpu_s"] / traffic.count * 1e6,
    }


def throughput(plan: Plan, name: str, traffic: Traffic, codec: str | None = "elsys") -> Figures:
    """One run of the real daemon."""
    traffic.file()
    with folder() as place, Mosquitto(place) as broker, Daemon(place, traffic.devices, broker.port, codec) as daemon:
        ready = daemon.start()
        oracle = Worker("oracle", broker.port, traffic.count, traffic.devices, TORHAUS, PAUSE_S)
        try:
            wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
            daemon.profile(plan, name)
            before = daemon.usage()
            sent = drive(traffic, daemon.udp, oracle)
            seen = oracle.ask("state")
            figures = outcome(traffic, sent, seen) | daemon.costs(before, traffic.count)
        finally:
            oracle.close()
        accepted = daemon.metric("torhaus_forwarder_accepted_records_total")
        if accepted < seen["unique"]:
            raise BenchError(f"{accepted:.0f} proved, {seen['unique']} arrived")
        return figures | {"ready_s": ready}


def bare(traffic: Traffic) -> Figures:
    """The same job by the smallest program that does it."""
    traffic.file()
    with folder() as place, Mosquitto(place) as broker:
        oracle = Worker("oracle", broker.port, traffic.count, traffic.devices, TORHAUS, PAUSE_S)
        udp = free_port(socket.SOCK_DGRAM)
        process = _start_bare(place, udp, broker.port, traffic.devices)
        try:
            before = usage(process.pid, place)
            sent = drive(traffic, udp, oracle)
            used = usage(process.pid, place).since(before)
            return outcome(traffic, sent, oracle.ask("state")) | {
                "cpu_us": used.cpu_s / traffic.count * 1e6,
                "cpu_loop_us": used.loop_s / traffic.count * 1e6,
                "cpu_threads_us": used.threads_s / traffic.count * 1e6,
                "rss_mib": memory_bytes(process.pid) / MIB,
                "written_bytes": used.written_bytes / traffic.count,
                "disk_flushes": float(used.flushes),
            }
        finally:
            end(process)
            oracle.close()


def _start_bare(place: Path, udp: int, broker: int, devices: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.bare_path", str(udp), str(broker), str(place / "log.db"), str(devices)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        end(process)
        raise BenchError("the bare path did not start")
    return process
