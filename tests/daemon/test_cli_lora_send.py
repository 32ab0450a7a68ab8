"""`torhaus lora send`."""

import argparse
import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.home import Home, running
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.sending_home import home_of, real_app
from torhaus.daemon.cli import lora, lora_send
from torhaus.daemon.cli.lora_send import NOT_RUNNING, _seconds
from torhaus.daemon.lora.queue import DownlinkQueue


def parsed(home: Home, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    lora.add(parser.add_subparsers())
    return parser.parse_args(["lora", *words, "--config", str(home.config)])


async def run(home: Home, *words: str) -> int:
    args = parsed(home, *words)
    code: int = await asyncio.to_thread(args.run, args)
    return code


def test_queued(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def go() -> None:
        async with asyncio.timeout(20), running(real_app(home)):
            words = ["--fport", "10", "--ref", "a", "--expires", "6h", "--priority", "2", "--confirmed"]
            assert await run(home, "send", "flur", "--hex", "0x01 02", *words) == 0
            out = capsys.readouterr().out
            assert "queued for flur, goes out after its next uplink" in out
            (item,) = await home.ask("/lora/downlinks")
            assert (item["payload"], item["priority"], item["confirmed"], item["ref"]) == ("0102", 2, True, "a")
            assert 21_000 < item["left_s"] <= 21_600
            assert await run(home, "send", "flur", "--base64", "AQ==", *words) == 0
            assert "queued before with this ref: waiting" in capsys.readouterr().out
            assert await run(home, "send", "flur", "--base64", "AQ==", "--fport", "10") == 0
            assert "behind 1" in capsys.readouterr().out
            monkeypatch.setattr("sys.stdin", io.StringIO('{"level": 8}'))
            assert await run(home, "send", "hupe", "--json", "-") == 0
            assert "loud" in capsys.readouterr().err
            for code, text, words in (
                (64, "nobody", ["nobody", "--hex", "00", "--fport", "1"]),
                (65, "no data rate", ["flur", "--hex", "00" * 243, "--fport", "1"]),
                (65, "1 to 223", ["flur", "--hex", "00", "--fport", "224"]),
                (65, "too loud", ["hupe", "--json", '{"level": 10}']),
                (64, "not JSON", ["hupe", "--json", "{"]),
                (69, "root keys", ["keller", "--hex", "00", "--fport", "1"]),
            ):
                assert await run(home, "send", *words) == code
                err = capsys.readouterr().err
                assert text in err
                assert "/lora" not in err

    asyncio.run(go())


@pytest.mark.parametrize(("end", "code"), [("acknowledged", 0), ("failed", 69)])
def test_following(tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str, code: int) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def go() -> None:
        app = home.app({})
        async with asyncio.timeout(20), running(app):
            assert app.joining.sending is not None
            queue: DownlinkQueue = app.joining.sending.queue
            loop, looks = asyncio.get_running_loop(), 0

            async def step() -> None:
                (item,) = queue.open()
                if item.place == "waiting":
                    assert await queue.take(item, 3)
                    queue.sent(item, 3)
                elif end == "acknowledged":
                    queue.acknowledged(item)
                else:
                    queue._finish(item, "failed", "because")

            def pause(_: float) -> None:
                nonlocal looks
                looks += 1
                asyncio.run_coroutine_threadsafe(step(), loop).result(5)

            args = parsed(home, "send", "flur", "--hex", "01", "--fport", "1", "--confirmed", "--follow")
            assert await asyncio.to_thread(lora_send.run, args, pause) == code
            lines = capsys.readouterr().out.splitlines()
            assert [line.split()[1] for line in lines] == ["queued", "unacknowledged", end]

    asyncio.run(go())


def test_without_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path, OtaaDevice())
    args = parsed(home, "send", "flur", "--hex", "01", "--fport", "1")
    assert args.run(args) == 69
    assert NOT_RUNNING in capsys.readouterr().err
    home.config.write_text("[site]\n")
    assert args.run(args) == 78


def test_interrupted(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(tmp_path, OtaaDevice())

    async def go() -> None:
        async with asyncio.timeout(20), running(home.app({})):

            def pause(_: float) -> None:
                raise KeyboardInterrupt

            args = parsed(home, "send", "flur", "--hex", "01", "--fport", "1", "--follow")
            assert await asyncio.to_thread(lora_send.run, args, pause) == 0
            assert "stays in the queue" in capsys.readouterr().err

    asyncio.run(go())


@pytest.mark.parametrize(("text", "seconds"), [("30min", 1800), ("6h", 21_600), ("2 d", 172_800), ("1w", 604_800)])
def test_times(text: str, seconds: int) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "-1h", "1y", "1.5h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        _seconds(text)


def test_the_payload_is_needed_once(tmp_path: Path) -> None:
    home = home_of(tmp_path, OtaaDevice())
    for words in ([], ["--hex", "00", "--base64", "AA=="]):
        with pytest.raises(SystemExit):
            parsed(home, "send", "flur", *words)


def test_what_is_sent_to_the_daemon(tmp_path: Path) -> None:
    args = parsed(home_of(tmp_path, OtaaDevice()), "send", "flur", "--hex", "01", "--fport", "7")
    order: dict[str, Any] = json.loads(json.dumps(lora_send._order(args)))
    assert order == {"device": "flur", "confirmed": False, "priority": 0, "fport": 7, "hex": "01"}
