"""Telegrams with wmbusmeters' values are compared by quantity; deliberate differences are in the docs."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.codecs.wmbus_fakes import KEY, Meter
from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.wmbus import check
from torhaus.daemon.vectors.wmbus_exceptions import DIFFERENT, REFUSED

ROOT = Path(__file__).parents[2]
AIR = Meter()


def checked(telegram: bytes, tools: Tools | None = None, **more: Any) -> str | None:
    expected = {"_": "telegram", "meter": "x", "id": "12345678", "total_m3": 12345.678} | more.pop("expected", {})
    line = {"telegram": telegram.hex(), "transport": "wmbus", "driver": "x", "key": None, "expected": expected} | more
    return asyncio.run(check(line, tools or Tools(Path(), None, None)))  # type: ignore[arg-type]


def test_places_and_identity() -> None:
    values = bytes.fromhex("0c13785634120405d20400000259340802fd741027046d0a0e7734426c0000")
    wanted: dict[str, Any] = {"total_energy_kwh": 123.4, "flow_temperature_c": 21.0, "battery_y": 27.397260}
    wanted |= {"meter_datetime": "2027-04-23 14:10", "set_date": "1999-11-30", "nothing_v": None, "status": "anything"}
    assert checked(AIR.plain(values), expected=wanted) is None
    assert checked(AIR.plain(values), expected={"total_m3": 12345.7}) == "total_m3: no record says 12345.7"
    assert checked(AIR.plain(values), expected={"target_m3": 12345.678}) == "target_m3: 12345.678 stands in volume only"
    assert checked(AIR.plain(values), expected={"id": "87654321"}) == "id: got 12345678, expected 87654321"


def test_keys_and_telegrams_that_were_decrypted_before() -> None:
    assert checked(AIR.mode_5(), key=KEY.hex()) is None
    assert str(checked(AIR.mode_5())).startswith("refused: key")
    assert checked(AIR.telegram(bytes.fromhex("7a010010052f2f0c1378563412") + b"\x2f" * 8), key=KEY.hex()) is None


def test_earlier_lines_say_what_compact_frames_mean() -> None:
    tools = Tools(Path(), None, None)  # type: ignore[arg-type]
    full = bytes.fromhex("780c1378563412")
    small = AIR.telegram(bytes.fromhex("79c73d6ee078563412"))
    before = str(checked(small, tools))
    assert "no full frame was heard yet" in before
    signature = re.findall(r"format (\w{4})", before)
    assert signature == ["3dc7"]
    assert checked(AIR.telegram(full), tools) is None


def test_two_telegrams_in_a_line() -> None:
    one = AIR.telegram(bytes.fromhex("7802fd170100"))
    two = AIR.telegram(bytes.fromhex("780c1378563412"))
    assert checked(one + two) is None
    assert str(checked(two + b"\0\0")).startswith("refused: long")


def test_every_exception_is_in_the_docs_and_the_other_way_round() -> None:
    page = (ROOT / "docs" / "reference" / "wmbus-coverage.md").read_text("utf-8")
    told = set(re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE))
    names = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    assert names == {*REFUSED, *DIFFERENT}


def test_published_telegrams() -> None:
    folder = Path(os.environ.get("TORHAUS_VECTORS", ROOT.parent / "shared" / "vectors"))
    file = folder / "wmbus.jsonl"
    if not file.exists():
        pytest.skip(f"no {file.name} in TORHAUS_VECTORS: its licence keeps it out of here")
    tools = Tools(Path(), None, None)  # type: ignore[arg-type]

    async def main() -> dict[str, str]:
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        found = {line["id"]: await check(line, tools) for line in lines}
        return {id_: text for id_, text in found.items() if text is not None}

    assert asyncio.run(main()) == {}
