"""Collapsed stacks become lists, thread by thread."""

from bench.profile import summary

STACKS = """thread (1): MainThread;main (a.py:1);decode (b.py:2) 6
thread (1): MainThread;main (a.py:1);send (libc.so.6) 3
thread (1): MainThread;main (a.py:1) 1
thread (2): writer;work (c.py:3) 4
"""


def test_time_itself_and_with_what_it_calls() -> None:
    lines = summary(STACKS).splitlines()
    assert lines[0] == "thread (1): MainThread: 10 samples"
    assert lines[2].split() == ["60.0%", "decode", "(b.py:2)"]
    whole = lines[lines.index("  percent with what it calls") + 1 :]
    assert whole[0].split() == ["100.0%", "main", "(a.py:1)"]
    assert "thread (2): writer: 4 samples" in lines


def test_nothing_seen() -> None:
    assert summary("") == "\n"
