"""Whose turn it is among the suspects."""

import pytest

from torhaus.daemon.scripts.host_model import Waiting
from torhaus.daemon.scripts.protocol import Job
from torhaus.daemon.scripts.turns import Turns


def waiting(name: str, ref: int = 0) -> Waiting:
    return Waiting(Job(name, name, b"", ref=ref), None, None)


def filled(**counts: int) -> Turns:
    turns = Turns()
    for name, count in counts.items():
        for ref in range(count):
            turns.add(waiting(name, ref))
    return turns


def served(turns: Turns, count: int, **cost: int) -> list[str]:
    found = []
    for _ in range(count):
        job = turns.next().job
        turns.charge(job.source_hash, cost.get(job.source_hash, 0))
        found.append(f"{job.source_hash}{job.ref}")
    return found


def test_equal_ones_take_turns() -> None:
    assert served(filled(a=3, b=2, c=1), 6) == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_the_one_with_the_least_time_is_next() -> None:
    assert served(filled(bad=3, good=5), 8, bad=100, good=1) == [
        *["bad0", "good0", "good1", "good2", "good3", "good4"],
        *["bad1", "bad2"],
    ]


def test_a_newcomer_waits_for_one_call_at_most() -> None:
    turns = filled(bad=50)
    assert served(turns, 10, bad=100) == [f"bad{n}" for n in range(10)]
    running = turns.next()
    turns.add(waiting("new"))
    turns.charge(running.job.source_hash, 100)
    assert turns.next().job.source_hash == "new"


def test_nothing_is_saved_up_by_keeping_quiet() -> None:
    turns = filled(quiet=1, busy=20)
    served(turns, 11, busy=100)
    for ref in range(20):
        turns.add(waiting("quiet", ref))
    order = served(turns, 8, quiet=100, busy=100)
    assert sum(name.startswith("busy") for name in order) == 4


def test_a_late_one_does_not_starve_one_that_has_used_much() -> None:
    turns = filled(old=20)
    served(turns, 10, old=1000)
    for ref in range(20):
        turns.add(waiting("late", ref))
    assert sum(name.startswith("old") for name in served(turns, 10, old=1000, late=1000)) >= 4


def test_counts_and_lines() -> None:
    turns = filled(a=3, b=2)
    assert (len(turns), turns.length("a"), turns.length("none")) == (5, 3, 0)
    first = turns.next()
    turns.put_back(first)
    assert [each.job.ref for each in turns.take_all("a")] == [0, 1, 2]
    assert (len(turns), list(turns.take_all("a"))) == (2, [])
    turns.forget("b")
    assert len(turns.clear()) == 2
    turns.forget("b")
    assert not turns
    with pytest.raises(IndexError):
        turns.next()
