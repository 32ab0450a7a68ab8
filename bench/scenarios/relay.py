"""Frames relayed to a network server, durably, and the way back: command at the broker to PULL_RESP at the gateway."""

import asyncio
import base64
import json
import socket
import time
from contextlib import closing
from typing import Any, Final

import aiomqtt

from bench.frames import Traffic
from bench.load import quantile
from bench.oracle import NUMBER
from bench.processes import Worker, folder, wait_until
from bench.scenario import BenchError, Figures, Plan
from bench.scenarios.uplinks import PATIENCE_S, PAUSE_S, window
from bench.site import Daemon, Mosquitto
from torhaus.codecs.framing.semtech_udp_client import build_pull_data
from torhaus.codecs.framing.semtech_udp_down import TxAck, build_tx_ack, parse_pull_resp

GATEWAY: Final = "aa555a00000000ff"
DOWNLINKS: Final = 500
DOWNLINKS_PER_S: Final = 50.0


def _forwarder(port: int, encoding: str = "json") -> str:
    return (
        f'[[forwarder]]\nname = "lns"\ntype = "chirpstack"\nurl = "mqtt://127.0.0.1:{port}"\nencoding = "{encoding}"\n'
    )


def relayed(plan: Plan, encoding: str) -> Figures:
    """One run: as fast as it is acknowledged, until the broker has acknowledged the last frame."""
    traffic = Traffic(plan.records)
    traffic.file()
    with folder() as place, Mosquitto(place) as broker:
        more = _forwarder(broker.port, encoding)
        with Daemon(place, traffic.devices, None, None, more=more) as daemon:
            daemon.start()
            wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
            # what nobody subscribes to is not accepted: there has to be a server, and this one only listens
            with closing(Worker("oracle", broker.port, traffic.count, traffic.devices, NUMBER, PAUSE_S)):
                before, began = daemon.usage(), time.perf_counter()
                with closing(Worker("load", daemon.udp, traffic.file(), 0, window(traffic))) as generator:
                    generator.say("go")
                    sent: dict[str, Any] = json.loads(generator.read())
                wanted: int = sent["acked"] * traffic.per_datagram

                def is_done() -> bool:
                    accepted: float = daemon.metric("torhaus_forwarder_accepted_records_total")
                    return accepted >= wanted

                wait_until(is_done, f"{wanted} frames at the broker", PATIENCE_S)
                took = time.perf_counter() - began
            return {"frames_per_s": wanted / took, "lost": float(traffic.count - wanted)} | daemon.costs(before, wanted)


def both_ways() -> Figures:
    """Downlinks at a steady rate beside 75 uplinks a second: what each way takes."""
    traffic = Traffic(int(75 * (DOWNLINKS / DOWNLINKS_PER_S + 2)), 200, 1)
    traffic.file()
    with (
        folder() as place,
        Mosquitto(place) as broker,
        Daemon(place, traffic.devices, None, None, more=_forwarder(broker.port)) as daemon,
    ):
        daemon.start()
        wait_until(lambda: daemon.metric("torhaus_forwarder_up"), "the forwarder is connected")
        generator = Worker("load", daemon.udp, traffic.file(), 75, 60_000)
        try:
            generator.say("go")
            took = sorted(asyncio.run(_downlinks(broker.port, daemon.udp)))
            sent: dict[str, Any] = json.loads(generator.read())
        finally:
            generator.close()
    if len(took) < DOWNLINKS:
        raise BenchError(f"{len(took)} of {DOWNLINKS} downlinks came to the gateway")
    return {
        "down_p50_ms": quantile(took, 0.5) * 1e3,
        "down_p99_ms": quantile(took, 0.99) * 1e3,
        "down_worst_ms": took[-1] * 1e3,
        "ack_p50_ms": sent["ack_p50_s"] * 1e3,
        "ack_p99_ms": sent["ack_p99_s"] * 1e3,
    }


async def _downlinks(broker: int, udp: int) -> list[float]:
    """Seconds from the publication of each command to the arrival of its PULL_RESP."""
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.connect(("127.0.0.1", udp))
    with sock:
        sock.send(build_pull_data(b"\0\1", GATEWAY))
        await loop.sock_recv(sock, 2000)
        await asyncio.sleep(1.0)  # until the forwarder has subscribed to what the gateway is told
        topic = f"eu868/gateway/{GATEWAY}/command/down"
        took: list[float] = []
        async with aiomqtt.Client("127.0.0.1", broker) as client:
            for n in range(DOWNLINKS):
                began = time.perf_counter()
                await client.publish(topic, json.dumps(_command(n)))
                async with asyncio.timeout(5):
                    found = parse_pull_resp(await loop.sock_recv(sock, 2000))
                took.append(time.perf_counter() - began)
                sock.send(build_tx_ack(found.token, GATEWAY, TxAck(None, None, None)))
                if n % 100 == 0:
                    sock.send(build_pull_data(b"\0\2", GATEWAY))
                    await loop.sock_recv(sock, 2000)
                await asyncio.sleep(max(0.0, 1 / DOWNLINKS_PER_S - (time.perf_counter() - began)))
    return took


def _command(number: int) -> dict[str, Any]:
    phy = base64.b64encode(b"\x60" + number.to_bytes(12, "little")).decode()
    context = base64.b64encode((1_000_000 * number & 0xFFFFFFFF).to_bytes(4, "big")).decode()
    lora = {"bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5", "polarizationInversion": True}
    tx = {"frequency": 868100000, "power": 14, "modulation": {"lora": lora}, "timing": {"delay": {"delay": "1s"}}}
    return {
        "downlinkId": number + 1,
        "gatewayId": GATEWAY,
        "items": [{"phyPayload": phy, "txInfo": tx | {"context": context}}],
    }
