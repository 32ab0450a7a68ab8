"""Lines of software receivers."""

import json
import random

import pytest

from tests.codecs.wmbus_fakes import Meter
from torhaus.codecs.framing.wmbus import Heard, frame_a, frame_b
from torhaus.codecs.framing.wmbus_lines import parse_line
from torhaus.codecs.model import DecodeError, RejectReason

TELE = Meter().plain()
HEX = TELE.hex()


@pytest.mark.parametrize(
    "line",
    [
        HEX,
        HEX.upper(),
        f"0x{HEX}",
        f"  {HEX}\r\n",
        f"{HEX[:20]}_{HEX[20:]}",
        f"|{HEX[:20]}|{HEX[20:]}|",
        frame_a(TELE).hex(),
        frame_b(TELE).hex(),
        f"telegram=|{HEX}|+32",
        f"telegram=|{HEX[:20]}_{HEX[20:]}|",
    ],
)
def test_bare_telegrams(line: str) -> None:
    assert parse_line(line.encode()) == Heard(TELE)


def test_rtl_wmbus() -> None:
    line = f"T1;1;1;2026-11-23 10:00:00.000;97;148;12345678;0x{HEX}"
    assert parse_line(line.encode()) == Heard(TELE, None, "T1")
    assert parse_line(line.replace("T1;1;1", "C1;1;0").encode()) == Heard(TELE, None, "C1")
    for damaged in ("T1;0;1", "T1;1;0", "S1;0;1"):
        with pytest.raises(DecodeError) as caught:
            parse_line(line.replace("T1;1;1", damaged).encode())
        assert caught.value.reason is RejectReason.CRC
    with pytest.raises(DecodeError, match="prints 8"):
        parse_line(b"T1;1;1;97")


def test_rtl_433() -> None:
    said = {"time": "2026-11-23 10:00:00", "model": "Wireless-MBus", "mode": "T", "id": 12345678, "data": HEX}
    assert parse_line(json.dumps(said).encode()) == Heard(TELE, None, "T1")
    assert parse_line(json.dumps(said | {"rssi": -71.5, "mode": "C"}).encode()) == Heard(TELE, -71.5, "C1")
    assert parse_line(json.dumps({"telegram": HEX, "rssi_dbm": -80}).encode()) == Heard(TELE, -80.0)
    assert parse_line(json.dumps({"model": "Acurite-Tower", "data": "00"}).encode()) is None
    assert parse_line(b'{"model": "Wireless-MBus"}') is None


@pytest.mark.parametrize("line", [b"", b"  \r\n", b"# a remark"])
def test_nothing(line: bytes) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize("line", [b"rtl_sdr: found 1 device", b"{", b'{"data": 5}', b"\xff\xfe", b"[[[[" * 500, b"zz"])
def test_what_is_no_telegram(line: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_line(line)
    assert caught.value.reason is RejectReason.SYNTAX


def test_nothing_but_a_decode_error_leaves_it() -> None:
    rand = random.Random(433)
    seeds = [HEX.encode(), f"T1;1;1;x;1;1;1;0x{HEX}".encode(), json.dumps({"data": HEX}).encode()]
    for _ in range(3000):
        line = bytearray(rand.choice(seeds))
        for _ in range(rand.randrange(4)):
            line[rand.randrange(len(line))] = rand.randrange(256)
        try:
            parse_line(bytes(line))
        except DecodeError:
            continue
