import io
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from torhaus.daemon.cli.live import Unreadable, watch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def interrupt_after(turns: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == turns:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    return slept


def test_one_block_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = interrupt_after(3, monkeypatch)
    answers: Iterator[int | Unreadable] = iter([Unreadable("gone", 69), 2])

    def fetch() -> int:
        answer = next(answers)
        if isinstance(answer, Unreadable):
            raise answer
        return answer

    out = io.StringIO()
    assert watch(1, fetch, lambda n: f"page {n}", out) == 0
    assert out.getvalue() == "page 1\n\ngone\n\npage 2\n\n"
    assert slept == [2.0] * 3


def test_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(2, monkeypatch)
    out = Terminal()
    assert watch(1, lambda: 2, str, out, tidy=False) == 0
    assert out.getvalue() == "1\n2\n"


def test_in_place_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(2, monkeypatch)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((10, 4)))
    out = Terminal()
    assert watch("a\nb\nc\nd", lambda: "x" * 20, str, out) == 0
    hide, first, second = out.getvalue().split("\x1b[H")
    assert hide == "\x1b[?25l\x1b[2J"
    assert first == "a\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J"
    assert second == "x" * 10 + "\x1b[K\n\x1b[J" + "\x1b[?25h"  # never blank in between, and the cursor comes back


def test_a_ctrl_c_that_got_lost_on_its_way_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    before = signal.getsignal(signal.SIGINT)

    def fetch() -> int:
        with suppress(KeyboardInterrupt):  # as the end of an event loop does
            signal.raise_signal(signal.SIGINT)
        return 2

    out = io.StringIO()
    assert watch(1, fetch, str, out) == 0
    assert out.getvalue() == "1\n\n"
    assert signal.getsignal(signal.SIGINT) is before
