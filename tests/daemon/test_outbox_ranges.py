import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from torhaus.daemon.outbox.ranges import Ranges, count_union, free, runs

TOP = 60
positions = st.integers(0, TOP)


class AgainstASet(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ranges = Ranges()
        self.plain: set[int] = set()

    @rule(start=positions, end=positions)
    def add(self, start: int, end: int) -> None:
        self.ranges.add(start, end)
        self.plain |= set(range(start, end))

    @rule(start=positions, end=positions)
    def remove(self, start: int, end: int) -> None:
        self.ranges.remove(start, end)
        self.plain -= set(range(start, end))

    @rule(position=positions)
    def forget_below(self, position: int) -> None:
        self.ranges.forget_below(position)
        self.plain |= set(range(position))

    @rule(start=positions, end=positions)
    def count(self, start: int, end: int) -> None:
        assert self.ranges.count(start, end) == len(self.plain & set(range(start, end)))

    @rule(start=positions, end=positions)
    def gap(self, start: int, end: int) -> None:
        free = [p for p in range(start, end) if p not in self.plain]
        found = self.ranges.gap(start, end)
        if not free:
            assert found is None
            return
        stretch = [free[0]]
        for p in free[1:]:
            if p != stretch[-1] + 1:
                break
            stretch.append(p)
        assert found == (stretch[0], stretch[-1] + 1)

    @rule()
    def again_from_its_own_list(self) -> None:
        assert Ranges(list(self.ranges)) == self.ranges
        assert Ranges(reversed(list(self.ranges))) == self.ranges

    @invariant()
    def holds_what_the_set_holds(self) -> None:
        assert [p for p in range(TOP + 1) if p in self.ranges] == sorted(self.plain)

    @invariant()
    def is_in_its_smallest_form(self) -> None:
        flat = [p for pair in self.ranges for p in pair]
        assert flat == sorted(set(flat))
        assert len(self.ranges) == len(flat) // 2


AgainstASet.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAgainstASet = AgainstASet.TestCase


def test_batches_in_order_stay_one_range() -> None:
    settled = Ranges()
    for i in range(10_000):
        settled.add(i * 10, i * 10 + 10)
    assert list(settled) == [(0, 100_000)]


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5), max_size=3), st.integers(0, 30)
)
def test_what_is_free_of_several_sets(sets: list[list[tuple[int, int]]], start: int) -> None:
    taken = [{p for low, high in ranges for p in range(low, high)} for ranges in sets]
    kept = [p for p in range(start, 30) if not any(p in one for one in taken)]
    expected = None
    if kept:
        end = kept[0]
        while end in kept:
            end += 1
        expected = kept[0], end
    assert free(start, 30, *map(Ranges, sets)) == expected


@given(*[st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5)] * 2, st.integers(0, 30))
def test_the_positions_in_either_of_two_sets(a: list[tuple[int, int]], b: list[tuple[int, int]], start: int) -> None:
    union = {p for low, high in (*a, *b) for p in range(low, high) if p >= start}
    assert count_union(start, 30, Ranges(a), Ranges(b)) == len(union)


@pytest.mark.parametrize(
    ("positions", "found"),
    [([], []), ([3], [(3, 4)]), ([3, 4, 5, 7, 8, 1], [(3, 6), (7, 9), (1, 2)]), ([2, 2], [(2, 3), (2, 3)])],
)
def test_positions_as_stretches(positions: list[int], found: list[tuple[int, int]]) -> None:
    assert list(runs(positions)) == found
