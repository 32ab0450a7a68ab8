"""thingsboard-gateway's SQLite storage put to the same tests as the outbox, by its own classes. Run by its own Python.

    throughput DIR COUNT    put, until every row is in the file; then read in packs and mark as done, until empty
    accept DIR PER_S        put until killed; says after each hundred how many have been accepted
    count DIR               how many rows are in the file
    timeout DIR PORT COUNT  send to a broker that never acknowledges, by its own confirmation; how many rows remain

Nothing of torhaus is imported here. What it does with a batch is what tb_gateway_service.py does: publish, wait for
`TBPublishInfo.get()`, and on TB_ERR_SUCCESS `event_pack_processing_done()`.
"""

import json
import logging
import os
import sqlite3
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

BODY = json.dumps({"deviceName": "sensor-1", "telemetry": [{"ts": 1, "values": {"n": 0, "pad": "x" * 400}}]})


def storage(folder: str) -> Any:  # noqa: ANN401 - a foreign class
    """Its storage with its own defaults."""
    trace = logging.getLogger("store")
    trace.trace = trace.debug  # type: ignore[attr-defined]
    module = import_module("thingsboard_gateway.storage.sqlite.sqlite_event_storage")
    return module.SQLiteEventStorage({"data_file_path": f"{folder}/"}, trace, threading.Event())


def rows(folder: str) -> int:
    """What is in its files."""
    total = 0
    for path in Path(folder).glob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
            total += conn.execute("SELECT count(*) FROM messages").fetchone()[0]
    return total


def put(store: Any, n: int) -> None:  # noqa: ANN401
    if not store.put(BODY.replace('"n": 0', f'"n": {n}')):
        raise SystemExit("refused")


def packs(store: Any, patience_s: float = 5.0) -> Any:  # noqa: ANN401
    """Batches until there has been none for a while."""
    last = time.monotonic()
    while time.monotonic() - last < patience_s:
        pack = store.get_event_pack()
        if pack:
            yield pack
            last = time.monotonic()
        else:
            time.sleep(0.01)


def throughput(folder: str, count: int) -> None:
    store = storage(folder)
    began, cpu = time.monotonic(), time.process_time()
    for n in range(count):
        put(store, n)
    while rows(folder) < count:
        time.sleep(0.02)
    stored = time.monotonic()
    taken, last = 0, stored
    for pack in packs(store):
        taken += len(pack)
        store.event_pack_processing_done()
        last = time.monotonic()
    say(
        stored_per_s=count / (stored - began),
        drained_per_s=taken / (last - stored),
        taken=taken,
        cpu_us=(time.process_time() - cpu) / count * 1e6,
    )


def accept(folder: str, per_s: float) -> None:
    store = storage(folder)
    began = time.monotonic()
    n = 0
    while True:
        while n < (time.monotonic() - began) * per_s:
            put(store, n)
            n += 1
            if n % 10 == 0:
                print(n, flush=True)
        time.sleep(0.001)


def timeout(folder: str, port: int, count: int) -> None:
    mqtt = import_module("tb_device_mqtt")
    paho = import_module("paho.mqtt.client")
    store = storage(folder)
    for n in range(count):
        put(store, n)
    while rows(folder) < count:
        time.sleep(0.02)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    called_sent = 0
    for pack in packs(store):
        info = mqtt.TBPublishInfo(client.publish("v1/gateway/telemetry", "[" + ",".join(pack) + "]", qos=1))
        if info.get() == info.TB_ERR_SUCCESS:
            store.event_pack_processing_done()
            called_sent += len(pack)
        else:
            break
    time.sleep(1)
    say(called_sent=called_sent, remaining=rows(folder))


def say(**figures: float) -> None:
    print(json.dumps(figures), flush=True)
    os._exit(0)  # its threads do not end by themselves


if __name__ == "__main__":
    command, place, *numbers = sys.argv[1:]
    if command == "throughput":
        throughput(place, int(numbers[0]))
    elif command == "accept":
        accept(place, float(numbers[0]))
    elif command == "timeout":
        timeout(place, int(numbers[0]), int(numbers[1]))
    else:
        say(rows=rows(place))
