import io
import json
import logging
import math
import os
from collections.abc import Iterator

import pytest

from torhaus.daemon import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (logs.logger.handlers[:], logs.logger.level, logs.logger.propagate, root.handlers[:], root.level)
    yield io.StringIO()
    logs.logger.handlers[:], logs.logger.level, logs.logger.propagate, root.handlers[:], root.level = before
    root.setLevel(before[4])  # clears the cache of what is enabled


def boom(text: str) -> BaseException:
    with pytest.raises(ValueError) as caught:
        _raise(text)
    return caught.value


def _raise(text: str) -> None:
    raise ValueError(text)


NASTY = "a\nb\r\x1b[31m\x85c\u2028d\x00 \udcff ä"


def test_the_journal_has_a_priority_on_every_line(out: io.StringIO) -> None:
    logs.set_up("debug", "journal", out)
    logs.info("ready", site="rathaus", path="/var/lib/torhaus", none=None)
    logs.warning("driver", detail="two words")
    logs.error("defect", boom(f"first\nsecond {NASTY}"), component="x")
    lines = out.getvalue().splitlines()
    assert lines[0] == "<6>ready site=rathaus path=/var/lib/torhaus"
    assert lines[1] == '<4>driver detail="two words"'
    assert lines[2] == "<3>defect component=x"
    assert len(lines) > 6
    assert all(line.startswith("<3>") for line in lines[2:])
    assert out.getvalue().count("\n") == len(lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("format_", ["journal", "text"])
def test_nobody_writes_lines_of_their_own(out: io.StringIO, format_: str) -> None:
    logs.set_up("info", format_, out)
    logs.info("gateway", peer=NASTY, other='say "no"', empty="")
    logs.logger.info(f"event {NASTY}")
    text = out.getvalue()
    assert len(text.splitlines()) == 2
    assert all(line.isprintable() for line in text.splitlines())
    assert r'peer="a\nb\r\x1b[31m\x85c\u2028d\x00 \udcff ä"' in text
    assert """other="say 'no'" empty=""\n""" in text


def test_text_has_time_and_level(out: io.StringIO) -> None:
    logs.set_up("info", "text", out)
    logs.warning("slow", n=3)
    at, level, rest = out.getvalue().split(maxsplit=2)
    assert len(at) == len("2026-01-01T00:00:00.000Z")
    assert at.endswith("Z")
    assert (level, rest) == ("warning", "slow n=3\n")


def test_json(out: io.StringIO) -> None:
    logs.set_up("info", "json", out)
    logs.info("gateway", peer=NASTY, known=True, left_out=None, n=3, s=0.5, seq=2**60, odd=math.nan, backlog={"a": 1})
    logs.error("defect", boom(NASTY))
    logs.error("no exception")
    first, second, third = map(json.loads, out.getvalue().split("\n")[:-1])
    assert first == {
        "at": first["at"],
        "level": "info",
        "event": "gateway",
        "peer": NASTY.replace("\udcff", "\\udcff"),
        "known": True,
        "n": 3,
        "s": 0.5,
        "seq": str(2**60),
        "odd": "nan",
        "backlog": "{'a': 1}",
    }
    assert "ValueError" in second["traceback"]
    assert "traceback" not in third


@pytest.mark.parametrize("format_", ["journal", "text", "json"])
def test_everything_is_bounded(out: io.StringIO, format_: str) -> None:
    logs.set_up("info", format_, out)
    logs.info("x" * 100_000, value="y" * 100_000)
    logs.error("defect", boom("z" * 100_000))
    logs.error("defect", boom("line\n" * 100_000))
    assert max(map(len, out.getvalue().splitlines())) < 60_000
    assert len(out.getvalue()) < 60_000


def test_levels(out: io.StringIO) -> None:
    logs.set_up("warning", "text", out)
    logs.info("not this")
    logs.warning("this")
    assert len(out.getvalue().splitlines()) == 1


def test_libraries_look_the_same_and_are_told_once(out: io.StringIO) -> None:
    logs.set_up("info", "journal", out)
    logs.set_up("info", "journal", out)
    logging.getLogger("aiohttp.server").error("Error handling\nrequest")
    logging.getLogger("aiohttp.access").info("not this")
    logs.info("once")
    assert out.getvalue() == "<3>Error handling\\nrequest\n<6>once\n"


def test_auto(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    logs.set_up("info", "auto", out)
    logs.info("a")
    monkeypatch.delenv("JOURNAL_STREAM")
    logs.set_up("info", "auto", out)
    logs.info("b")
    monkeypatch.setattr(out, "isatty", lambda: True)
    logs.set_up("info", "auto", out)
    logs.info("c")
    journal, as_json, text = out.getvalue().splitlines()
    assert journal == "<6>a"
    assert json.loads(as_json)["event"] == "b"
    assert text.endswith("info    c")
    assert "JOURNAL_STREAM" not in os.environ
