import argparse
import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import Home, running
from torhaus.daemon.cli import devices, joins
from torhaus.daemon.lora.join_book import WORDS, Attempt, JoinResult

EUI = "a81758fffe0312ab"


def run(home: Home, *arguments: str, command: str = "joins") -> int:
    parser = argparse.ArgumentParser()
    devices.add(parser.add_subparsers())
    args = parser.parse_args(["devices", command, *arguments, "--config", str(home.config)])
    code: int = args.run(args)
    return code


def test_the_table() -> None:
    attempts = [
        Attempt(
            at_ns=1_795_000_000 * 10**9,
            dev_eui=EUI,
            result=JoinResult.REQUESTED,
            text="asks",
            device="flur",
            join_eui="70b3d57ed0000001",
            dev_nonce=4711,
            gateway="aa555a0000000101",
        ),
        Attempt(at_ns=0, dev_eui="0" * 16, result=JoinResult.UNKNOWN_DEVICE, text="old", times=3),
    ]
    assert joins.render(attempts).splitlines() == [
        "TIME (UTC)           DEVICE  DEVEUI            JOINEUI           DEVNONCE  GATEWAY",
        "2026-11-18 11:06:40  flur    a81758fffe0312ab  70b3d57ed0000001      1267  aa555a0000000101  asks",
        "1970-01-01 00:00:00  —       0000000000000000  —                        —  —                 old (3 times)",
    ]


def test_from_the_daemon_and_without_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)

    async def go() -> None:
        app = home.app({})
        async with running(app):
            assert await asyncio.to_thread(run, home) == 0
            app.joining.book.note(JoinResult.UNKNOWN_DEVICE, EUI, dev_nonce=1)
            assert await asyncio.to_thread(run, home) == 0
            assert await asyncio.to_thread(run, home, "--json") == 0
            assert await asyncio.to_thread(run, home, "flur", command="allow-join") == 64
            assert await asyncio.to_thread(run, home, "flur", command="rejoin") == 64

    asyncio.run(go())
    told = capsys.readouterr()
    refused = 'joins are not answered here: [lorawan] mode is "passive"'
    assert told.err.splitlines() == [refused, refused]
    lines = told.out.splitlines()
    assert lines[0].startswith("nobody has tried")
    assert WORDS[JoinResult.UNKNOWN_DEVICE] in lines[2]
    assert json.loads(lines[3])[0]["result"] == "unknown_device"
    assert run(home) == 69
    assert run(home, "flur", command="allow-join") == 69
    home.config.write_text("[site]\n")
    assert run(home) == 78
    assert "site" in capsys.readouterr().err
