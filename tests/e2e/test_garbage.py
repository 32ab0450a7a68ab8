"""Hostile datagrams do nothing but count."""

import asyncio
import json
import random
import socket
from functools import partial
from pathlib import Path

from tests.e2e.site import Air, Site, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto
from torhaus.daemon.demo.gateway import push_data
from torhaus.daemon.demo.sensors import Sensor

HEADER = b"\x02\x11\x22\x00" + bytes.fromhex("aa555a00000001ff")


def garbage() -> list[bytes]:
    rng = random.Random(1)
    good = push_data("aa555a00000001ff", 2, 7, [Sensor(999).uplink()])
    found = [b"", b"\x02", b"\x09" * 12, HEADER, HEADER + b"{", HEADER + b"null", HEADER + b'{"rxpk":7}']
    found += [rng.randbytes(n) for n in range(0, 400, 7)]
    found += [good[:n] for n in range(0, len(good), 5)]
    found += [HEADER + b'{"rxpk":[' + b"[" * 50_000, HEADER + b'{"a":' * 10_000]
    template: dict[str, object] = {
        "freq": 868.1,
        "datr": "SF7BW125",
        "modu": "LORA",
        "data": "QP7+/v4AAAABiGwhMU09VQpsOMLvzBx2",
    }
    changes: list[dict[str, object]] = [
        {"datr": -1}, {"datr": 1.5}, {"datr": None}, {"freq": -3}, {"freq": 1e300}, {"tmst": -1}, {"tmst": 1 << 40},
        {"rssi": 1e9}, {"lsnr": "x"}, {"data": "***"}, {"data": "\ud800"}, {"data": ""}, {"data": "A" * 4000},
        {"modu": "FSK"}, {"codr": {}}, {"rsig": [{}, 5]}, {"meta": {"a": {"b": [1] * 1000}}}, {"size": -7}, {"time": 3},
    ]  # fmt: skip
    for change in changes:
        found.append(HEADER + json.dumps({"rxpk": [template | change]}).encode())
    found.append(HEADER + b'{"rxpk":[{"freq":1e999,"datr":"SF7BW125","data":"AA=="}]}')
    found.append(HEADER + b"\xff\xfe" * 30_000)
    return found


def counted_all(site: Site, count: int) -> bool:
    rejects: dict[str, int] = site.status()["rejects"]
    return sum(rejects.values()) >= count


def test_garbage_does_nothing_but_count(tmp_path: Path) -> None:
    known = [Sensor(i) for i in range(2)]
    with (
        mosquitto(tmp_path) as port,
        subscriber(port) as sub,
        running(Site(tmp_path, known, mqtt_forwarder(port))) as site,
    ):
        datagrams = garbage()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for n in range(0, len(datagrams), 5):  # few at a time: the kernel's buffer is small, and each has to count
                for datagram in datagrams[n : n + 5]:
                    s.sendto(datagram[:65_507], ("127.0.0.1", site.udp))
                sent = min(n + 5, len(datagrams))
                wait_for(partial(counted_all, site, sent), f"{sent} were counted")

        async def send() -> None:
            async with Air(site, known, gateways=1) as air:
                # a bad rxpk does not cost its neighbours in the same datagram
                good = push_data(air.gateways[0].eui, 1, 0, [known[0].uplink(), known[1].uplink()])
                body = json.loads(good[12:])
                body["rxpk"].insert(1, body["rxpk"][0] | {"datr": -1})
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.sendto(good[:12] + json.dumps(body).encode(), ("127.0.0.1", site.udp))
                assert await air.send(0, known[0])

        asyncio.run(send())
        wait_for(lambda: len(sub.bodies) >= 3, f"the good ones arrived: {site.status()} {sub.bodies}")
        assert {(b["device"], b["lora"]["fcnt"]) for b in sub.bodies} == {
            ("sensor-0", 0),
            ("sensor-0", 1),
            ("sensor-1", 0),
        }
        status = site.status()
        assert status["ready"]
        assert sum(status["rejects"].values()) == len(datagrams) + 1
        assert "torhaus_defects_total{" not in site.get("/metrics").decode()
        assert "Traceback" not in site.log()
        assert status["logs"]["main"]["records"] == 3
        assert status["logs"]["strangers"]["records"] == len(datagrams) + 1
