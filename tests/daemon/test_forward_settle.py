"""The books of one forwarder: what an Outcome does to each item, whatever it says."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.clocks import FakeClock
from tests.daemon.forward_fakes import reading
from torhaus.codecs.model import Stamp
from torhaus.daemon.forward.base import Outcome
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.forward.settle import (
    EPISODE_S,
    INLINE_TRIES,
    MAX_DEAD_LETTERS,
    MAX_SET_ASIDE,
    SET_ASIDE_LONGEST_S,
    SET_ASIDE_S,
    Settlement,
)
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import SetAside
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

KEY = ("city", MAIN)


def stored(pos: int) -> Stored:
    return Stored(pos, "3f2a91c0", pos, "b" * 32, Stamp(1, 1, synced=True), reading(pos))


def books(n: int, path: Path = Path("unused")) -> tuple[Settlement, Cursor, Outbox, list[Stored]]:
    """The books of a forwarder that has `n` records in its hands; the outbox is not opened."""
    clock = FakeClock()
    outbox = Outbox(path, "rathaus", clock, Limits(), Reporter())
    cursor = Cursor(Ranges(), n)
    batch = [stored(pos) for pos in range(n)]
    for s in batch:
        cursor.take(s.pos)
    return Settlement("city", outbox, MAIN, cursor, clock), cursor, outbox, batch


def test_accepted_as_a_whole_in_runs() -> None:
    it, cursor, _, batch = books(10)
    picked = [batch[i] for i in (0, 1, 2, 5, 7, 8)]
    assert it.settle(picked, Outcome(list(range(6))), late=True)
    assert list(cursor.settled) == [(0, 3), (5, 6), (7, 9)]
    assert (it.tally.accepted, it.tally.late, it.tally.kept) == (6, 6, 0)
    assert it.tally.last_success_ns == FakeClock().wall_ns()


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [
        (Outcome(), []),
        (Outcome([0, 0]), [0]),
        (Outcome([0, 5]), [0]),
        (Outcome([-1, 7]), []),
        (Outcome([0, 1], kept={1: "not yet"}), [0]),
        (Outcome([0, 1], rejected={7: "what?"}), [0, 1]),
        (Outcome(kept={0: "a", 1: "b", 9: "c"}), []),
    ],
)
def test_what_is_not_said_plainly_is_kept(outcome: Outcome, settled: list[int]) -> None:
    it, cursor, outbox, batch = books(2)
    moved = it.settle(batch, outcome, late=False)
    assert moved is bool(settled)
    assert [pos for pos in range(2) if pos in cursor.settled] == settled
    assert cursor.gap(0) == ((len(settled), 2) if len(settled) < 2 else None), "the others are within reach"
    assert it.tally.accepted == len(settled)
    assert it.tally.kept == 2 - len(settled)
    assert not outbox.flush


def test_an_item_both_accepted_and_rejected_is_kept_as_a_dead_letter() -> None:
    it, cursor, outbox, batch = books(2)
    it.settle(batch, Outcome([0, 1], {1: "bad"}), late=False)
    assert it.tally.accepted == 1
    assert [(x.pos, x.reason, x.stored) for x in outbox.flush.dead[KEY]] == [(1, "bad", batch[1])]
    assert list(cursor.settled) == [(0, 2)]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 6),
    st.lists(st.integers(-1, 7), max_size=8),
    st.dictionaries(st.integers(-1, 7), st.just("r")),
    st.dictionaries(st.integers(-1, 7), st.just("k")),
)
def test_every_item_is_in_one_place(
    n: int, accepted: list[int], rejected: dict[int, str], kept: dict[int, str]
) -> None:
    it, cursor, outbox, batch = books(n)
    it.settle(batch, Outcome(accepted, rejected, kept), late=False)
    dead = [x.pos for x in outbox.flush.dead.get(KEY, [])]
    open_ = [pos for pos in range(n) if pos not in cursor.settled]
    assert it.tally.accepted + it.tally.rejected + it.tally.kept == n
    assert len(dead) == it.tally.rejected
    assert len(open_) == it.tally.kept
    proved = set(accepted) - rejected.keys() - kept.keys()
    assert {pos for pos in range(n) if pos in cursor.settled} - set(dead) == proved & set(range(n))


def keep_first(it: Settlement, batch: list[Stored], *, alone: bool = False) -> None:
    outcome = Outcome([] if alone else list(range(1, len(batch))), kept={0: "no"})
    it.settle(batch[:1] if alone else batch, outcome, late=True)


def test_set_aside_after_so_many_tries_beside_others() -> None:
    it, cursor, outbox, batch = books(3)
    for n in range(INLINE_TRIES - 1):
        assert it.tries(0) == n
        keep_first(it, batch)
        assert 0 not in cursor.settled
    keep_first(it, batch)
    assert 0 in cursor.settled
    assert (it.aside, it.tries(0)) == (1, 0)
    (one,) = outbox.flush.set_aside[KEY]
    retry_at = FakeClock().wall_ns() + int(SET_ASIDE_S * 1e9)
    assert one == SetAside(0, 0, retry_at, "no", batch[0])


def test_alone_it_counts_only_when_others_were_taken_meanwhile() -> None:
    it, cursor, _, batch = books(200)
    for _ in range(50):
        keep_first(it, batch, alone=True)
    assert it.tries(0) == 0, "a far side that takes nothing is not the item's fault"
    for n in range(1, INLINE_TRIES):
        it.settle([batch[n]], Outcome([0]), late=False)
        keep_first(it, batch, alone=True)
        assert it.tries(0) == n
    it.settle([batch[100]], Outcome([0]), late=False)
    keep_first(it, batch, alone=True)
    assert 0 in cursor.settled
    assert it.aside == 1


def test_tries_are_forgotten_when_it_is_taken() -> None:
    it, _, _, batch = books(3)
    keep_first(it, batch)
    assert it.tries(0) == 1
    it.settle(batch, Outcome([0, 1, 2]), late=True)
    assert it.tries(0) == 0


def test_beyond_the_limit_they_hold_up_the_backlog() -> None:
    it, cursor, outbox, batch = books(3)
    it.aside = MAX_SET_ASIDE
    for _ in range(3 * INLINE_TRIES):
        keep_first(it, batch)
    assert 0 not in cursor.settled
    assert not outbox.flush.set_aside


def test_without_room_for_dead_letters_what_is_refused_is_kept() -> None:
    it, cursor, outbox, batch = books(3)
    it.dead = MAX_DEAD_LETTERS - 1
    assert it.settle(batch, Outcome([2], {0: "bad", 1: "worse"}), late=False)
    assert (it.dead, it.tally.rejected, it.tally.kept) == (MAX_DEAD_LETTERS, 1, 1)
    assert [x.pos for x in outbox.flush.dead[KEY]] == [0]
    assert list(cursor.settled) == [(0, 1), (2, 3)]
    outcome = Outcome(rejected={0: "worse"})
    assert not it.settle([batch[1]], outcome, late=True), "nothing has moved: the runner makes a pause"
    assert outcome.kept == {0: "no room for dead letters: worse"}
    assert cursor.gap(0) == (1, 2)


def test_dead_letters_are_told_once_in_an_episode(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    it, _, outbox, batch = books(5)
    it.settle(batch[:3], Outcome(rejected={0: "bad", 1: "bad", 2: "bad"}), late=False)
    (line,) = caplog.records
    assert (line.getMessage(), line.__dict__["fields"]) == ("dead letter", {"forwarder": "city", "reason": "bad"})
    assert isinstance(outbox.clock, FakeClock)
    for n in (3, 4):
        outbox.clock.advance(EPISODE_S + 1)
        it.settle([batch[n]], Outcome(rejected={0: "bad"}), late=False)
        assert len(caplog.records) == n - 1


# -- with the state on disk --------------------------------------------------------------------------------------------

Body = Callable[[Settlement, Outbox, FakeClock, list[Stored]], Coroutine[Any, Any, None]]


def on_disk(path: Path, body: Body) -> None:
    async def main() -> None:
        it, _, outbox, batch = books(3, path)
        await outbox.open()
        await it.load()
        clock = outbox.clock
        assert isinstance(clock, FakeClock)
        try:
            await body(it, outbox, clock, batch)
        finally:
            await outbox.close()

    asyncio.run(main())


async def due(it: Settlement, clock: FakeClock) -> list[SetAside]:
    clock.advance(1.5)
    return await it.due()


def test_the_pauses_of_one_set_aside_grow_up_to_a_bound(tmp_path: Path) -> None:
    async def body(it: Settlement, outbox: Outbox, clock: FakeClock, batch: list[Stored]) -> None:
        for _ in range(INLINE_TRIES):
            keep_first(it, batch)
        await outbox.save()
        pauses = []
        last = clock.boot_ns()
        for tries in range(9):
            while not (found := await due(it, clock)):
                clock.advance(5)
            (one,) = found
            assert (one.pos, one.tries, one.reason, one.stored) == (0, tries, "no", batch[0])
            pauses.append((clock.boot_ns() - last) / 1e9)
            last = clock.boot_ns()
            await it.settle_due(one, Outcome(kept={0: "no"}))
        bounds = [min(SET_ASIDE_LONGEST_S, SET_ASIDE_S * 2**n) for n in range(9)]
        assert all(bound <= pause < bound + 9 for bound, pause in zip(bounds, pauses, strict=True)), pauses
        assert it.aside == 1

    on_disk(tmp_path, body)


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [(Outcome([0]), {}), (Outcome(rejected={0: "never"}), {"city": (0, 1)}), (Outcome(), {"city": (1, 0)})],
)
def test_what_becomes_of_one_set_aside_is_on_disk_at_once(
    tmp_path: Path, outcome: Outcome, counts: dict[str, tuple[int, int]]
) -> None:
    async def body(it: Settlement, outbox: Outbox, clock: FakeClock, batch: list[Stored]) -> None:
        for _ in range(INLINE_TRIES):
            keep_first(it, batch)
        await outbox.save()
        clock.advance(SET_ASIDE_S)
        (one,) = await due(it, clock)
        await it.settle_due(one, outcome)
        assert await outbox.on_state(lambda s: s.counts()) == counts
        assert it.aside == counts.get("city", (0, 0))[0]
        again = Settlement("city", outbox, MAIN, Cursor(Ranges(), 3), clock)
        await again.load()
        assert again.aside == it.aside

    on_disk(tmp_path, body)


def test_dead_letters_on_disk_count_and_a_person_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torhaus.daemon.forward.settle.MAX_DEAD_LETTERS", 2)

    async def body(it: Settlement, outbox: Outbox, clock: FakeClock, batch: list[Stored]) -> None:
        it.settle(batch, Outcome(rejected=dict.fromkeys(range(3), "bad")), late=False)
        again = Settlement("city", outbox, MAIN, Cursor(Ranges(), 3), clock)
        await again.load()
        assert again.dead == 2, "also those that are not on disk yet"
        await outbox.save()
        await again.load()
        assert again.dead == 2
        one = SetAside(2, 7, 0, "no", batch[2])
        await again.settle_due(one, Outcome(rejected={0: "bad"}))
        assert await outbox.on_state(lambda s: s.counts()) == {"city": (1, 2)}
        number = await outbox.on_state(lambda s: s.dead_letters()[0].number)
        await outbox.on_state(lambda s: s.drop_dead_letter(number))
        await due(again, clock)
        assert again.dead == 1
        await again.settle_due(one, Outcome(rejected={0: "bad"}))
        assert await outbox.on_state(lambda s: s.counts()) == {"city": (0, 2)}

    on_disk(tmp_path, body)


def test_it_looks_once_a_second_at_most(tmp_path: Path) -> None:
    async def body(it: Settlement, outbox: Outbox, clock: FakeClock, batch: list[Stored]) -> None:
        for _ in range(INLINE_TRIES):
            keep_first(it, batch)
        await outbox.save()
        assert await it.due() == []
        clock.advance(SET_ASIDE_S)
        assert len(await it.due()) == 1
        clock.advance(0.5)
        assert await it.due() == []
        clock.advance(0.5)
        assert len(await it.due()) == 1

    on_disk(tmp_path, body)
