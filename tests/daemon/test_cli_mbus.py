"""`torhaus mbus`: found, read and reset on a simulated bus."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.drivers.fakes import StillLoop
from tests.drivers.mbus_fakes import FakeBus, Meter
from torhaus.codecs.framing.mbus import SND_NKE, short
from torhaus.daemon.cli import mbus
from torhaus.daemon.main import main

LINK = "serial:///dev/torhaus-none"
OTHER_DATA = b"\x0c\x13\x01\x00\x00\x00\x1f"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> FakeBus:
    """Meters 5 (two telegrams) and 9 (at 300 baud)."""
    meters = [Meter(5, says=[OTHER_DATA, OTHER_DATA[:-1] + b"\x2f"]), Meter(9)]
    meters[1].rate = 300
    found = FakeBus(meters)

    async def opened(*_: object) -> FakeBus:
        return found

    monkeypatch.setattr(mbus, "open_link", opened)
    monkeypatch.setattr("asyncio.events.new_event_loop", StillLoop)
    return found


def torhaus(tmp_path: Path, *words: str) -> int:
    return main(["mbus", *words, "--config", str(tmp_path / "none.toml")])


def test_scan(bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert torhaus(tmp_path, "scan", LINK, "--last", "10") == 0
    shown = capsys.readouterr()
    assert shown.out == "               5  00000005ABCD0107  0xcdab  water\n"
    assert shown.err.endswith("1 found\n")
    assert torhaus(tmp_path, "scan", LINK, "--last", "10", "--baud", "2400", "--baud", "300") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["5", "9"]
    assert lines[1].endswith("300 baud")


def test_scan_by_number_as_configuration(bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert torhaus(tmp_path, "scan", LINK, "--secondary", "--toml", "--baud", "300") == 0
    (driver,) = tomllib.loads("[[driver]]\n" + capsys.readouterr().out)["driver"]
    assert driver["meter"] == [{"device": "meter-00000009", "address": "00000009ABCD0107", "baud": 300}]


def test_nobody_is_69(bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bus.meters.clear()
    assert torhaus(tmp_path, "scan", LINK, "--secondary") == 69
    assert torhaus(tmp_path, "read", LINK, "5") == 69
    assert "address 5: no answer within 2 s" in capsys.readouterr().err
    assert torhaus(tmp_path, "reset", LINK, "5") == 69


@pytest.mark.parametrize("address", ["5", "00000005ABCD0107", "254"])
def test_read(bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert torhaus(tmp_path, "read", LINK, address) == 0
    first, second = capsys.readouterr().out.split("}\n{")
    assert json.loads(first + "}")["volume"] == {"value": 0.001, "unit": "m3"}
    assert '"more_records"' in first
    assert '"more_records"' not in second


def test_read_as_it_came_and_what_means_nothing(
    bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torhaus(tmp_path, "read", LINK, "5", "--hex", "--max-telegrams", "1") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("6816166808057205000000abcd0107")
    bus.meters[0].says = [b"\x0c"]
    assert torhaus(tmp_path, "read", LINK, "5") == 65
    assert "refused: short" in capsys.readouterr().err


def test_reset(bus: FakeBus, tmp_path: Path) -> None:
    assert torhaus(tmp_path, "reset", LINK) == 0
    assert torhaus(tmp_path, "reset", LINK, "5") == 0
    assert bus.heard == [short(SND_NKE, 255), short(SND_NKE, 5)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scan", LINK, "--mask", "12"), "no secondary address"),
        (("scan", LINK, "--first", "9", "--last", "3"), "--first 9 is above"),
        (("scan", "com1:"), "a link starts with"),
        (("read", LINK, "251"), "a primary address is from 0"),
        (("reset", LINK, "x"), "is no address"),
        (("reset", LINK, "00000005ABCD0107"), "to a primary address"),
    ],
)
def test_what_cannot_be(
    bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert torhaus(tmp_path, *words) == 64
    assert said in capsys.readouterr().err


def test_a_rate_that_cannot_be_set(bus: FakeBus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bus.sets_baud = False
    assert torhaus(tmp_path, "scan", "tcp://192.0.2.1:1", "--baud", "300") == 64
    assert "set it at the converter" in capsys.readouterr().err


def test_no_such_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert torhaus(tmp_path, "read", LINK, "5") == 69
    assert "no such port" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        torhaus(tmp_path, "scan", LINK, "--last", "251")
    assert caught.value.code == 64
