import asyncio
import io
import json
import sys
from pathlib import Path

import msgspec
import pytest

from tests.daemon.home import Home, archive, running, stamp
from tests.daemon.test_cli_status import run
from tests.daemon.test_offline import fill
from torhaus.codecs.model import Stamp, Value
from torhaus.daemon.cli import queue
from torhaus.daemon.cli.letters import render
from torhaus.daemon.offline import read_letter, read_letters
from torhaus.daemon.outbox.record import Lora, Record, Stored
from torhaus.daemon.outbox.state import DeadLetter, Flush, SetAside, State
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.queue_pages import whole

READING = Record(
    "reading",
    "roof",
    "flur",
    "a81758fffe0312ab",
    "elsys",
    {"co2": Value(640, "[ppm]"), "door": Value(True)},
    lora=Lora(868_100_000, "LORA", "SF7BW125", fcnt=7),
    raw=b"\x01\xff",
)


def test_a_whole_letter_as_text() -> None:
    at = Stamp(stamp().wall_ns, 17 * 10**9, False)
    dead = DeadLetter(3, "city", MAIN, 9, stamp().wall_ns, "too \x1b big", Stored(9, "3f2a91c0", 17, "b0", at, READING))
    text = render(whole(dead, "test", {"b0": stamp().wall_ns}))
    assert text == (
        "number       3\nforwarder    city\nrefused at   2026-11-18T11:06:40.000Z\nreason       too \\x1b big\n"
        "id           test/3f2a91c0/17\n"
        "received     2026-11-18T11:06:40.000Z, corrected 2026-11-18T11:06:57.000Z (clock corrected)\n"
        "since boot   17.000 s, boot b0\nkind         reading\ndriver       roof\ndevice       flur\n"
        "DevEUI       a81758fffe0312ab\ncodec        elsys\n  co2        640 [ppm]\n  door       True\n"
        'radio        {"freq_hz":868100000,"modulation":"LORA","datarate":"SF7BW125","fcnt":7}\nraw          01ff'
    )
    unknown = render(whole(dead, "test", {}))
    assert "received     2026-11-18T11:06:40.000Z (clock unsynced)\n" in unknown
    frame = Record("frame", "x", reason="crc", detail="17", event={"a": 1})
    dead = msgspec.structs.replace(dead, stored=Stored(9, "3f2a91c0", 17, "b0", stamp(), frame))
    text = render(whole(dead, "test", {}))
    assert "no fields    crc 17\n" in text
    assert 'event        {"a":1}' in text


def test_show_while_it_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path, archive(tmp_path))
    config = ("--config", str(home.config))
    assert run(queue, "queue", "dead-letters", "show", "1", *config) == 64
    fill(home.store, 5)
    assert run(queue, "queue", "dead-letters", "show", "1", *config) == 0
    assert "id           test/3f2a91c0/17\n" in capsys.readouterr().out
    assert run(queue, "queue", "dead-letters", "show", "1", "--json", *config) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["number"], found["message"]["id"], found["raw_hex"]) == (1, "test/3f2a91c0/17", "")
    for none in ("2", "-1", str(1 << 70)):
        assert run(queue, "queue", "dead-letters", "show", *config, "--", none) == 64
    assert capsys.readouterr().err == "no such dead letter, or it was damaged on disk\n" * 3


def three(home: Home) -> None:
    state = State(home.store / "state.db")
    for name in ("archive", "other"):
        one = SetAside(5, 0, 0, "no", Stored(5, "3f2a91c0", 5, "b", stamp(), READING))
        state.save(Flush(dead={(name, MAIN): [one]}))
    state.close()


def test_a_person_decides_about_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, archive(tmp_path))
    config = ("--config", str(home.config))
    fill(home.store, 5)
    three(home)

    async def go() -> None:
        async def ask(*arguments: str) -> int:
            return await asyncio.to_thread(run, queue, "queue", "dead-letters", *arguments, *config)

        async with running(home.app({}, forwarders=[])):
            assert await ask("show", "2") == 0
            assert "co2        640 [ppm]" in capsys.readouterr().out
            assert await ask("show", "17") == 64
            assert capsys.readouterr().err == "no such dead letter, or it was damaged on disk\n"
            assert await ask("drop", "--all") == 64  # not a terminal
            assert "--yes" in capsys.readouterr().err
            assert await ask("drop", "17", "1") == 64  # the one that is not there does not keep the other
            assert capsys.readouterr().err == "17: no such dead letter\n"
            assert await ask("retry", "--all", "--forwarder", "archive") == 0
            assert capsys.readouterr().out == "1 record\n"
            assert await ask("drop", "--all", "--yes", "--forwarder", "nobody") == 0
            assert await ask("drop", "--all", "--yes") == 0
            assert capsys.readouterr().out == "0 records\n1 record\n"
            for wrong in (["drop"], ["retry", "1", "--all"], ["retry", "1", "--forwarder", "x"]):
                assert await ask(*wrong) == 64

    asyncio.run(go())
    assert read_letters(home.store, "test", None) == []
    state = State(home.store / "state.db", read_only=True)
    assert state.counts() == {"archive": (1, 0)}
    state.close()


@pytest.mark.parametrize(("answer", "code"), [("yes\n", 69), ("y\n", 64), ("\n", 64)])
def test_asked_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    home = Home(tmp_path)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(queue, "queue", "dead-letters", "drop", "--all", "--config", str(home.config)) == code  # 69: it is down


def test_a_damaged_letter_is_not_shown(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    state = State(tmp_path / "state.db")
    assert read_letter(tmp_path, "test", 1) is not None
    state.conn.execute("UPDATE dead_letter SET stored = x'00'")
    state.close()
    assert read_letter(tmp_path, "test", 1) is None
