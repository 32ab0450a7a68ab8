import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home, archive, running
from torhaus.daemon.cli import queue, scans, status
from torhaus.daemon.fixes import Fix
from torhaus.daemon.lora.gateways import Counts, Gateway
from torhaus.daemon.lora.report import Report
from torhaus.daemon.status import ForwarderStatus, LogStatus, Status
from torhaus.daemon.watch import DriverState

S = 10**9
NOW = 1_795_000_000 * S
GOLDEN = """\
torhaus 1.2.3  site rathaus  NOT READY, up 2 h, clock NOT synchronised
  ! driver meter: no \\x1b port
  ! set aside: /var/lib/torhaus/state.db.corrupt-17
  ! dropped 40 records (broker/size)

DRIVER  STATE  FRAMES  LAST      ACKS  LATE
meter   DOWN        0  never        0     0  no port
radio   up       1234  45 s ago   900     3

GATEWAY           DRIVER  STATE     LAST     UP   BAD CRC  DOWN  FAILED  TRIP   ACKED  AIRTIME  PROTOCOL  ADDRESS
aa555a0000000101  radio   STRANGER  9 s ago    0        0     0       0                         gwmp2     10.0.0.5
aa555a0000000102  radio   up        5 s ago  120        7     9       1  12 ms  99.5%  31%      gwmp2     10.0.0.6:40213
aa555a0000000103  radio   DOWN      never      0        0     0       0

FORWARDER  STATE  BACKLOG  SENT  ASIDE  DEAD  LAST
broker     DOWN      5000  1200      1     2  3 min ago  connection refused

LOG   RECORDS  ON DISK  LIMIT    FULL IN
main     6200  1.5 MiB  4.0 GiB  5 h
written to disk: 3.0 GiB a day

2 devices heard, newest 45 s ago, longest silent 1 d ago
position: 51.76872 8.57613, 98 m (gps, 9 satellites, 12 s ago), its clock is -1 s from ours
position: -1.50000 -2.00000 (roof, 1 min ago)
refused: 2 crc, 7 unknown_device
joins: 3 established, 1 wrong key
downlinks: 2 waiting, 40 sent

SCANS             STATE     DOCUMENTS
station mailroom  verified         12"""


def full() -> Status:
    return Status(
        site="rathaus",
        version="1.2.3",
        running=True,
        started_ns=NOW - 7300 * S,
        now_ns=NOW,
        clock_synced=False,
        ready=False,
        problems=["driver meter: no \x1b port"],
        fixes={
            "roof": Fix(latitude=-1.5, longitude=-2, at_ns=NOW - 60 * S),
            "gps": Fix(
                latitude=51.768723,
                longitude=8.57613,
                altitude=98.4,
                satellites=9,
                at_ns=NOW - 12 * S,
                clock_offset_s=-1,
            ),
        },
        drivers={
            "radio": DriverState(True, 1, "", 1234, NOW - 45 * S, 900, 3, 0),
            "meter": DriverState(False, 1, "no port"),
        },
        gateways={
            "aa555a0000000101": Gateway("radio", "10.0.0.5", "gwmp2", False, 1, online=True, last_ns=NOW - 9 * S),
            "aa555a0000000102": Gateway(
                "radio",
                "10.0.0.6",
                "gwmp2",
                True,
                1,
                listed=True,
                online=True,
                last_ns=NOW - 5 * S,
                address="10.0.0.6:40213",
                round_trip_s=0.0124,
                counts=Counts(uplinks=120, crc_bad=7, downlinks={"OK": 9, "TOO_LATE": 1}),
                report=Report(ack_ratio=0.995),
            ),
            "aa555a0000000103": Gateway("radio", "", "", True, 0, listed=True),
        },
        airtime={"aa555a0000000102": {"868.0-868.6": 0.04, "869.4-869.65": 0.31}},
        devices={"a": NOW - 45 * S, "b": NOW - 86_400 * S},
        logs={"main": LogStatus(records=6200, bytes=3 << 19, capacity_bytes=4 << 30, full_in_s=20_000)},
        written_per_day_bytes=3 << 30,
        forwarders={
            "broker": ForwarderStatus(
                type="mqtt",
                up=False,
                since_ns=1,
                detail="connection refused",
                backlog=5000,
                accepted=1200,
                late=0,
                set_aside=1,
                dead_letters=2,
                last_success_ns=NOW - 200 * S,
            )
        },
        dropped={"broker/size": 40},
        rejects={"unknown_device": 7, "crc": 2},
        set_aside_files=["/var/lib/torhaus/state.db.corrupt-17"],
        scans={"station mailroom": {"verified": 12}},
        joins={"established": 3, "wrong_key": 1},
        downlinks={"waiting": 2, "sent": 40},
    )


def run(module: Any, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module.add(parser.add_subparsers())
    args = parser.parse_args(list(arguments))
    code: int = args.run(args)
    return code


def test_render() -> None:
    assert status.render(full()) == GOLDEN
    bare = Status(
        site="x",
        version="1",
        running=False,
        started_ns=0,
        now_ns=NOW,
        clock_synced=True,
        ready=False,
        problems=["the daemon is not running"],
    )
    assert status.render(bare) == "torhaus 1  site x  NOT RUNNING\n  ! the daemon is not running"


def test_of_a_running_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    config = ("--config", str(home.config))

    async def go() -> None:
        async with running(home.app({})):
            assert await asyncio.to_thread(run, status, "status", *config) == 0
            assert await asyncio.to_thread(run, status, "status", "--json", *config) == 0
            assert await asyncio.to_thread(run, queue, "queue", "--json", *config) == 0
            assert await asyncio.to_thread(run, scans, "scans", "list", *config) == 64  # none are configured

    asyncio.run(go())
    text, as_json, forwarders = capsys.readouterr().out.rsplit("\n", 3)[:3]
    assert "site test  ready, up 0 s" in text
    assert json.loads(as_json)["ready"] is True
    assert list(json.loads(forwarders)) == ["archive"]


def test_when_it_is_down_hangs_or_is_misconfigured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    config = ("--config", str(home.config))
    assert run(status, "status", *config) == 69
    assert "NOT RUNNING" in capsys.readouterr().out
    home.store.mkdir()
    (home.store / "state.db").write_bytes(b"no database" * 100)
    assert run(status, "status", *config) == 74
    assert "not a database" in capsys.readouterr().err
    home.write("[nonsense]\n")
    assert run(status, "status", "--json", *config) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{home.config}:11: nonsense: ")


def test_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    turns = iter([None, None, KeyboardInterrupt])

    def sleep(_: float) -> None:
        error = next(turns)
        if error is not None:
            raise error

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(status, "fetch", lambda _: full())
    assert run(status, "status", "--watch") == 0
    assert capsys.readouterr().out == (GOLDEN + "\n\n") * 3
