"""`torhaus lora queue` and `cancel`."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.home import running
from tests.daemon.lora_device import OtaaDevice
from tests.daemon.sending_home import home_of
from tests.daemon.test_cli_lora_send import parsed, run
from tests.daemon.test_lora_order_pages import post
from torhaus.daemon.cli import lora_queue
from torhaus.daemon.lora.order_pages import Shown


def test_the_table() -> None:
    facts = {"device": "ventil", "dev_eui": "a81758fffe0312ab", "fport": 10, "at_ns": 1_795_000_000 * 10**9}
    found = [
        Shown(id="a" * 12, state="waiting", payload="01", why="waits", left_s=7200.0, ref="a", **facts),  # type: ignore[arg-type]
        Shown(id="b" * 12, state="under_way", payload="00" * 20, confirmed=True, priority=3, tries=2, **facts),  # type: ignore[arg-type]
    ]
    head, first, second = (line.split() for line in lora_queue.render(found).splitlines())
    assert head == ["ID", "QUEUED", "(UTC)", "DEVICE", "FPORT", "PAYLOAD", "STATE", "TRIES", "LEFT"]
    assert first == [*f"{'a' * 12} 2026-11-18 11:06:40 ventil 10 01 waiting 0 2 h waits [a]".split()]
    assert second[4:] == ["10", "0000000000000000…", "(20)", "confirmed", "priority", "3", "under", "way", "2", "—"]
    assert lora_queue.render([]) == "no downlinks wait"


def test_from_the_daemon_and_from_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(tmp_path, OtaaDevice())
    args = parsed(home, "queue")
    assert args.run(args) == 69
    assert "no downlinks wait" in capsys.readouterr().out

    async def go() -> None:
        async with asyncio.timeout(20), running(home.app({})):
            one = await post(home, device="flur", fport=10, hex="0102")
            two = await post(home, device="hupe", fport=7, hex="03")
            assert await run(home, "cancel", two["id"]) == 0
            assert "cancelled" in capsys.readouterr().out
            assert await run(home, "cancel", two["id"]) == 69
            assert "done with" in capsys.readouterr().err
            assert await run(home, "cancel", "f" * 12) == 64
            assert await run(home, "cancel", "../x") == 64
            assert await run(home, "queue") == 0
            assert one["id"] in capsys.readouterr().out
            assert await run(home, "queue", "flur", "--json") == 0
            assert [s["id"] for s in json.loads(capsys.readouterr().out)] == [one["id"]]
            assert await run(home, "queue", "hupe", "--all") == 0
            assert "cancelled" in capsys.readouterr().out
            assert await run(home, "queue", "nobody") == 64

    asyncio.run(go())
    for words, count in (([], 1), (["--all"], 2), (["hupe"], 0), (["a81758fffe0312ab"], 1)):
        args = parsed(home, "queue", "--json", *words)
        assert args.run(args) == 69
        assert len(json.loads(capsys.readouterr().out)) == count
    args = parsed(home, "cancel", "f" * 12)
    assert args.run(args) == 69
    (home.store / "state.db").write_bytes(b"x" * 5000)
    args = parsed(home, "queue")
    assert args.run(args) == 74
    home.config.write_text("[site]\n")
    for words in (["queue"], ["cancel", "f" * 12]):
        args = parsed(home, *words)
        assert args.run(args) == 78
