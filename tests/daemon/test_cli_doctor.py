import asyncio
import json
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home, archive, running
from tests.daemon.outbox_fakes import replace
from tests.daemon.test_cli_status import run
from tests.daemon.test_offline import fill
from torhaus.daemon.cli import doctor
from torhaus.daemon.cli.doctor import Finding, examine
from torhaus.daemon.control import Refused

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil's


def found(home: Home, word: str) -> list[Finding]:
    return [f for f in examine(home.config) if word in f.what]


def test_no_store_and_no_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    [store] = found(home, "does not exist yet")
    assert store.grade == "ok"
    [daemon] = found(home, "not running")
    assert (daemon.grade, "systemctl start" in daemon.advice) == ("warn", True)
    assert run(doctor, "doctor", "--config", str(home.config)) == 0
    assert "      -> systemctl start torhaus" in capsys.readouterr().out


def test_a_corrupt_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    fill(home.store, 3)
    assert [f.grade for f in found(home, "is sound")] == ["ok", "ok"]
    (home.store / "state.db").write_bytes(b"no database" * 100)
    (home.store / "scans").mkdir()
    (home.store / "scans/scans.db").write_bytes(b"no database" * 100)
    (home.store / "log/x.db.corrupt-17").write_text("")
    bad = found(home, "not a database")
    assert [f.grade for f in bad] == ["bad", "bad"]
    assert ("sets the file aside" in bad[0].advice, "never set aside" in bad[1].advice) == (True, True)
    assert [f.grade for f in found(home, "was set aside")] == ["warn"]
    assert run(doctor, "doctor", "--json", "--config", str(home.config)) == 1
    assert {"grade": "bad", "what": bad[0].what, "advice": bad[0].advice} in json.loads(capsys.readouterr().out)


def test_serial_devices(tmp_path: Path) -> None:
    meter = '[[device]]\nname = "m"\ncodec = "sml"\n'
    home = Home(
        tmp_path,
        '[[driver]]\nname = "m"\ntype = "sml"\nlink = "serial:///dev/none?baud=9600"\ndevice = "m"\n',
        devices=meter,
    )
    [device] = found(home, "driver m: /dev/none")
    assert (device.grade, device.what) == ("bad", "driver m: /dev/none is not there")


@pytest.mark.parametrize(("free", "grade"), [(255 << 20, "bad"), (3 << 30, "warn"), (90 << 30, "ok")])
def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, grade: str) -> None:
    home = Home(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 << 30, 0, free))
    assert [f.grade for f in found(home, "free of 100.0 GiB")] == [grade]


def test_a_store_that_may_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    [one] = found(home, "Permission denied")
    assert one.grade == "bad"


def test_a_running_daemon(tmp_path: Path) -> None:
    home = Home(tmp_path, archive(tmp_path))

    async def go() -> None:
        app = home.app({})

        async def leave_it() -> None:
            """The daemon counts dead letters every two seconds, and there are none on its disk."""

        replace(app, "_count_dead_letters", leave_it)
        async with running(app):
            assert [f.grade for f in await asyncio.to_thread(found, home, "the daemon is running")] == ["ok"]
            app.watch.gone("scans", "busy")
            app.survey.dead_letters = {"archive": 2}
            [busy] = await asyncio.to_thread(found, home, "scans: busy")
            assert (busy.grade, "journalctl -u torhaus" in busy.advice) == ("bad", True)
            assert [f.grade for f in await asyncio.to_thread(found, home, "2 dead letters")] == ["warn"]

    asyncio.run(go())


def test_a_broken_configuration(tmp_path: Path) -> None:
    home = Home(tmp_path, "[nonsense]\n")
    [fault] = found(home, ":11: nonsense: ")
    assert (fault.grade, "torhaus check" in fault.advice) == ("bad", True)


def test_a_socket_that_is_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise Refused(f"{tmp_path}/torhaus.sock: permission denied")

    monkeypatch.setattr("torhaus.daemon.control.ask_as", refuse)
    home = Home(tmp_path)
    for may, advice in ((True, "systemctl restart torhaus"), (False, "run as root or as the user torhaus")):
        monkeypatch.setattr(os, "access", lambda *_, may=may: may)
        [one] = found(home, "torhaus.sock")
        assert (one.grade, advice in one.advice) == ("bad", True)
