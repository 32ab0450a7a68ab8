"""A set of positions as few half-open ranges: what a forwarder has settled."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """Positions, kept as sorted, disjoint, non-adjacent ranges [start, end)."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Put [start, end) in; empty ranges change nothing."""
        if start >= end:
            return
        ends = self._ends
        if ends and start == ends[-1]:  # the ordinary case: the next batch
            ends[-1] = end
            return
        low = bisect_left(ends, start)
        high = bisect_right(self._starts, end)
        if low < high:
            start = min(start, self._starts[low])
            end = max(end, ends[high - 1])
        self._starts[low:high] = [start]
        ends[low:high] = [end]

    def remove(self, start: int, end: int) -> None:
        """Take [start, end) out."""
        if start >= end:
            return
        low = bisect_right(self._ends, start)
        high = bisect_left(self._starts, end)
        if low >= high:
            return
        keep: list[tuple[int, int]] = []
        if self._starts[low] < start:
            keep.append((self._starts[low], start))
        if self._ends[high - 1] > end:
            keep.append((end, self._ends[high - 1]))
        self._starts[low:high] = [s for s, _ in keep]
        self._ends[low:high] = [e for _, e in keep]

    def __contains__(self, position: int) -> bool:
        i = bisect_right(self._starts, position) - 1
        return i >= 0 and position < self._ends[i]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    def __len__(self) -> int:
        return len(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment] # it changes

    def gap(self, start: int, end: int) -> tuple[int, int] | None:
        """The lowest stretch of [start, end) that is not in the set; None when all of it is."""
        i = bisect_right(self._starts, start) - 1
        if i >= 0 and start < self._ends[i]:
            start = self._ends[i]
        if start >= end:
            return None
        nxt = self._starts[i + 1] if i + 1 < len(self._starts) else end
        return start, min(nxt, end)

    def count(self, start: int, end: int) -> int:
        """How many positions of [start, end) are in the set."""
        if start >= end:
            return 0
        low = bisect_right(self._ends, start)
        high = bisect_left(self._starts, end)
        return sum(min(self._ends[i], end) - max(self._starts[i], start) for i in range(low, high))

    def forget_below(self, position: int) -> None:
        """Everything below `position` counts as settled: its records are no longer in the log."""
        self.add(0, position)


def runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Positions as stretches [start, end) of such as follow each other, in the order in which they come."""
    start = end = -1
    for pos in positions:
        if pos != end:
            if start < end:
                yield start, end
            start = pos
        end = pos + 1
    if start < end:
        yield start, end


def free(start: int, end: int, *sets: Ranges) -> tuple[int, int] | None:
    """The lowest stretch of [start, end) that is in none of the sets; None when there is none."""
    if start >= end:
        return None
    moved = True
    while moved and start < end:
        moved = False
        for one in sets:
            gap = one.gap(start, end)
            if gap is None:
                return None
            if gap[0] > start:
                start, moved = gap[0], True
    if start >= end:
        return None
    return start, min((gap[1] for one in sets if (gap := one.gap(start, end)) is not None), default=end)


def count_union(start: int, end: int, first: Ranges, second: Ranges) -> int:
    """How many positions of [start, end) are in at least one of two sets; cheap when the second is small."""
    both = sum(first.count(max(low, start), min(high, end)) for low, high in second)
    return first.count(start, end) + second.count(start, end) - both
