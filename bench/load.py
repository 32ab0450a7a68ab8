"""The load generator, in a process of its own: prepared datagrams, sent as fast as they are acknowledged, or paced."""

import argparse
import json
import select
import socket
import sys
import time

from torhaus.daemon.demo.gateway import push_data
from torhaus.daemon.demo.sensors import Sensor


def prepare(count: int, devices: int, gateways: int, per_datagram: int, first: int = 0) -> list[bytes]:
    """`count` uplinks in datagrams, round robin over devices; gateway g has version 1 or 2."""
    sensors = [Sensor(i) for i in range(devices)]
    for s in sensors:
        s.fcnt = first
    out = []
    for n in range(0, count, per_datagram):
        phys = [sensors[(n + i) % devices].uplink() for i in range(min(per_datagram, count - n))]
        g = (n // per_datagram) % gateways
        out.append(push_data(f"aa555a00000{g:05x}", 1 + g % 2, (n // per_datagram) & 0xFFFF, phys))
    return out


def quantile(values: list[float], q: float) -> float | None:
    return values[min(len(values) - 1, int(len(values) * q))] if values else None


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--count", type=int, required=True)
    p.add_argument("--devices", type=int, default=1000)
    p.add_argument("--gateways", type=int, default=10)
    p.add_argument("--per-datagram", type=int, default=1)
    p.add_argument("--window", type=int, default=2000, help="datagrams under way")
    p.add_argument("--rate", type=float, default=0, help="datagrams per second; 0: as fast as acknowledged")
    p.add_argument("--first", type=int, default=0, help="first frame counter")
    a = p.parse_args()
    datagrams = prepare(a.count, a.devices, a.gateways, a.per_datagram, a.first)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.setblocking(False)
    target = ("127.0.0.1", a.port)
    print("ready", flush=True)
    sys.stdin.readline()
    sent_at = [0.0] * len(datagrams)
    waiting: dict[int, int] = {}
    acks: list[float] = []
    began = time.monotonic()
    n = acked = 0
    last = began
    while acked < len(datagrams) and time.monotonic() - last < 5:
        now = time.monotonic()
        limit = len(datagrams) if not a.rate else min(len(datagrams), int((now - began) * a.rate) + 1)
        while n < limit and n - acked < a.window:
            try:
                s.sendto(datagrams[n], target)
            except BlockingIOError:
                break
            sent_at[n] = time.time()
            waiting[n & 0xFFFF] = n
            n += 1
        wait = 0.0005 if a.rate else 0.002
        if not select.select([s], [], [], wait)[0]:
            continue
        try:
            while True:
                answer = s.recv(16)
                i = waiting.pop(int.from_bytes(answer[1:3], "big"), None)
                if answer[3] == 1 and i is not None:
                    acked += 1
                    acks.append(time.time() - sent_at[i])
                    last = time.monotonic()
        except BlockingIOError:
            pass
    took = time.monotonic() - began
    acks.sort()
    result = {"sent": n, "acked": acked, "seconds": took, "sent_at": sent_at if a.rate else []}
    result |= {"ack_p50_s": quantile(acks, 0.5), "ack_p99_s": quantile(acks, 0.99)}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
