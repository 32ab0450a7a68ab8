"""Data sets and their values; every read-out that can be had decodes; hostile input."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.codecs.test_fuzz import check_refusal
from torhaus.codecs.framing.iec62056 import bcc, identification
from torhaus.codecs.meter import dsmr, iec62056
from torhaus.codecs.meter.iec62056_sets import MAX_VALUES, data_sets, time_of, unit_code, value_of
from torhaus.codecs.model import DecodeError, Fields, RejectReason


def lines() -> list[dict[str, Any]]:
    path = Path(os.environ.get("TORHAUS_VECTORS", Path(__file__).parents[2] / "../shared/vectors")) / "iec62056.jsonl"
    if not path.exists():
        pytest.skip(f"no vectors at {path}: set TORHAUS_VECTORS")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_readout_of_the_vectors() -> None:
    telegrams = [line for line in lines() if line["kind"] in {"readout", "p1"}]
    assert len(telegrams) == 12
    for line in telegrams:
        data = bytes.fromhex(line["raw_hex"])
        fields = dsmr.decode(data) if line["kind"] == "p1" else iec62056.decode(data)
        assert "malformed_entries" not in fields
        _, sets, _ = iec62056.readout(data)
        assert [(s.address, [{"value": v, "unit": u} for v, u in s.values]) for s in sets] == [
            (s["address"], s["values"]) for s in line["expected"]["data_sets"]
        ], line["name"]
        check_numbers(line, fields)


def check_numbers(line: dict[str, Any], fields: Fields) -> None:
    """What another decoder makes of it is among our values."""
    ours = {(v.value) for v in fields.values()}
    for name, want in line.get("dsmr_parser_json", {}).items():
        if isinstance(want, dict) and isinstance(want.get("value"), float):
            assert want["value"] in ours, name


def test_messages_of_the_vectors() -> None:
    for line in (line for line in lines() if line["kind"] == "message"):
        text, expected = line.get("text", ""), line["expected"]
        match line["name"]:
            case "identification":
                who = identification(text.encode())
                assert (who.maker, who.rate, who.mode + who.text) == tuple(expected.values())
            case "invalid data set":
                with pytest.raises(DecodeError):
                    iec62056.decode(text.encode())
            case name if "data set" in name:
                sets, malformed = data_sets(text)
                assert [[s.address, *s.values[0]] for s in sets] == expected
                assert malformed == 0
            case name if "BCC" in name:
                data = bytes.fromhex(line["raw_hex"])
                assert bcc(data[1:-1]) == data[-1]


@pytest.mark.parametrize(
    ("text", "unit", "want"),
    [
        ("0001.50", "kWh", 1.5),
        ("-000128.41", "W", -128.41),
        ("+00029", "W", 29),
        ("007359.7748", None, 7359.7748),
        ("00004711", None, "00004711"),
        (" 4711 ", None, "4711"),
        ("9" * 30, "kWh", "9" * 30),
        ("--", "kWh", "--"),
        ("", None, ""),
    ],
)
def test_values(text: str, unit: str | None, want: object) -> None:
    got = value_of(text, unit)
    assert got == want
    assert type(got) is type(want)


def test_units() -> None:
    assert [unit_code(u) for u in ("kWh", "kvarh", "m3", "GJ", "kwh", None, "")] == [
        "kW.h",
        "kvar.h",
        "m3",
        "GJ",
        "kW.h",
        None,
        None,
    ]
    assert unit_code("Imp") == "{Imp}"
    assert unit_code("a{b") is None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("230202132747S", "2023-02-02T13:27:47+02:00"),
        ("161113205757W", "2016-11-13T20:57:57+01:00"),
        ("2611251745", "2026-11-25T17:45:00"),
        ("261332174500", None),
        ("12345", None),
        ("632525252525S", None),
    ],
)
def test_times(text: str, want: str | None) -> None:
    assert time_of(text) == want


def test_lines_that_are_none_are_counted_and_a_bracket_goes_on() -> None:
    sets, malformed = data_sets("1.8.0(1*kWh)\r\n(2*kWh)\r\ngarbage\r\n2.8.0(3*kWh)x\r\n!\r\n9(9)\r\n")
    assert [(s.address, len(s.values)) for s in sets] == [("1.8.0", 2)]
    assert malformed == 2


def test_more_values_than_a_readout_has() -> None:
    with pytest.raises(DecodeError) as caught:
        data_sets("P.01" + "(1)" * (MAX_VALUES + 1))
    assert caught.value.reason is RejectReason.LONG


def test_fuzz() -> None:
    rng = random.Random(2)
    alphabet = b"/!()*.:-0123456789kWhSW\r\n\x02\x03\x06 "
    for _ in range(4000):
        data = b"/TOR5X\r\n" * rng.randint(0, 1) + bytes(rng.choices(alphabet, k=rng.randint(0, 80)))
        for decode in (iec62056.decode, dsmr.decode):
            try:
                decode(data)
            except DecodeError as refusal:
                check_refusal(refusal)
