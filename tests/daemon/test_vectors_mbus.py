"""Frames with libmbus' records are compared record by record."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.mbus import check

FRAME = (
    "683c3c680808727803491177040e160a0000000c7878034911041331d40000426c0000"
    "441300000000046d0b0bcd130227000009fd0e0209fd0f060f00017513d316"
)


def line(volume: str, changes: dict[int, dict[str, str]] | None = None) -> dict[str, Any]:
    now = {"Function": "Instantaneous value", "StorageNumber": "0", "Unit": "", "Quantity": ""}
    then = now | {"StorageNumber": "1"}
    wanted: list[dict[str, Any]] = [
        now | {"Quantity": "Fabrication No", "Value": "11490378.000000"},
        now | {"Unit": "m^3", "Quantity": "Volume", "Value": volume},
        then | {"Unit": "-", "Quantity": "Time point (date)", "Value": "2000-00-00"},
        then | {"Unit": "m^3", "Quantity": "Volume", "Value": "0.000000"},
        now | {"Unit": "-", "Quantity": "Time point (date & time)", "Value": "2014-03-13T11:11:00Z"},
        now | {"Unit": "s", "Quantity": "Operating time", "Value": "0"},
        now | {"Quantity": "Firmware version", "Value": "2"},
        now | {"Quantity": "Software version", "Value": "6"},
    ]
    for n, change in (changes or {}).items():
        wanted[n] |= change
    slave = {"Id": "11490378"}
    return {"hex": FRAME, "kind": "ok", "expected_normalized": {"slave": slave, "records": wanted}}


def test_a_difference_is_told() -> None:
    tools = Tools(Path(), None, None)  # type: ignore[arg-type]
    assert asyncio.run(check(line("54.321000"), tools)) is None
    assert asyncio.run(check(line("54.4"), tools)) == "record 1 (volume): got 54.321, expected '54.4'"
    cut = line("0") | {"hex": FRAME[:-2]}
    assert str(asyncio.run(check(cut, tools))).startswith("refused: short")


@pytest.mark.parametrize(
    ("n", "change", "told"),
    [
        (1, {"Quantity": "Volume flow"}, "record 1 (volume): quantity got 'volume', expected 'Volume flow'"),
        (1, {"Unit": "l"}, "record 1 (volume): unit got 'm3', expected 'l'"),
        (1, {"StorageNumber": "1"}, "record 1 (volume): storage got 0, expected 1"),
        (1, {"Function": "Maximum value"}, "record 1 (volume): function got '', expected 'max'"),
        (1, {"Tariff": "2"}, "record 1 (volume): tariff got 0, expected 2"),
        (1, {"Device": "1"}, "record 1 (volume): subunit got 0, expected 1"),
        (2, {"Value": "2014-12-31"}, "record 2 (date): got None, expected '2014-12-31'"),
        (4, {"Value": "2014-03-13T11:12:00Z"}, "record 4 (time): got '2014-03-13T11:11:00', expected"),
        (7, {"Value": "7"}, "record 7 (software_version): got 6, expected '7'"),
    ],
)
def test_every_part_of_a_record_is_compared(n: int, change: dict[str, str], told: str) -> None:
    tools = Tools(Path(), None, None)  # type: ignore[arg-type]
    assert str(asyncio.run(check(line("54.321", {n: change}), tools))).startswith(told)
