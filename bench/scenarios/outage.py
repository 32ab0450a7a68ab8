"""The far side is gone while records come in, and comes back: memory, restart, drain, and live records beside.

The outage is the broker's end and new start on the same port; over a far line the daemon connects through a delay
proxy.
"""

import json
from typing import Any

from bench.frames import Traffic
from bench.load import quantile
from bench.processes import Worker, folder, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.scenarios.uplinks import window
from bench.site import Daemon, Mosquitto

PROBES_PER_S = 20
MOST_PROBES = 20_000
PATIENCE_S = 3600.0


def outage(plan: Plan, name: str, round_trip_s: float = 0.0, receive_maximum: int = 0, pack: int = 1) -> Figures:
    """One run: outage, restart of the daemon in the middle of it, drain with live records beside."""
    devices = 1000
    backlog = Traffic(plan.records // devices * devices, devices, 10, 8)
    probes = Traffic(MOST_PROBES, devices, 1, 1, backlog.count)
    backlog.file(), probes.file()
    store = 'max_bytes = "64 GiB"\n'
    with folder() as place, Mosquitto(place, receive_maximum) as broker:
        proxy = Worker("proxy", broker.port, round_trip_s) if round_trip_s else None
        port = int(proxy.read()) if proxy else broker.port
        with Daemon(place, devices, port, store=store, forwarder=f"backlog_pack = {pack}\n") as daemon:
            oracle = Worker("oracle", broker.port, backlog.count + probes.count, devices)
            generator = Worker("load", daemon.udp, probes.file(), PROBES_PER_S)
            try:
                daemon.start()
                wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
                resting_mib = daemon.rss_mib()
                broker.stop()
                sent = _send(daemon, backlog)
                waiting_mib = daemon.rss_mib()
                daemon.stop()
                ready_s = daemon.start()
                daemon.profile(plan, name)
                figures = _drain(daemon, broker, oracle, generator, backlog, sent)
            finally:
                for worker in (generator, oracle, proxy):
                    if worker is not None:
                        worker.close()
        return figures | {
            "ready_s": ready_s,
            "grown_mib": waiting_mib - resting_mib,
        }


def _send(daemon: Daemon, traffic: Traffic) -> int:
    generator = Worker("load", daemon.udp, traffic.file(), 0, window(traffic))
    try:
        generator.say("go")
        sent: dict[str, Any] = json.loads(generator.read())
    finally:
        generator.close()
    return min(traffic.count, int(sent["acked"]) * traffic.per_datagram)


def _drain(
    daemon: Daemon, broker: Mosquitto, oracle: Worker, generator: Worker, backlog: Traffic, stored: int
) -> Figures:
    before = daemon.usage()
    broker.start()
    generator.say("go")

    def state() -> tuple[bool, dict[str, Any]]:
        seen = oracle.ask("state")
        return daemon.process.poll() is not None or seen["unique"] >= stored, seen

    wait_until(lambda: state()[0], "the backlog has arrived", PATIENCE_S)
    generator.say("stop")
    probes: dict[str, Any] = json.loads(generator.read())
    wait_until(lambda: oracle.ask("state")["unique"] >= stored + probes["acked"], "the live records have arrived")
    seen = oracle.ask("state")
    used = daemon.usage().since(before)
    drained = oracle.ask(f"span 0 {backlog.count}")
    at = oracle.ask(f"times {backlog.count} {backlog.count + probes['sent']}")["at"]
    pairs = zip(at, probes["sent_at"], strict=False)
    # those of the time before the daemon was connected again are the outage's, not the drain's
    live = sorted(came - went for came, went in pairs if came and drained["first_at"] <= went <= drained["last_at"])
    if drained["count"] < 2:
        raise BenchError("nothing was drained")
    return {
        "drained": float(drained["count"]),
        "drained_per_s": drained["count"] / (drained["last_at"] - drained["first_at"]),
        "lost": float(backlog.count - drained["count"]),
        "repeats": float(seen["repeats"]),
        "live_p50_ms": quantile(live, 0.5) * 1e3,
        "live_worst_ms": live[-1] * 1e3 if live else 0.0,
        "live_probes": float(len(live)),
        "cpu_us": used.cpu_s / drained["count"] * 1e6,
        "rss_mib": daemon.rss_mib(),
        "peak_mib": daemon.rss_mib("VmHWM"),
    }
