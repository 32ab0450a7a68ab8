"""What thingsboard-gateway asks of its platform before it sends anything: an answer to `getSessionLimits`, no limits.

    python -m bench.peers.thingsboard_platform PORT

Without the answer it waits for ever.
"""

import json
import sys
from typing import Final

from bench.oracle import connect
from torhaus.daemon.mqtt import wire

REQUEST: Final = "v1/devices/me/rpc/request/"
RESPONSE: Final = "v1/devices/me/rpc/response/"
LIMITS: Final = {"maxPayloadSize": 1 << 20, "maxInflightMessages": 10_000, "rateLimits": {}, "gatewayRateLimits": {}}


def main() -> None:
    sock, decoder = connect(int(sys.argv[1]), "platform")
    filters = [wire.TopicFilter(f"{REQUEST}+", max_qos=wire.QoS.AT_MOST_ONCE)]
    sock.sendall(wire.encode(wire.SubscribePacket(1, filters)))
    print("ready", flush=True)
    number = 0
    while data := sock.recv(1 << 16):
        for packet in decoder.feed(data):
            if isinstance(packet, wire.PublishPacket):
                number += 1
                topic = RESPONSE + packet.topic.removeprefix(REQUEST)
                sock.sendall(wire.encode_publish(topic, json.dumps(LIMITS).encode(), number))


if __name__ == "__main__":
    main()
