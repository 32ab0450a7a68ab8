"""Publishes numbered readings at QoS 1 as fast as the broker acknowledges: what the peers are fed with.

    python -m bench.publisher PORT COUNT [TOPIC [WINDOW]]

Readings are those of the simulated room sensor as torhaus sends them, decoded, with the number as `n` in front: the
peers have neither LoRaWAN nor codec, so their job is the smaller one. Says `ready`, begins when given a line, reports.
"""

import json
import sys
import time
from typing import Final

import msgspec

from bench import backlog
from bench.oracle import connect
from torhaus.codecs.model import Stamp
from torhaus.daemon.forward.render import render
from torhaus.daemon.mqtt import wire
from torhaus.daemon.outbox.record import Stored

TOPIC: Final = "in/{device}"
DEVICES: Final = 200
"""Round robin: no device has two readings in one millisecond, which thingsboard-gateway would make one of."""
_READ_BYTES: Final = 1 << 18


def reading(number: int) -> tuple[str, bytes]:
    """Device and body of one."""
    record = backlog.record(number, DEVICES)
    stored = Stored(number, "00000000", number, "", Stamp(time.time_ns(), 0, synced=True), record)
    body = msgspec.json.encode(render(stored, backlog.SITE, {}, kind="reading", late=False))
    return str(record.device), b'{"n":%d,' % number + body[1:]


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    topic = sys.argv[3] if len(sys.argv) > 3 else TOPIC
    window = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
    packets = []
    for n in range(count):
        device, body = reading(n)
        packets.append(wire.encode_publish(topic.format(device=device), body, n % 65_535 + 1))
    sock, decoder = connect(port, "publisher")
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.time(), time.process_time()
    sent = acked = 0
    while acked < count:
        end = min(count, acked + window)
        if sent < end:
            sock.sendall(b"".join(packets[sent:end]))
            sent = end
        acked += sum(type(p) is wire.PubAck for p in decoder.feed(sock.recv(_READ_BYTES)))
    print(
        json.dumps({"acked": acked, "began_at": began, "ended_at": time.time(), "cpu_s": time.process_time() - cpu}),
        flush=True,
    )


if __name__ == "__main__":
    main()
