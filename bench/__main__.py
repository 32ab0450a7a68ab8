"""`make bench`: every scenario, several runs each, the median; a table, and JSON in bench/results/."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.site import Daemon, Mosquitto, folder

Result = dict[str, Any]


def load(daemon: Daemon, **options: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.load", "--port", str(daemon.udp)]
    for key, value in options.items():
        command += [f"--{key.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def fire(process: subprocess.Popen[str]) -> Result:
    out, _ = process.communicate("\n", timeout=600)
    result: Result = json.loads(out)
    return result


def throughput(count: int, devices: int, gateways: int, per_datagram: int) -> Result:
    """Uplinks durable end to end: GWMP in, MIC, decryption, codec, commit, MQTT QoS 1 acknowledged by mosquitto."""
    place = folder()
    broker = Mosquitto(place)
    daemon = Daemon(place, devices, broker.port)
    try:
        ready = daemon.start()
        generator = load(daemon, count=count, devices=devices, gateways=gateways, per_datagram=per_datagram)
        cpu, began = daemon.cpu_s(), time.perf_counter()
        sent = fire(generator)
        while daemon.metric("torhaus_forwarder_accepted_records_total") < sent["acked"] * per_datagram:
            if time.perf_counter() - began > 120:
                accepted = daemon.metric("torhaus_forwarder_accepted_records_total")
                sys.exit(f"bench: {accepted:.0f} arrived of {sent['acked'] * per_datagram} acknowledged")
            time.sleep(0.02)
        took = time.perf_counter() - began
        done = daemon.metric("torhaus_forwarder_accepted_records_total")
        return {
            "uplinks": int(done),
            "lost": count - int(done),
            "uplinks_per_s": done / took,
            "cpu_us_per_uplink": (daemon.cpu_s() - cpu) / done * 1e6,
            "rss_mib": daemon.rss_bytes() / 2**20,
            "written_bytes_per_uplink": daemon.written_bytes() / done,
            "late": int(daemon.metric("torhaus_forwarder_late_records_total")),
            "ready_s": ready,
        }
    finally:
        daemon.stop()
        broker.close()
        shutil.rmtree(place)


def latency(rate: float, seconds: float, devices: int = 200) -> Result:
    """From datagram sent to message at a subscriber, and to PUSH_ACK, at a steady rate."""
    place = folder()
    broker = Mosquitto(place)
    daemon = Daemon(place, devices, broker.port)
    count = int(rate * seconds)
    try:
        daemon.start()
        command = [sys.executable, "-m", "bench.subscriber", str(broker.port), str(count), str(seconds + 10)]
        subscriber = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert subscriber.stdout is not None
        subscriber.stdout.readline()
        cpu = daemon.cpu_s()
        sent = fire(load(daemon, count=count, devices=devices, gateways=4, rate=rate))
        arrived: dict[str, float] = json.loads(subscriber.communicate(timeout=60)[0])
        took = sorted(
            arrived[f"{n % devices}/{n // devices}"] - at
            for n, at in enumerate(sent["sent_at"])
            if f"{n % devices}/{n // devices}" in arrived
        )
        return {
            "uplinks": count,
            "arrived": len(took),
            "p50_ms": took[len(took) // 2] * 1e3,
            "p99_ms": took[int(len(took) * 0.99)] * 1e3,
            "ack_p50_ms": sent["ack_p50_s"] * 1e3,
            "ack_p99_ms": sent["ack_p99_s"] * 1e3,
            "cpu_percent": (daemon.cpu_s() - cpu) / seconds * 100,
            "rss_mib": daemon.rss_bytes() / 2**20,
        }
    finally:
        daemon.stop()
        broker.close()
        shutil.rmtree(place)


def idle(devices: int, seconds: float) -> Result:
    """Nothing to do: what it costs to be there."""
    place = folder()
    broker = Mosquitto(place)
    daemon = Daemon(place, devices, broker.port)
    try:
        ready = daemon.start()
        time.sleep(2)
        cpu = daemon.cpu_s()
        time.sleep(seconds)
        used = daemon.cpu_s() - cpu
        return {"cpu_percent": used / seconds * 100, "rss_mib": daemon.rss_bytes() / 2**20, "ready_s": ready}
    finally:
        daemon.stop()
        broker.close()
        shutil.rmtree(place)


SCENARIOS: dict[str, Any] = {
    "uplinks, 10 gateways, 1 per datagram": lambda n: throughput(n, 1000, 10, 1),
    "uplinks, 50 gateways, 8 per datagram": lambda n: throughput(n, 1000, 50, 8),
    "latency at 75/s": lambda _: latency(75, 20),
    "latency at 1000/s": lambda _: latency(1000, 10),
    "idle, 2000 devices": lambda _: idle(2000, 10),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    args = parser.parse_args()
    machine = {
        "cpu": next(
            (x.split(": ")[1] for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")),
            "?",
        ),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
    results: dict[str, Result] = {}
    for name, run in SCENARIOS.items():
        if args.only not in name:
            continue
        runs = [run(args.records) for _ in range(args.runs)]
        results[name] = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        print(name)
        for key, value in results[name].items():
            print(f"  {key:26} {value:12.4g}" if isinstance(value, float) else f"  {key:26} {value:12}", flush=True)
    target = Path(__file__).parent / "results" / f"local-{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "results": results}, indent=1))
    print(f"written to {target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target}")


if __name__ == "__main__":
    main()
