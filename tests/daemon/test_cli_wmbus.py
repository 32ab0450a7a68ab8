"""`torhaus wmbus list` and `decode`."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from tests.codecs.wmbus_fakes import KEY, Meter
from tests.daemon.home import Home, running
from torhaus.daemon.cli import wmbus
from torhaus.daemon.main import main
from torhaus.daemon.wmbus.book import Entry

AIR = Meter()


def test_the_table() -> None:
    own = Entry(
        address="KAM/12345678/1b/16",
        medium="cold_water",
        security="link",
        last_ns=1_795_000_000 * 10**9,
        driver="stick",
        device="wasser",
        rssi_dbm=-71.4,
        telegrams=12,
        trouble="key: wrong",
    )
    other = Entry(
        address="DME/87654321/70/07", medium="water", security="mode 5", last_ns=0, driver="stick", telegrams=1
    )
    assert wmbus.render([own, other]).splitlines() == [
        "DEVICE  METER               MEDIUM      SECURITY  RSSI     TELEGRAMS  LAST (UTC)",
        "wasser  KAM/12345678/1b/16  cold_water  link      -71 dBm         12  2026-11-18 11:06:40  key: wrong",
        "—       DME/87654321/70/07  water       mode 5    —                1  1970-01-01 00:00:00",
        wmbus.HINT,
    ]
    assert wmbus.HINT not in wmbus.render([own])
    assert wmbus.render([]).startswith("no meter")


def test_from_the_daemon_and_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    where = ["--config", str(home.config)]
    assert main(["wmbus", "list", *where]) == 69
    assert "not running" in capsys.readouterr().err

    async def go() -> None:
        async with running(home.app({})):
            assert await asyncio.to_thread(main, ["wmbus", "list", *where]) == 69
        capture = Path(__file__).parents[1] / "drivers" / "captures" / "wmbus.cap"
        home.write(f'[[driver]]\nname = "s"\ntype = "wmbus"\nreceiver = "im871a"\nlink = "replay:{capture}?speed=0"\n')
        async with running(home.app()):
            assert await asyncio.to_thread(main, ["wmbus", "list", "--unknown", "--json", *where]) == 0

    asyncio.run(go())
    out, err = capsys.readouterr()
    assert "no receiver for wireless M-Bus is configured" in err
    assert {entry["address"] for entry in json.loads(out)} == {"KAM/12345678/1b/16", "KAM/87654321/1b/07"}


def test_one_telegram(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["wmbus", "decode", AIR.plain().hex()]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["volume"] == {"value": 12345.678, "unit": "m3"}
    assert err == "KAM/12345678/1b/16 (cold_water), security: none\n"
    sealed = AIR.mode_5().hex()
    assert main(["wmbus", "decode", sealed]) == 65
    assert "refused: key: the telegram is encrypted" in capsys.readouterr().err
    file = tmp_path / "key"
    file.write_text(f"{KEY.hex()}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"T1;1;1;x;1;1;1;0x{sealed}\n"))
    assert main(["wmbus", "decode", "--key-file", str(file), "-"]) == 0
    assert json.loads(capsys.readouterr().out)["volume"]["value"] == 12345.678


def test_what_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wmbus", "decode", "#"]) == 65
    assert main(["wmbus", "decode", "hello"]) == 65
    assert main(["wmbus", "decode", "--key-file", str(tmp_path / "none"), "00"]) == 66
    file = tmp_path / "key"
    file.write_text("too short")
    assert main(["wmbus", "decode", "--key-file", str(file), "00"]) == 64
    assert "too short" not in capsys.readouterr().err


def test_a_meter_is_added_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    where = ["--config", str(home.config)]
    add = ["devices", "add", *where, "--name", "wasser", "--wmbus", "kam/12345678/1B/16"]
    assert main([*add, "--key", KEY.hex()]) == 0
    assert "everybody on this machine can see" in capsys.readouterr().err
    loaded = home.load()
    (device,) = loaded.devices
    assert (device.wmbus, device.codec) == ("KAM/12345678/1b/16", "wmbus")
    assert loaded.keys["wasser"].wmbus_key == KEY
    assert main(add) == 78
    assert main(["devices", "add", *where, "--name", "x", "--key", KEY.hex()]) == 78
    assert main(["devices", "add", *where, "--name", "y", "--wmbus", "4711"]) == 78
    told = capsys.readouterr().out
    assert "is a wireless meter's" in told
    assert "must be a number of 8 digits" in told
    keys = tmp_path / "k"
    keys.write_text(f"wmbus_key = {KEY.hex()}\n")
    assert main(["devices", "add", *where, "--name", "y", "--wmbus", "00004711", "--keys-from", str(keys)]) == 0
    assert main(["devices", "list", *where]) == 0
    assert "KAM/12345678/1b/16  wmbus" in capsys.readouterr().out
    assert home.load().keys["y"].wmbus_key == KEY
