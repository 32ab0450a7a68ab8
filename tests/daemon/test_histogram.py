import pytest

from torhaus.daemon.histogram import BUCKETS, Histogram


def test_histogram() -> None:
    h = Histogram()
    for value in (0.0, BUCKETS[0], BUCKETS[0] + 1e-9, BUCKETS[-1], 99.0):
        h.observe(value)
    assert (h.counts[0], h.counts[1], h.counts[-2], h.counts[-1]) == (2, 1, 1, 1)
    assert sum(h.counts) == 5
    assert h.sum == pytest.approx(sum((0.0, 2 * BUCKETS[0], BUCKETS[-1], 99.0)))
