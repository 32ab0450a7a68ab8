import argparse
import time
from collections.abc import Iterator

import pytest

from torhaus.daemon.cli.moment import moment, parse_moment

NOW = 1_795_000_000 * 10**9


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("45min", 2700), ("2h", 7200), ("3 d", 259_200), ("1w", 604_800)]
)
def test_ago(text: str, seconds: int) -> None:
    assert parse_moment(text, NOW) == NOW - seconds * 10**9


def test_long_ago_is_the_beginning() -> None:
    assert parse_moment("999999999w", NOW) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-18T15:06:40Z", 1_795_014_400 * 10**9),
        ("2026-11-18T16:06:40.25+01:00", 1_795_014_400_250_000_000),
        ("2026-11-18T16:06:40", 1_795_014_400 * 10**9),
        ("2026-11-18", 1_794_956_400 * 10**9),
        (" 2026-07-18 ", 1_784_325_600 * 10**9),
    ],
)
def test_a_day_and_a_time_without_offset_are_the_boxs_own(berlin: None, text: str, expected: int) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2h30", "-2h", "1969-01-01", "2026-13-01", "9" * 400, "2h\x00", chr(0x663) + "h"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (be a time such as|not be before)"):
        parse_moment(text, NOW)
    with pytest.raises(argparse.ArgumentTypeError):
        moment(text)
