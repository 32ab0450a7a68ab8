"""Items, configs and a reader for the tests of the file forwarder."""

from pathlib import Path

import msgspec

from torhaus.daemon.forward.base import Context, Item
from torhaus.daemon.forward.file import Config, FileForwarder, open_forwarder
from torhaus.daemon.forward.message import Message

CONTEXT = Context("rathaus", "0.1.0")


def item(n: int, size: int = 0) -> Item:
    raw = bytes(size) if size else None
    return Item(Message(f"rathaus/0/{n}", "frame", "rathaus", "2026-11-23T09:53:25.400Z", "synced", False, raw=raw))


def config(path: Path, **values: object) -> Config:
    return msgspec.convert({"name": "archive", "type": "file", "path": str(path), **values}, Config)


def forwarder(path: Path, **values: object) -> FileForwarder:
    return open_forwarder(config(path, **values), CONTEXT)


def numbers(path: Path) -> list[int]:
    """What a reader of the file sees: every line whole."""
    text = path.read_bytes()
    assert not text or text.endswith(b"\n")
    return [int(msgspec.json.decode(line)["id"].rpartition("/")[2]) for line in text.splitlines()]
