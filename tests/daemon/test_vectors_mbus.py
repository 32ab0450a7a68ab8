"""Frames with libmbus' records are compared record by record."""

import asyncio
from pathlib import Path
from typing import Any

from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.mbus import check

FRAME = (
    "683c3c680808727803491177040e160a0000000c7878034911041331d40000426c0000"
    "441300000000046d0b0bcd130227000009fd0e0209fd0f060f00017513d316"
)


def line(volume: str) -> dict[str, Any]:
    plain = {"Function": "Instantaneous value", "StorageNumber": "0", "Unit": ""}
    wanted = [plain, plain | {"Unit": "m^3", "Value": volume}, plain | {"StorageNumber": "1"}]
    wanted += [plain | {"StorageNumber": "1", "Unit": "m^3", "Value": "0"}, plain, plain, plain, plain]
    slave = {"Id": "11490378"}
    return {"hex": FRAME, "kind": "ok", "expected_normalized": {"slave": slave, "records": wanted}}


def test_a_difference_is_told() -> None:
    tools = Tools(Path(), None, None)  # type: ignore[arg-type]
    assert asyncio.run(check(line("54.321000"), tools)) is None
    assert asyncio.run(check(line("54.4"), tools)) == "record 1 (volume): got 54.321, expected 54.4"
    cut = line("0") | {"hex": FRAME[:-2]}
    assert str(asyncio.run(check(cut, tools))).startswith("refused: short")
