"""Numbers on the command line: what is possible, and what is said of the rest."""

import argparse

import pytest

from torhaus.daemon.cli.number import seconds, whole


def test_numbers() -> None:
    assert [whole(0, 255)(text) for text in ("0", "255", "0x1F", " 7 ")] == [0, 255, 31, 7]
    assert [seconds(0.05, 60)(text) for text in ("0.05", "60", "1e1")] == [0.05, 60.0, 10.0]


@pytest.mark.parametrize("text", ["", "x", "-1", "256", "1.5", "0x", "0xg"])
def test_no_number(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number from 0 to 255, not "):
        whole(0, 255)(text)


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "61", "nan", "inf"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"must be seconds from 0\.05 to 60, not "):
        seconds(0.05, 60)(text)
