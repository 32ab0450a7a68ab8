"""Orders at a broker reach a device of class A, and their ends reach the centre, also over kill -9."""

import json
import os
import random
import select
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.daemon.delivery_scene import Actor
from tests.e2e.site import Site, Subscriber, mqtt_forwarder, running, subscriber, wait_for
from tests.peers import mosquitto
from torhaus.codecs.framing.semtech_udp import PULL_ACK, PULL_RESP
from torhaus.codecs.framing.semtech_udp_client import build_pull_data, build_push_data
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_tx_ack, parse_pull_resp
from torhaus.codecs.lorawan.phy import DataFrame
from torhaus.codecs.model import Radio, Reception

KILLS = int(os.environ.get("TORHAUS_KILLS", "3"))
EUI = "aa555a0000000101"
TOPIC = "torhaus/test/command/down"
MORE = '[lorawan]\nmode = "standalone"\nnet_id = "000001"\n'
SECONDS = 1.2
"""How long a downlink is waited for: the daemon collects for 0.2 s, and this machine may be busy."""


class Gateway:
    """A packet forwarder with a way down."""

    def __init__(self, site: Site) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", site.udp))
        self.tmst = 1_000_000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Twice, where the first says only that an earlier one came while the daemon was not there."""
        try:
            self.sock.send(data)
        except ConnectionRefusedError:
            self.sock.send(data)

    def pull(self) -> None:
        self.send(build_pull_data(b"\1\2", EUI))
        assert self.take(PULL_ACK) is not None

    def push(self, phy: bytes) -> None:
        self.tmst += 10_000_000
        rx = Reception(EUI, -97, 7.5, tmst_us=self.tmst, crc=1)
        radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [rx])
        self.send(build_push_data(b"\7\7", EUI, [(phy, radio)]))

    def take(self, kind: int, seconds: float = SECONDS) -> bytes | None:
        """The next datagram of a kind; None when none comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.sock], [], [], left)[0]:
                try:
                    data = self.sock.recv(2000)
                except ConnectionRefusedError:  # the daemon is not there
                    continue
                if data[3] == kind:
                    return data
        return None

    def down(self, seconds: float = SECONDS) -> Txpk | None:
        """A downlink, which goes on the air."""
        data = self.take(PULL_RESP, seconds)
        if data is None:
            return None
        found = parse_pull_resp(data)
        self.send(build_tx_ack(found.token, EUI, TxAck()))
        return found.txpk

    def turn(self, it: Actor, seconds: float = SECONDS) -> DataFrame | None:
        """An uplink, and what the device hears after it."""
        self.push(it.say())
        txpk = self.down(seconds)
        if txpk is None:
            return None
        assert txpk.tmst_us == self.tmst + 1_000_000, "RX1"
        return it.listen(txpk.data)


class Centre:
    """Who gives orders."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def order(self, **facts: Any) -> None:
        """Retained, which some do: it must not come again."""
        body = json.dumps({"device": "flur", "fport": 10} | facts)
        self._client.publish(TOPIC, body, qos=1, retain=True).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def site_of(folder: Path, it: Actor, port: int) -> Site:
    kinds = 'kinds = ["reading", "event"]\ncommand_topic = "torhaus/{site}/command/down"\n'
    site = Site(folder, [], MORE + mqtt_forwarder(port, kinds), devices=it.config())
    (folder / "devices.keys.toml").write_text(it.key_table())
    return site


def join(gateway: Gateway, it: Actor) -> None:
    gateway.pull()
    gateway.push(it.ask())
    txpk = gateway.down()
    assert txpk is not None
    assert it.take(txpk.data)


def told(ear: Subscriber) -> list[dict[str, Any]]:
    """Every event of a downlink, each record once."""
    records = {b["id"]: b for b in ear.bodies if "event" in b}
    return [b["event"] for b in records.values() if b["event"].get("event") == "downlink"]


def states(ear: Subscriber, ref: str) -> list[str]:
    return [e["state"] for e in told(ear) if e.get("ref") == ref]


@pytest.mark.parametrize("is_1_1", [True])
def test_from_the_broker_to_the_device_and_back(tmp_path: Path, is_1_1: bool) -> None:
    it = Actor(is_1_1=is_1_1)
    with mosquitto(tmp_path) as port, subscriber(port) as ear:
        centre = Centre(port)
        with running(site_of(tmp_path / "site", it, port)) as site, Gateway(site) as gateway:
            join(gateway, it)
            for _ in range(2):
                centre.order(hex="0102", ref="auf", confirmed=True)
            centre.order(hex="03", ref="port", fport=0)
            wait_for(lambda: states(ear, "auf") == ["queued"], "queued")
            frame = gateway.turn(it)
            assert frame is not None
            assert it.got == [(10, b"\1\2")]
            assert gateway.turn(it, 0.5) is None, "it was acknowledged, and the repeated order was not queued"
            wait_for(lambda: states(ear, "auf") == ["queued", "sent", "acknowledged"], "acknowledged")
            (refused,) = (e for e in told(ear) if e.get("ref") == "port")
            assert (refused["state"], refused["reason"]) == ("refused", "fport")
            shown = site.torhaus("lora", "send", "flur", "--fport", "7", "--hex", "ff")
            assert (shown.returncode, "queued for flur" in shown.stdout) == (0, True), shown.stderr
            assert gateway.turn(it) is not None
            assert it.got[1:] == [(7, b"\xff")]
            shown = site.torhaus("lora", "queue", "--all")
            assert "acknowledged" in shown.stdout
            assert site.stop() == 0
        centre.close()


@pytest.mark.timeout(600)
def test_killed_again_and_again(tmp_path: Path) -> None:
    """No counter twice, nothing acknowledged twice, unconfirmed ones once at most, and every order has an end."""
    rand, it = random.Random(KILLS), Actor(is_1_1=True)
    with mosquitto(tmp_path) as port, subscriber(port) as ear:
        centre = Centre(port)
        with running(site_of(tmp_path / "site", it, port)) as site, Gateway(site) as gateway:
            join(gateway, it)
            for n in range(KILLS):
                centre.order(hex=f"01{n:02x}", ref=f"confirmed-{n}", confirmed=True)
                centre.order(hex=f"02{n:02x}", ref=f"once-{n}")
                for _ in range(rand.randrange(3)):
                    gateway.turn(it)
                gateway.push(it.say())
                txpk = gateway.down(rand.uniform(0, 0.5))
                time.sleep(rand.choice((0, 0, 0.02)))
                site.kill()
                txpk = txpk or gateway.down(0.05)
                if txpk is not None:
                    it.listen(txpk.data)
                site.start()
                gateway.pull()
            ends = {f"confirmed-{n}": "acknowledged" for n in range(KILLS)} | {f"once-{n}": "" for n in range(KILLS)}
            for _ in range(8 * KILLS):
                if all(set(states(ear, ref)) & {"acknowledged", "sent", "failed"} for ref in ends) and it.acks is None:
                    break
                gateway.turn(it, 0.6)
            wait_for(lambda: all(states(ear, f"confirmed-{n}")[-1] == "acknowledged" for n in range(KILLS)), "ends")
            assert site.stop() == 0
        centre.close()
    for n in range(KILLS):
        assert Counter(states(ear, f"confirmed-{n}"))["acknowledged"] == 1
        assert states(ear, f"confirmed-{n}")[0] == "queued"
        assert Counter(states(ear, f"once-{n}")).keys() in ({"queued", "sent"}, {"queued", "failed"})
        assert it.got.count((10, bytes([2, n]))) <= 1
        assert it.got.count((10, bytes([1, n]))) >= 1
    assert len(told(ear)) == len({json.dumps(e, sort_keys=True) for e in told(ear)}), "each step once"
