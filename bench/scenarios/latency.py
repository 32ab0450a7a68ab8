"""How long a record is under way at a steady rate: from datagram to PUSH_ACK, and to a subscriber at the broker.

The subscriber's time is measured instead of the PUBACK's, which is nobody else's to see: it is one hop further on, so
the figures are upper bounds.
"""

import json
from typing import Any

from bench.frames import Traffic
from bench.load import quantile
from bench.processes import Worker, folder, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.scenarios.uplinks import throughput
from bench.site import Daemon, Mosquitto


def latency(rate_per_s: float, traffic: Traffic) -> Figures:
    """One run."""
    traffic.file()
    with folder() as place, Mosquitto(place) as broker, Daemon(place, traffic.devices, broker.port) as daemon:
        daemon.start()
        oracle = Worker("oracle", broker.port, traffic.count, traffic.devices)
        generator = Worker("load", daemon.udp, traffic.file(), rate_per_s, 60_000)
        try:
            wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
            before = daemon.usage()
            generator.say("go")
            sent: dict[str, Any] = json.loads(generator.read())
            used = daemon.usage().since(before)
            wait_until(lambda: oracle.ask("state")["unique"] >= sent["acked"], "everything has arrived")
            arrived = oracle.ask(f"times 0 {traffic.count}")["at"]
        finally:
            generator.close()
            oracle.close()
        took = sorted(at - sent["sent_at"][n] for n, at in enumerate(arrived) if at)
        if not took:
            raise BenchError("nothing arrived")
        return {
            "rate_per_s": sent["sent"] / sent["seconds"],
            "p50_ms": quantile(took, 0.5) * 1e3,
            "p99_ms": quantile(took, 0.99) * 1e3,
            "worst_ms": took[-1] * 1e3,
            "ack_p50_ms": sent["ack_p50_s"] * 1e3,
            "ack_p99_ms": sent["ack_p99_s"] * 1e3,
            "lost": float(traffic.count - len(took)),
            "busy_percent": used.cpu_s / sent["seconds"] * 100,
            "rss_mib": daemon.rss_mib(),
        }


def at_share_of_maximum(plan: Plan, share: float, seconds: float) -> Figures:
    """At a share of what it can do, which is measured first."""
    most = throughput(plan, "latency/maximum", Traffic(plan.records))["uplinks_per_s"]
    rate_per_s = most * share
    return latency(rate_per_s, Traffic(int(rate_per_s * seconds))) | {"maximum_per_s": most}
