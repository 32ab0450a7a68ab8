"""The load generator, in a process of its own: prepared datagrams, sent as fast as they are acknowledged, or paced.

    python -m bench.load PORT FILE [RATE [WINDOW]]

Says `ready`, begins when it is given a line, ends early when it is given another, and reports as one line of JSON. RATE
is in datagrams a second, 0: as fast as acknowledged. WINDOW is how many datagrams may be under way.
"""

import json
import mmap
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench.batches import MOST, Receiver, Sender
from bench.frames import offsets

PATIENCE_S: Final = 5.0
"""So long without an acknowledgement, and what is not acknowledged counts as lost."""
PUSH_ACK: Final = 1


def quantile(values: list[float], q: float) -> float:
    """The value below which a share `q` of sorted values lies; 0 of none."""
    return values[min(len(values) - 1, int(len(values) * q))] if values else 0.0


def run(port: int, path: Path, rate: float, window: int) -> dict[str, Any]:
    """Send all, return what became of it. `sent_at` (wall clock) is only there when paced."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
    sock.connect(("127.0.0.1", port))
    with path.open("rb") as f:
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    starts = offsets(memoryview(data))
    total = len(starts) - 1
    sender, receiver = Sender(sock, data, starts), Receiver(sock)
    print("ready", flush=True)
    sys.stdin.readline()
    began = last = time.monotonic()
    cpu = time.process_time()
    sent_at: list[float] = []
    acks: list[float] = []
    waiting: dict[int, int] = {}
    n = acked = 0
    while acked < total and time.monotonic() - last < PATIENCE_S:
        now = time.monotonic()
        limit = min(total, n + window - (n - acked), int((now - began) * rate) + 1 if rate else total)
        while n < limit:
            count = sender.send(n, min(limit - n, MOST))
            if not count:
                break
            if rate:
                at = time.time()
                sent_at += [at] * count
                waiting.update({i & 0xFFFF: i for i in range(n, n + count)})
            n += count
        readable = select.select([sock, sys.stdin], [], [], 0.0005 if rate else 0.002)[0]
        if sys.stdin in readable:
            total = n  # told to stop
        while sock in readable and (got := list(receiver.receive())):
            last = time.monotonic()
            if not rate:
                acked += sum(answer[3] == PUSH_ACK for answer in got)
                continue
            at = time.time()
            for answer in got:
                i = waiting.pop(int.from_bytes(answer[1:3], "big"), None)
                if answer[3] == PUSH_ACK and i is not None:
                    acked += 1
                    acks.append(at - sent_at[i])
    acks.sort()
    return {
        "sent": n,
        "acked": acked,
        "seconds": last - began,
        "cpu_s": time.process_time() - cpu,
        "sent_at": sent_at,
        "ack_p50_s": quantile(acks, 0.5),
        "ack_p99_s": quantile(acks, 0.99),
    }


def main() -> None:
    port, path, *more = sys.argv[1:]
    rate = float(more[0]) if more else 0.0
    window = int(more[1]) if len(more) > 1 else 2000
    print(json.dumps(run(int(port), Path(path), rate, window)), flush=True)


if __name__ == "__main__":
    main()
