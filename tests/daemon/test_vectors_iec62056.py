"""Read-outs and messages are compared data set by data set, and as numbers with units."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.vectors.base import Tools
from torhaus.daemon.vectors.iec62056 import check

TOOLS = Tools(Path(), None, None)  # type: ignore[arg-type]
RAW = b"/HAG5eHZ\r\n\r\n1-0:1.8.1*255(000016.9862*kWh)\r\n0.0(  53)\r\n!\r\n"
WHO = {"manufacturer": "HAG", "baud_char": "5", "ident": "eHZ"}
ENERGY = {"address": "1-0:1.8.1*255", "values": [{"value": "000016.9862", "unit": "kWh"}]}
NUMBER = {"address": "0.0", "values": [{"value": "53", "unit": None}]}


def line(**changed: Any) -> dict[str, Any]:
    expected = {"identification": WHO, "data_sets": [ENERGY, NUMBER]} | changed
    return {"kind": "readout", "raw_hex": RAW.hex(), "expected": expected}


def said(given: dict[str, Any]) -> str | None:
    return asyncio.run(check(given, TOOLS))


def test_a_readout() -> None:
    assert said(line()) is None
    assert said(line(data_sets=[ENERGY])) == "2 data sets, expected 1"
    other = ENERGY | {"values": [{"value": "000017", "unit": "kWh"}]}
    assert "expected 17.0 kW.h" in str(said(line(data_sets=[other, NUMBER])))
    assert str(said(line(identification=WHO | {"ident": "x"}))).startswith("identification: got 'HAG5eHZ'")
    assert str(said(line() | {"kind": "p1", "raw_hex": (RAW[:-2] + b"0000\r\n").hex()})).startswith("refused: crc")
    parsed: dict[str, dict[str, Any]] = {
        "USED": {"value": 16.9862, "unit": "kWh"},
        "NAME": {"value": "x", "unit": None},
    }
    assert said(line() | {"dsmr_parser_json": parsed}) is None
    parsed["USED"]["value"] = 17.5
    assert said(line() | {"dsmr_parser_json": parsed}) == "USED: nobody says 17.5 kWh"


@pytest.mark.parametrize(
    ("message", "expected", "fault"),
    [
        ({"text": "3.1.0(100*kWh)"}, [["3.1.0", "100", "kWh"]], None),
        ({"text": "3.1.0(100*kWh)"}, [["3.1.0", "100", None]], "got [["),
        ({"text": '"Tralala'}, "error", None),
        ({"text": "3.1.0(1)"}, "error", "decoded, but must be refused"),
        ({"text": "/?12!\r\n"}, {"device_address": "12"}, None),
        ({"text": "/?12!\r\n"}, {"device_address": "13"}, "got '/?13!"),
        ({"raw_hex": "015030022831323334353637290350"}, {"bcc_valid": True}, None),
        ({"raw_hex": "015030022831323334353637290351"}, {"bcc_valid": True}, "bcc_valid: got False"),
        ({"text": "/Els6\\2EK\r\n"}, dict(zip(("manufacturer", "identification"), ("Els", "2EK"), strict=True)), None),
        ({"text": "Els6"}, {"manufacturer": "Els", "identification": "2EK"}, "refused: syntax"),
    ],
)
def test_messages(message: dict[str, str], expected: Any, fault: str | None) -> None:
    if isinstance(expected, dict) and "identification" in expected:
        expected = expected | {"switchover_baudrate_char": "6"}
    found = said({"kind": "message", "expected": expected} | message)
    assert found is None if fault is None else str(found).startswith(fault)


def test_a_message_of_another_kind() -> None:
    with pytest.raises(ValueError, match="nothing known"):
        said({"kind": "message", "text": "", "expected": {"x": 1}})
