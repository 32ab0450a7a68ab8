"""MAC commands: other implementations' vectors, both ways, and hostile bytes."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from torhaus.codecs.lorawan import mac_commands
from torhaus.codecs.lorawan.mac_commands import COMMANDS, Command, decode, encode, reason_for
from torhaus.codecs.model import DecodeError, RejectReason

FILE = Path(mac_commands.__file__).with_name("mac_commands.vectors.jsonl")
VECTORS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_every_command_has_a_vector() -> None:
    assert {v["name"] for v in VECTORS} == {c.name for c in COMMANDS}
    assert {v["licence"] for v in VECTORS} == {"MIT", "own work"}
    assert all(v["source"] for v in VECTORS)


@pytest.mark.parametrize("v", VECTORS, ids=lambda v: f"{v['name']} {v['hex']}")
def test_vectors(v: dict[str, Any]) -> None:
    data = bytes.fromhex(v["hex"])
    [found], rest = decode(data, uplink=v["uplink"])
    assert (found.name, found.values, found.uplink, rest) == (v["name"], v["values"], v["uplink"], b"")
    assert encode(v["name"], **v["values"]) == data


def test_all_of_a_direction_in_a_row_and_cut_anywhere() -> None:
    for uplink in (True, False):
        row = [bytes.fromhex(v["hex"]) for v in VECTORS if v["uplink"] is uplink]
        whole = b"".join(row)
        found, rest = decode(whole, uplink=uplink)
        assert (len(found), rest) == (len(row), b"")
        for end in range(len(whole)):
            some, rest = decode(whole[:end], uplink=uplink)
            assert some == found[: len(some)]
            read = sum(1 + next(c.size for c in COMMANDS if c.name == m.name) for m in some)
            assert whole[:end] == whole[:read] + rest


def test_what_cannot_be_read_is_given_back() -> None:
    found, rest = decode(bytes.fromhex("0241ff06"), uplink=True)
    assert ([c.name for c in found], rest.hex()) == (["LinkCheckReq"], "41ff06")
    assert decode(b"", uplink=True) == ([], b"")


@pytest.mark.parametrize(
    ("rest", "uplink", "says"),
    [
        ("0607", True, "DevStatusAns has 2 bytes, 1 are there"),
        ("41", True, "unknown command 0x41"),
        ("80", False, "proprietary command 0x80"),
        ("0e00", True, "command 0x0e is none in this direction (ForceRejoinReq goes the other way)"),
        ("", True, "nothing"),
    ],
)
def test_reasons(rest: str, uplink: bool, says: str) -> None:
    assert reason_for(bytes.fromhex(rest), uplink=uplink) == says


@pytest.mark.parametrize(
    ("name", "values", "reason", "says"),
    [
        ("LinkADReq", {}, "unknown_type", "no MAC command LinkADReq"),
        ("DevStatusReq", {"x": 1}, "syntax", "DevStatusReq has no fields"),
        ("LinkCheckAns", {"margin_db": 1}, "syntax", "LinkCheckAns has margin_db, gw_cnt"),
        ("RXTimingSetupReq", {"delay_s": 16}, "range", "delay_s is 16, must be 0 to 15"),
        ("RXTimingSetupReq", {"delay_s": -1}, "range", "delay_s is -1, must be 0 to 15"),
        (
            "BeaconFreqReq",
            {"freq_hz": 868100050},
            "range",
            "freq_hz is 868100050, must be 0 to 1677721500 in steps of 100",
        ),
        ("BeaconFreqReq", {"freq_hz": 1677721600}, "range", "freq_hz is 1677721600"),
        ("DevStatusAns", {"battery": 0, "margin_db": 32}, "range", "margin_db is 32, must be -32 to 31"),
    ],
)
def test_refusals(name: str, values: dict[str, int], reason: str, says: str) -> None:
    with pytest.raises(DecodeError) as e:
        encode(name, **values)
    assert e.value.reason == RejectReason(reason)
    assert says in e.value.detail


def fields_fit(command: Command) -> bool:
    taken: set[int] = set()
    for f in command.fields:
        bits = set(range(f.low, f.low + f.width))
        if bits & taken or max(bits) >= 8 * command.size:
            return False
        taken |= bits
    return True


def test_fields_neither_overlap_nor_stick_out() -> None:
    assert [c.name for c in COMMANDS if not fields_fit(c)] == []
    assert len({(c.cid, c.uplink) for c in COMMANDS}) == len(COMMANDS)


def test_random_bytes_are_read_or_given_back() -> None:
    random = Random(1)
    for _ in range(5000):
        data = random.randbytes(random.randint(0, 20))
        uplink = random.random() < 0.5
        found, rest = decode(data, uplink=uplink)
        again = b"".join(encode(c.name, **c.values) for c in found)
        assert len(again) + len(rest) == len(data)
        assert decode(again, uplink=uplink) == (found, b"")
        if rest:
            assert reason_for(rest, uplink=uplink)
