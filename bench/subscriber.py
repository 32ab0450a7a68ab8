"""Subscribes to everything and writes down when each record arrived: (device, counter) to time."""

import json
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def main() -> None:
    port, wanted, timeout_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    at: dict[str, float] = {}
    client = mqtt.Client(CallbackAPIVersion.VERSION2)

    def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        now = time.time()
        body = json.loads(message.payload)
        if "lora" in body:
            at.setdefault(f"{int(body['lora']['dev_addr'], 16) & 0xFFFFFF}/{body['lora']['fcnt']}", now)

    client.on_message = on_message
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.subscribe("torhaus/+/+/+")
    end = time.monotonic() + timeout_s
    while len(at) < wanted and time.monotonic() < end:
        client.loop(0.05)
    print(json.dumps(at), flush=True)


if __name__ == "__main__":
    main()
