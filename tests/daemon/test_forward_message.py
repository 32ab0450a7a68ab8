"""What central systems receive. They are built on it: the schema and the golden messages change only on purpose.

`python -m pytest tests/daemon/test_forward_message.py` says what has changed; the schema is written anew with
TORHAUS_WRITE_SCHEMA=1 in the environment.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from torhaus.codecs.model import Reception, Value
from torhaus.daemon.forward.message import Message
from torhaus.daemon.outbox.record import Lora

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "message.schema.json"


def generated() -> bytes:
    schema = msgspec.json.schema(Message)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "torhaus message", **schema}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def test_the_committed_schema_is_that_of_the_struct() -> None:
    if os.environ.get("TORHAUS_WRITE_SCHEMA"):
        SCHEMA.parent.mkdir(parents=True, exist_ok=True)
        SCHEMA.write_bytes(generated())
    assert SCHEMA.read_bytes() == generated()


def test_id_times_and_lane_are_always_there() -> None:
    schema: dict[str, Any] = msgspec.json.decode(SCHEMA.read_bytes())
    assert schema["$defs"]["Message"]["required"] == ["id", "kind", "site", "at", "clock", "late"]


READING = Message(
    id="rathaus/3f2a91c0/184467",
    kind="reading",
    site="rathaus",
    at="2026-11-23T09:53:25.400Z",
    clock="synced",
    late=False,
    device="sitzungssaal-co2",
    dev_eui="a81758fffe0312ab",
    driver="roof",
    codec="elsys",
    fields={
        "temperature": Value(21.4, "Cel"),
        "co2": Value(640, "[ppm]"),
        "motion": Value(True),
        "state": Value("ok"),
        "broken": Value(None, "V"),
    },
    lora=Lora(
        868_100_000,
        "LORA",
        "SF7BW125",
        "4/5",
        5,
        "01000001",
        4711,
        5,
        rx=[Reception("aa555a0000000101", rssi_dbm=-97.0, snr_db=7.5)],
    ),
    raw=b"\x00\xff\xfe",
)
MINIMAL = Message("a/0/0", "frame", "a", "1970-01-01T00:00:00.000Z", "unsynced", True)
REFUSED = Message(
    "a/0/1", "frame", "a", "1970-01-01T00:00:00.000Z", "corrected", True, "d", reason="short", detail="3 bytes", raw=b""
)
EVENT = Message(
    "a/0/2", "event", "a", "1970-01-01T00:00:00.000Z", "synced", False, driver="roof", event={"rxnb": 2, "ackr": 99.5}
)
GOLDEN = {
    "reading": (
        READING,
        (
            '{"id":"rathaus/3f2a91c0/184467","kind":"reading","site":"rathaus","at":"2026-11-23T09:53:25.400Z",'
            '"clock":"synced","late":false,"device":"sitzungssaal-co2","dev_eui":"a81758fffe0312ab","driver":"roof",'
            '"codec":"elsys","fields":{"temperature":{"value":21.4,"unit":"Cel"},"co2":{"value":640,"unit":"[ppm]"},'
            '"motion":{"value":true},"state":{"value":"ok"},"broken":{"value":null,"unit":"V"}},"lora":{'
            '"freq_hz":868100000,"modulation":"LORA","datarate":"SF7BW125","coderate":"4/5","dr":5,'
            '"dev_addr":"01000001","fcnt":4711,"fport":5,"rx":[{"gateway":"aa555a0000000101","rssi_dbm":-97.0,'
            '"snr_db":7.5}]},"raw":"AP/+"}'
        ),
    ),
    "minimal": (
        MINIMAL,
        '{"id":"a/0/0","kind":"frame","site":"a","at":"1970-01-01T00:00:00.000Z","clock":"unsynced","late":true}',
    ),
    "refused": (
        REFUSED,
        (
            '{"id":"a/0/1","kind":"frame","site":"a","at":"1970-01-01T00:00:00.000Z","clock":"corrected","late":true,'
            '"device":"d","reason":"short","detail":"3 bytes","raw":""}'
        ),
    ),
    "event": (
        EVENT,
        (
            '{"id":"a/0/2","kind":"event","site":"a","at":"1970-01-01T00:00:00.000Z","clock":"synced","late":false,'
            '"driver":"roof","event":{"rxnb":2,"ackr":99.5}}'
        ),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_messages(name: str) -> None:
    message, text = GOLDEN[name]
    assert msgspec.json.encode(message).decode() == text
    assert msgspec.json.decode(text, type=Message) == message


@pytest.mark.parametrize("name", GOLDEN)
def test_a_message_may_be_packed(name: str) -> None:
    message, text = GOLDEN[name]
    assert msgspec.json.encode([message, message]).decode() == f"[{text},{text}]"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message) == message


def test_what_json_cannot_say_becomes_null() -> None:
    message = msgspec.structs.replace(MINIMAL, fields={"x": Value(float("nan")), "y": Value(float("inf"))})
    fields = msgspec.json.decode(msgspec.json.encode(message))["fields"]
    assert fields == {"x": {"value": None}, "y": {"value": None}}
