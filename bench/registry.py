"""Every scenario, in the order in which it is run and shown. References come before what is set in ratio to them."""

from functools import partial
from typing import Final

from bench.frames import Traffic
from bench.registry_scans import SCANS
from bench.scenario import Figures, Plan, Scenario
from bench.scenarios import (
    buses,
    decodes,
    idle,
    latency,
    lorawan,
    nats,
    outage,
    page,
    peers,
    relay,
    steps,
    storage,
    store,
    uplinks,
)


def _traffic(plan: Plan, devices: int = 1000, gateways: int = 10, per_datagram: int = 1) -> Traffic:
    return Traffic(plan.records, devices, gateways, per_datagram)


def _uplinks(name: str, title: str, codec: str | None = "elsys", **shape: int) -> partial[Scenario]:
    def run(plan: Plan) -> Figures:
        return uplinks.throughput(plan, name, _traffic(plan, **shape), codec)

    return partial(Scenario, name, title, run, "uplinks_per_s")


def _look(name: str, path: str, title: str) -> partial[Scenario]:
    title = f"one look at the web page, 2,000 devices: {title}"
    run = partial(page.view, path, 2000)
    targets = (f"view_cpu_ms <= {100 if name == 'frames' else 40}", "grown_mib <= 20")
    return partial(Scenario, f"page/{name}", title, lambda _: run(), "view_cpu_ms", targets=targets, runs=1)


SCENARIOS: Final[list[Scenario]] = [
    Scenario(
        "bare",
        "(i) bare path: the same job without features",
        lambda plan: uplinks.bare(_traffic(plan)),
        "uplinks_per_s",
        in_long=True,
    ),
    Scenario(
        "steps",
        "what each step of an uplink costs, without sockets and disk",
        lambda plan: steps.steps(min(plan.records, 50_000), 1000),
        "cpu_us",
    ),
    _uplinks("uplinks/native", "(a) native codec, 10 gateways, 1,000 devices")(
        reference="bare", targets=("uplinks_per_s >= 20000", "ratio >= 0.7", "cpu_us <= 45", "lost <= 0"), in_long=True
    ),
    _uplinks("uplinks/native-1-gateway", "(a) native codec, 1 gateway", gateways=1)(reference="bare", runs=1),
    _uplinks(
        "uplinks/native-50-gateways", "(a) native codec, 50 gateways, 8 frames a datagram", gateways=50, per_datagram=8
    )(reference="bare", runs=1),
    _uplinks("uplinks/100k-devices", "(a) native codec, 100,000 devices", devices=100_000)(
        reference="uplinks/native", targets=("ratio >= 0.833",), runs=1
    ),
    _uplinks("uplinks/script", "(a) decoded by a script", codec="script")(
        reference="bare", targets=("uplinks_per_s >= 12000",)
    ),
    _uplinks("uplinks/relay", "(a) relay only, nothing decoded", codec=None)(reference="bare", runs=1),
    Scenario(
        "nats/uplinks",
        "(a) native codec, to a stream of NATS JetStream on disk",
        lambda plan: nats.throughput(plan, "nats/uplinks"),
        "uplinks_per_s",
        targets=("cpu_us <= 60", "lost <= 0"),
        runs=1,
    ),
    Scenario(
        "nats/drain",
        "(c) outage of the NATS server, drain",
        nats.drain,
        "drained_per_s",
        targets=("grown_mib <= 20", "lost <= 0"),
        runs=1,
    ),
    Scenario(
        "relay/chirpstack-json",
        "frames to ChirpStack's topics, JSON",
        lambda plan: relay.relayed(plan, "json"),
        "frames_per_s",
        runs=1,
    ),
    Scenario(
        "relay/chirpstack-protobuf",
        "frames to ChirpStack's topics, protobuf",
        lambda plan: relay.relayed(plan, "protobuf"),
        "frames_per_s",
        runs=1,
    ),
    Scenario(
        "relay/both-ways",
        "50 downlinks/s beside 75 uplinks/s: command to PULL_RESP, PUSH_DATA to PUSH_ACK",
        lambda _: relay.both_ways(),
        "down_p99_ms",
        targets=("down_p99_ms <= 20", "ack_p99_ms <= 25"),
        runs=1,
    ),
    Scenario(
        "latency/75",
        "(b) latency at 75/s: one busy gateway",
        lambda _: latency.latency(75, Traffic(1500, 200, 4)),
        "p99_ms",
        targets=("p99_ms <= 50", "ack_p99_ms <= 25"),
    ),
    Scenario(
        "latency/1000",
        "(b) latency at 1,000/s",
        lambda _: latency.latency(1000, Traffic(15_000)),
        "p99_ms",
        targets=("p99_ms <= 50",),
        runs=1,
    ),
    Scenario(
        "latency/80-percent",
        "(b) latency at 80 % of maximum",
        lambda plan: latency.at_share_of_maximum(plan, 0.8, 10),
        "p99_ms",
        targets=("p99_ms <= 250",),
        runs=1,
    ),
    Scenario(
        "lorawan/standalone",
        "500 devices join at once through 5 gateways and send confirmed uplinks: answers, less the 0.2 s for copies",
        lambda _: lorawan.standalone(500, 5, 120.0),
        "answer_p99_ms",
        targets=("answer_p99_ms <= 30", "late_percent <= 0.1", "reused_counters <= 0"),
        runs=1,
    ),
    Scenario(
        "outage/near",
        "(c) outage, restart, drain with live records beside",
        lambda plan: outage.outage(plan, "outage/near"),
        "drained_per_s",
        targets=("drained_per_s >= 25000", "live_worst_ms <= 1000", "grown_mib <= 20", "ready_s <= 1", "lost <= 0"),
        runs=1,
        in_long=True,
    ),
    Scenario(
        "outage/far",
        "(c) drain over 100 ms round trips, Receive Maximum 20, 100 records a message",
        lambda plan: outage.outage(Plan(min(plan.records, 200_000)), "outage/far", 0.1, 20, 100),
        "drained_per_s",
        targets=("drained_per_s >= 5000", "live_worst_ms <= 1000", "lost <= 0"),
        runs=1,
    ),
    Scenario(
        "idle",
        "(d) at rest: 50 gateways, 2,000 devices",
        lambda _: idle.idle(2000, 50, 20),
        "busy_percent",
        targets=("busy_percent <= 1", "rss_mib <= 60"),
        runs=1,
    ),
    Scenario(
        "scrape", "(g) one scrape of /metrics, 2,000 devices", lambda _: idle.scrape(2000), "scrape_cpu_ms", runs=1
    ),
    _look("overview", "/", "the first page")(),
    _look("devices", "/devices?page=7", "50 of the devices")(),
    _look("device", "/devices/sensor-1000", "one device with its last frames")(),
    _look("frames", "/frames", "the last 100 frames")(),
    *SCANS,
    Scenario(
        "start/waiting",
        "(h) start with 500,000 records waiting (10 million in the long run)",
        lambda plan: store.start_up(plan.waiting),
        "ready_s",
        targets=("ready_s <= 1",),
        runs=1,
        in_long=True,
    ),
    Scenario(
        "store/10k",
        "outbox: put, read and settle, 10,000 waiting",
        lambda _: store.cost(10_000),
        "cpu_us",
        runs=1,
        in_long=True,
    ),
    Scenario(
        "store/many",
        "outbox: the same with 500,000 waiting (10 million in the long run)",
        lambda plan: store.cost(plan.waiting),
        "cpu_us",
        reference="store/10k",
        targets=("ratio <= 1.3",),
        runs=1,
        in_long=True,
    ),
    Scenario(
        "buses/mbus",
        "(f) 60 wired M-Bus meters every quarter of an hour, 3 of them dead",
        lambda _: buses.mbus_bus(),
        "cpu_us",
        targets=("slots_missed <= 0",),
    ),
    Scenario(
        "buses/modbus",
        "(f) 20 Modbus devices every minute",
        lambda _: buses.modbus_bus(),
        "cpu_us",
        targets=("slots_missed <= 0",),
    ),
    Scenario(
        "decodes/native", "decoding alone: native codec", lambda plan: decodes.native(plan.records), "decodes_per_s"
    ),
    Scenario(
        "decodes/script",
        "decoding alone: script, warm and cold",
        lambda plan: decodes.script(plan.records // 4),
        "decodes_per_s",
        reference="decodes/native",
        targets=("decodes_per_s >= 12000",),
    ),
    Scenario(
        "decodes/hostile",
        "other devices while a script never ends",
        lambda _: decodes.hostile(500),
        "p99_ms",
        targets=("p99_ms <= 50", "native_worst_ms <= 50"),
        runs=1,
    ),
    Scenario(
        "storage/thingsboard",
        "thingsboard-gateway's SQLite storage alone",
        storage.thingsboard,
        "stored_per_s",
        runs=1,
        claim="at least once; rows not fsynced (WAL, NORMAL), put() returns before they are written",
    ),
    Scenario(
        "storage/torhaus",
        "the outbox alone, at the same tests",
        storage.torhaus,
        "stored_per_s",
        reference="storage/thingsboard",
        targets=("lost_on_kill <= 0", "lost_on_time_out <= 0"),
        runs=1,
        claim="at least once; accepted means fsynced, settled means proved",
    ),
    Scenario(
        "peers/thingsboard",
        "thingsboard-gateway 3.8.5: MQTT in, SQLite storage, MQTT uplink (decoded already)",
        peers.thingsboard_gateway,
        "uplinks_per_s",
        reference="uplinks/native",
        targets=("ratio <= 0.1",),
        runs=1,
        claim="at least once meant; a wait that times out counts as delivered",
    ),
    Scenario(
        "peers/node-red",
        "Node-RED 4.1.15: MQTT in, file context, MQTT out (decoded already)",
        peers.node_red_flow,
        "uplinks_per_s",
        reference="uplinks/native",
        runs=1,
        claim="file context is written every 30 s: what came since is lost",
    ),
    Scenario(
        "peers/mosquitto-bridge",
        "mosquitto bridge with persistence (decoded already)",
        peers.mosquitto_bridge,
        "uplinks_per_s",
        reference="uplinks/native",
        runs=1,
        claim="PUBACK before disk; written every 30 minutes and at the end",
    ),
    Scenario(
        "peers/aiomqtt",
        "aiomqtt as client: MQTT out only (decoded already)",
        peers.aiomqtt_client,
        "uplinks_per_s",
        reference="uplinks/native",
        runs=1,
        claim="nothing on disk; each message awaited",
    ),
]
