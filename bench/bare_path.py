"""The bare path: the smallest program that does the readings' job without features, as fast as we know how.

    python -m bench.bare_path UDP_PORT BROKER_PORT FILE DEVICES

UDP, GWMP, MIC, decryption, the Elsys codec, one packed SQLite row per commit with `synchronous=FULL`, PUSH_ACK when
that is on disk, the same JSON, MQTT 5 QoS 1 with pipelined PUBACKs, uvloop. It has what the promise needs and nothing
more: no backlog, no restart, no checks of what a hostile sender might do, no metrics, no counters that survive.
"""

import asyncio
import gc
import os
import queue
import socket
import sqlite3
import struct
import sys
import threading
import time
from base64 import b64decode
from binascii import crc32
from collections import deque
from typing import Any, Final

import msgspec
import uvloop
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from torhaus.codecs.model import Reception
from torhaus.codecs.payload import elsys
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.mqtt import wire
from torhaus.daemon.outbox.record import Lora

WINDOW_S: Final = 0.02
HEAD: Final = struct.Struct("<BIBH")  # MHDR, DevAddr, FCtrl, FCnt
B0: Final = struct.Struct("<B4xBIIxB")
A1: Final = struct.Struct("<B4xBIIxB")
ROW: Final = struct.Struct("<IIq")
MAX_IN_FLIGHT: Final = 60_000


class Rxpk(msgspec.Struct, gc=False):
    data: str
    freq: float
    datr: str
    codr: str
    rssi: float
    lsnr: float
    tmst: int
    chan: int
    rfch: int
    stat: int


class Push(msgspec.Struct, gc=False):
    rxpk: list[Rxpk]


class Device:
    __slots__ = ("ecb", "eui", "fcnt", "mac", "name")

    def __init__(self, index: int) -> None:
        sensor = Sensor(index)
        self.name, self.eui, self.fcnt = sensor.name, sensor.dev_eui, -1
        self.mac = CMAC(algorithms.AES(sensor.nwk_s_key))
        self.ecb = Cipher(algorithms.AES(sensor.app_s_key), modes.ECB()).encryptor()


decode_push: Final = msgspec.json.Decoder(Push).decode
pack_body: Final = msgspec.msgpack.Encoder().encode
json_body: Final = msgspec.json.Encoder().encode
Waiting = list[tuple[bytes, Any, list[Message]]]


class Bare(asyncio.DatagramProtocol):
    """Everything on the event loop but the commit."""

    def __init__(self, path: str, devices: int) -> None:
        self.devices = {0x01000000 + i: Device(i) for i in range(devices)}
        self.loop = asyncio.get_running_loop()
        self.waiting: Waiting = []
        self.busy = self.armed = False
        self.began = 0.0
        self.seq = 0
        self.jobs: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self.outgoing: deque[Message] = deque()
        self.in_flight = self.packet_id = 0
        self.mqtt: Any = None
        threading.Thread(target=self.write, args=(path,), daemon=True).start()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.udp: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if data[3] != 0:
            return
        wall_ns = time.time_ns()
        gateway = data[4:12].hex()
        messages = [self.uplink(r, gateway, wall_ns) for r in decode_push(memoryview(data)[12:]).rxpk]
        self.waiting.append((data[:3] + b"\1", addr, messages))
        if not self.busy and not self.armed:
            self.armed = True
            self.loop.call_at(max(self.began + WINDOW_S, self.loop.time()), self.commit)

    def uplink(self, r: Rxpk, gateway: str, wall_ns: int) -> Message:
        phy = b64decode(r.data)
        _, addr, fctrl, fcnt16 = HEAD.unpack_from(phy)
        device = self.devices[addr]
        fcnt = device.fcnt + 1 + ((fcnt16 - device.fcnt - 1) & 0xFFFF)
        mac = device.mac.copy()
        mac.update(B0.pack(0x49, 0, addr, fcnt, len(phy) - 4) + phy[:-4])
        if mac.finalize()[:4] != phy[-4:]:
            raise ValueError("MIC")
        device.fcnt = fcnt
        at = 8 + (fctrl & 15)
        body = phy[at + 1 : -4]
        blocks = b"".join([A1.pack(1, 0, addr, fcnt, i) for i in range(1, (len(body) + 15) // 16 + 1)])
        size = len(body)
        stream = device.ecb.update(blocks)[:size]
        payload = (int.from_bytes(body, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
        rx = Reception(gateway, r.rssi, r.lsnr, None, r.chan, r.rfch, tmst_us=r.tmst, crc=r.stat)
        lora = Lora(
            round(r.freq * 1e6), "LORA", r.datr, r.codr, 5, f"{addr:08x}", fcnt, phy[at], confirmed=False, rx=[rx]
        )
        fields = elsys.decode(payload, phy[at])
        self.seq += 1
        return Message(
            f"bench/00000000/{self.seq}",
            "reading",
            "bench",
            rfc3339(wall_ns),
            "unsynced",
            False,
            device.name,
            device.eui,
            "radio",
            "elsys",
            fields,
            lora=lora,
            raw=phy,
        )

    def commit(self) -> None:
        self.armed, self.busy, self.began = False, True, self.loop.time()
        batch, self.waiting = self.waiting, []
        self.jobs.put(batch)

    def write(self, path: str) -> None:
        """The writer thread."""
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE batch (first INTEGER PRIMARY KEY, n INTEGER, data BLOB)")
        first = 0
        while True:
            batch = self.jobs.get()
            parts: list[bytes] = []
            n = 0
            for _, _, messages in batch:
                for m in messages:
                    body = pack_body(m)
                    parts += (ROW.pack(len(body), crc32(body), first + n), body)
                    n += 1
            db.execute("INSERT INTO batch VALUES (?, ?, ?)", (first, n, b"".join(parts)))
            first += n
            self.loop.call_soon_threadsafe(self.committed, batch)

    def committed(self, batch: Waiting) -> None:
        self.busy = False
        for ack, addr, messages in batch:
            self.udp.sendto(ack, addr)
            self.outgoing += messages
        if self.waiting and not self.armed:
            self.armed = True
            self.loop.call_at(max(self.began + WINDOW_S, self.loop.time()), self.commit)
        self.pump()

    def pump(self) -> None:
        parts = []
        while self.outgoing and self.in_flight < MAX_IN_FLIGHT:
            m = self.outgoing.popleft()
            self.packet_id = self.packet_id % 65_535 + 1
            self.in_flight += 1
            late = "1" if m.late else "0"
            parts.append(
                wire.encode_publish(
                    f"torhaus/bench/{m.device}/reading",
                    json_body(m),
                    self.packet_id,
                    content_type="application/json",
                    utf8=True,
                    user_properties=[("id", m.id), ("late", late)],
                )
            )
        if parts:
            self.mqtt.write(b"".join(parts))


class Link(asyncio.Protocol):
    """The broker's answers."""

    def __init__(self, bare: Bare) -> None:
        self.bare = bare
        self.decoder = wire.Decoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.bare.mqtt = transport
        self.bare.mqtt.write(wire.encode(wire.ConnectPacket("bare", keep_alive=0)))

    def data_received(self, data: bytes) -> None:
        for packet in self.decoder.feed(data):
            if type(packet) is wire.PubAck:
                self.bare.in_flight -= 1
            else:
                print("ready", flush=True)
        self.bare.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        os._exit(1)


async def main() -> None:
    udp, broker, path, devices = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    loop = asyncio.get_running_loop()
    bare = Bare(path, devices)
    transport, _ = await loop.create_datagram_endpoint(lambda: bare, local_addr=("127.0.0.1", udp))
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    gc.freeze()
    await loop.create_connection(lambda: Link(bare), "127.0.0.1", broker)
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.setswitchinterval(0.001)
    uvloop.run(main())
