"""`torhaus lora watch` against a daemon that runs, one that has ended, and none."""

import argparse
import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.daemon.frame_fakes import ROOF, downlink, stored, uplink
from tests.daemon.home import Home, running, stamp, until
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon import control
from torhaus.daemon.cli import lora
from torhaus.daemon.cli.lora_watch import Screen
from torhaus.daemon.control import NotRunning, Refused
from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.lora.seen import Seen, seen_record
from torhaus.drivers.base import Host, LinkChanged

SEEN: Seen = seen_record("main", stored(uplink(7)), "rathaus")
LINE = msgspec.json.encode(SEEN) + b"\n"


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    lora.add(parser.add_subparsers())
    return parser.parse_args(["lora", "watch", *arguments])


def run(*arguments: str) -> int:
    args = parsed(*arguments)
    code: int = args.run(args)
    return code


def answers(monkeypatch: pytest.MonkeyPatch, *lines: bytes | BaseException) -> list[str]:
    """Have the daemon say these lines; what it is asked."""
    asked: list[str] = []

    def follow(_: Path, what: str) -> Iterator[bytes]:
        asked.append(what)
        for one in lines:
            if isinstance(one, BaseException):
                raise one
            yield one

    monkeypatch.setattr(control, "follow", follow)
    return asked


def test_a_running_daemon_and_then_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sensor = Sensor(1)
    home = Home(tmp_path, sensors=[sensor])
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(ROOF, rssi_dbm=-80)])

    async def deliver(host: Host) -> None:
        host.event(LinkChanged(True))
        host.deliver([Frame("x", sensor.uplink(), stamp(), radio), Frame("x", b"\x40bad", stamp(), radio)], [])
        await asyncio.Event().wait()

    async def go() -> list[int]:
        app = home.app({"x": deliver})
        async with running(app):
            await until(lambda: app.watch.committed_records == 2)
            await app.downlinks.send(downlink())
            config = ("--config", str(home.config), "--once")
            return [
                await asyncio.to_thread(run, *config, "--json"),
                await asyncio.to_thread(run, *config, "--device", sensor.name),
            ]

    assert asyncio.run(go()) == [0, 0]
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert [json.loads(line)["direction"] for line in lines[:3]] == ["up", "up", "down"]
    assert sensor.name in lines[3]
    assert ROOF in lines[-1]  # the table
    assert run("--config", str(home.config)) == 69
    out, err = capsys.readouterr()
    assert "the daemon is not running" in err
    assert sensor.name in out
    assert "short: " in out  # the stranger's frame
    assert run("--config", str(home.config), "--device", sensor.name, "--past", "0") == 69
    assert capsys.readouterr().out.strip() == "no frames yet"


def test_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    asked = answers(monkeypatch, LINE)
    assert run("--config", str(home.config), "--gateway", ROOF.upper(), "--past", "5") == 69
    assert run("--config", str(home.config), "--once") == 0
    assert asked == [f"/lora/frames?count=5&gateway={ROOF}&follow=1", "/lora/frames?count=20"]


def test_the_daemon_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answers(monkeypatch, LINE, NotRunning("gone"))
    assert run("--config", str(Home(tmp_path).config)) == 69
    out, err = capsys.readouterr()
    assert "flur" in out
    assert "the daemon has ended" in err


def test_ctrl_c_shows_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, LINE, b'{"skipped":3}\n', b"\n", KeyboardInterrupt())
    assert run("--config", str(Home(tmp_path).config)) == 0
    out, err = capsys.readouterr()
    assert "GATEWAY" in out
    assert "3 frames skipped" in err


@pytest.mark.parametrize("line", [b"{}\n", b"rubbish\n", b'{"skipped":"x"}\n'])
def test_a_daemon_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    answers(monkeypatch, line)
    assert run("--config", str(Home(tmp_path).config)) == 69
    assert "a daemon of another version answers" in capsys.readouterr().err


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", str(Home(tmp_path).config))
    answers(monkeypatch, Refused("too many are watching already", 503))
    assert run(*config) == 69
    assert "too many are watching" in capsys.readouterr().err
    assert run(*config, "--gateway", "12") == 64
    assert "--gateway: an EUI-64 has 16 hex digits" in capsys.readouterr().err
    assert run(*config, "--device", "nobody") == 64
    assert "there is no device 'nobody'" in capsys.readouterr().err
    assert run("--config", str(tmp_path / "none.toml")) == 78
    for text in ("-1", "1001", "x"):
        with pytest.raises(SystemExit):
            parsed("--past", text)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_that_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for out in (io.StringIO(), Terminal()):
        screen = Screen(parsed("--by-gateway"), out)
        screen.show(LINE)
        assert out.getvalue() == ""
        screen.show(b"\n")
        assert ROOF in out.getvalue()
        assert ("\x1b[H" in out.getvalue()) is out.isatty()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for no_colour, expected in ((None, True), ("1", False)):
        if no_colour is None:
            monkeypatch.delenv("NO_COLOR", raising=False)
        else:
            monkeypatch.setenv("NO_COLOR", no_colour)
        out = Terminal()
        Screen(parsed(), out).show(LINE)
        assert ("\x1b[32m" in out.getvalue()) is expected
