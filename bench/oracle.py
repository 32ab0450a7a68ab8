"""Subscribes to everything at a broker and knows which records arrived: a process of its own, the same for all.

    python -m bench.oracle PORT COUNT DEVICES [PATTERN [PAUSE_S]]

Records are numbered (frames.py). A number is found in the bytes of the connection by PATTERN, a regular expression:
with two groups, device address and counter, as torhaus sends them; with one group the number itself, as the peers are
given it. Messages are not taken apart for it, packed ones hold several: it has to cost little, since it runs on the
same cores. With a PAUSE_S it reads only so often, which spares more and makes times as much less exact.

`state` is answered with counts; `times A B` with the wall clock of the first arrival of each of the numbers from A to B
(0: not arrived); `span A B` with how many of them arrived, and when the first and the last did.
"""

import json
import re
import select
import socket
import sys
import time
from array import array
from typing import Final

from torhaus.daemon.mqtt import wire

TORHAUS: Final = r'"dev_addr":"([0-9a-f]{8})","fcnt":(\d+)[,}]'
NUMBER: Final = r'"n": ?(\d+)[,}]'
LATE: Final = b'"late":true'
LONGEST: Final = 256
"""Bytes that a match may have: so many of the last ones are looked at again when more have come."""
_READ_BYTES: Final = 1 << 20


class Tally:
    """What has arrived."""

    def __init__(self, count: int, devices: int, pattern: str) -> None:
        self.at = array("d", bytes(8 * count))
        self.unique = self.repeats = self.unknown = self.late = self.bytes = 0
        self.first_at = self.last_at = 0.0
        self._devices = devices
        self._find = re.compile(pattern.encode()).finditer
        self._is_pair = re.compile(pattern).groups == 2
        self._rest = b""

    def feed(self, data: bytes, now: float) -> None:
        """The next bytes of the connection."""
        self.bytes += len(data)
        self.late += (self._rest[1 - len(LATE) :] + data).count(LATE)
        data = self._rest + data
        seen = 0
        for found in self._find(data):
            seen = found.end()
            if self._is_pair:
                self._arrived(int(found[2]) * self._devices + (int(found[1], 16) & 0xFFFFFF), now)
            else:
                self._arrived(int(found[1]), now)
        self._rest = data[max(seen, len(data) - LONGEST) :]

    def _arrived(self, number: int, now: float) -> None:
        if number >= len(self.at):
            self.unknown += 1
        elif self.at[number]:
            self.repeats += 1
        else:
            self.at[number] = now
            self.unique += 1
            self.first_at = self.first_at or now
            self.last_at = now

    def state(self) -> dict[str, float]:
        """The counts."""
        names = ("unique", "repeats", "unknown", "late", "bytes", "first_at", "last_at")
        return {name: getattr(self, name) for name in names}

    def span(self, first: int, end: int) -> dict[str, float]:
        """How many of these numbers have arrived, and when the first and the last of them did."""
        arrived = [at for at in self.at[first:end] if at]
        return {"count": len(arrived), "first_at": min(arrived, default=0.0), "last_at": max(arrived, default=0.0)}


def connect(port: int, client_id: str, patience_s: float = 10.0) -> tuple[socket.socket, wire.Decoder]:
    """A connection, once the broker is there. Raises OSError."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", port))
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.002)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    decoder = wire.Decoder(1 << 24)
    sock.sendall(wire.encode(wire.ConnectPacket(client_id, keep_alive=0)))
    answer = decoder.feed(sock.recv(_READ_BYTES))
    if not answer or not isinstance(answer[0], wire.ConnAckPacket) or int(answer[0].reason_code):
        raise ConnectionError(f"broker refused: {answer}")
    return sock, decoder


def subscribe(port: int, patience_s: float = 10.0) -> socket.socket:
    """A subscription to `#` at QoS 0. Raises OSError."""
    sock, decoder = connect(port, "oracle", patience_s)
    filters = [wire.TopicFilter("#", max_qos=wire.QoS.AT_MOST_ONCE)]
    sock.sendall(wire.encode(wire.SubscribePacket(1, filters)))
    seen: list[wire.Packet] = []
    while not any(isinstance(p, wire.SubAckPacket) for p in seen):
        seen += decoder.feed(sock.recv(_READ_BYTES))
    return sock


def main() -> None:
    port, count, devices = (int(x) for x in sys.argv[1:4])
    tally = Tally(count, devices, sys.argv[4] if len(sys.argv) > 4 else TORHAUS)
    pause_s = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    sock = subscribe(port)
    print("ready", flush=True)
    while True:
        readable = select.select([sock, sys.stdin], [], [])[0]
        if sock in readable:
            data = sock.recv(_READ_BYTES)
            if not data:  # the broker has gone: outages are part of what is measured
                sock.close()
                sock = subscribe(port, patience_s=3600)
                continue
            tally.feed(data, time.time())
            time.sleep(pause_s)
        elif sys.stdin in readable:
            match sys.stdin.readline().split():
                case ["state"]:
                    print(json.dumps(tally.state()), flush=True)
                case ["times", first, end]:
                    print(json.dumps({"at": tally.at[int(first) : int(end)].tolist()}), flush=True)
                case ["span", first, end]:
                    print(json.dumps(tally.span(int(first), int(end))), flush=True)
                case _:
                    return


if __name__ == "__main__":
    main()
