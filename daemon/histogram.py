"""Observations of durations, kept as plain integers; metrics.py reads them when it is scraped."""

from bisect import bisect_left
from typing import Final

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds in seconds."""


class Histogram:
    """Observations by bucket."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, value: float, count: int = 1) -> None:
        """So many observations of the same value."""
        self.sum += value * count
        self.counts[bisect_left(BUCKETS, value)] += count
