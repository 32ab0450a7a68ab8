"""The daemon between a packet forwarder and another network server: up, through an outage and a restart, and down."""

import asyncio
import json
import socket
from base64 import b64encode
from pathlib import Path

from tests.daemon.gwmp_server import GATEWAY, GwmpServer
from tests.daemon.home import Home, running, udp_port, until
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_tx_ack, parse_pull_resp


def data(fcnt: int, net: int = 0x26) -> bytes:
    return b"\x40\x34\x12\x01" + bytes([net, 0]) + fcnt.to_bytes(2, "little") + b"\x05abcmic!"


class PacketForwarder:
    """A gateway's socket."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect(("127.0.0.1", port))
        self.tmst = 100

    def send(self, kind: int, body: bytes = b"") -> None:
        self.sock.send(b"\2ab" + bytes([kind]) + bytes.fromhex(GATEWAY) + body)

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, 4096)

    async def push(self, *phys: bytes) -> None:
        rxpk = []
        for phy in phys:
            self.tmst += 1_000_000
            radio = {
                "freq": 868.1,
                "modu": "LORA",
                "datr": "SF7BW125",
                "codr": "4/5",
                "rssi": -90,
                "lsnr": 7.5,
                "stat": 1,
            }
            rxpk.append({**radio, "tmst": self.tmst, "data": b64encode(phy).decode(), "size": len(phy)})
        self.send(0, json.dumps({"rxpk": rxpk}).encode())
        assert await self.receive() == b"\2ab\1"


def test_nothing_is_lost_and_downlinks_come_back(tmp_path: Path) -> None:
    port, theirs = udp_port(), udp_port()
    home = Home(
        tmp_path,
        f'[[driver]]\nname = "radio"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{port}"\n'
        f'[[forwarder]]\nname = "tts"\ntype = "gwmp"\nserver = "127.0.0.1:{theirs}"\nack_timeout_s = 0.5\n'
        f'[forwarder.filter]\ndev_addrs = ["26000000/8"]\ngateways = ["{GATEWAY}"]\n',
    )

    async def without_the_server() -> None:
        app = home.app()
        async with running(app):
            gateway = PacketForwarder(port)
            await gateway.push(data(1), data(1, net=0xFE), data(2))
            await until(lambda: app.runners["tts"][1].backlog() == 2)  # the other network's was not kept for it
            assert app.outbox.logs["relay"].records == 2
            gateway.sock.close()

    async def with_it() -> None:
        server = GwmpServer()
        server.port = theirs
        app = home.app()
        async with server, running(app):
            await until(lambda: len(server.phys) == 2)
            assert server.phys == [data(1), data(2)]
            gateway = PacketForwarder(port)
            gateway.send(2)
            assert await gateway.receive() == b"\2ab\4"
            await gateway.push(data(3))
            await until(lambda: len(server.phys) == 3)
            assert server.rxpk[-1]["tmst"] == gateway.tmst
            tx = Txpk(
                data=b"\x60answer!!",
                freq_hz=868_100_000,
                modulation="LORA",
                datarate="SF7BW125",
                coderate="4/5",
                tmst_us=gateway.tmst + 1_000_000,
                invert_polarization=True,
            )
            server.ask(GATEWAY, tx, b"xy")
            asked = parse_pull_resp(await gateway.receive())
            assert (asked.txpk.data, asked.txpk.tmst_us) == (tx.data, tx.tmst_us)
            gateway.sock.send(build_tx_ack(asked.token, GATEWAY, TxAck()))
            await until(lambda: server.acks)
            assert server.acks == [(GATEWAY, b"xy", TxAck())]
            await until(lambda: app.runners["tts"][1].backlog() == 0)
            gateway.sock.close()

    async def go() -> None:
        async with asyncio.timeout(30):
            await without_the_server()
            await with_it()

    asyncio.run(go())
