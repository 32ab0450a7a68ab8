"""What was counted between two readings, and when that cannot be known."""

import random

import pytest

from torhaus.codecs.meter.counter import Delta, Step, between


@pytest.mark.parametrize(
    ("before", "now", "full", "most", "want"),
    [
        (None, 5, None, None, Delta(Step.FIRST)),
        (5, 5, None, None, Delta(Step.COUNTED, 0)),
        (5, 12, None, None, Delta(Step.COUNTED, 7)),
        (12345.6, 12345.7, None, None, Delta(Step.COUNTED, 0.1)),
        (65_530, 4, 65_536, None, Delta(Step.OVERFLOW, 10)),
        (99_999.9, 0.2, 100_000.0, None, Delta(Step.OVERFLOW, 0.3)),
        (65_530, 4, None, None, Delta(Step.EXCHANGED)),
        (30_000, 4, 65_536, None, Delta(Step.EXCHANGED)),
        (65_530, 60_000, 65_536, 1000, Delta(Step.EXCHANGED)),
        (5, 5000, None, 100, Delta(Step.EXCHANGED)),
    ],
)
def test_between(before: float | None, now: float, full: float | None, most: float | None, want: Delta) -> None:
    found = between(before, now, full, most)
    assert found.step is want.step
    assert found.value == pytest.approx(want.value) if want.value is not None else found.value is None


@pytest.mark.parametrize(("before", "now", "full"), [(-1, 5, None), (1, float("nan"), None), (1, 70_000, 65_536)])
def test_what_is_no_counter(before: float, now: float, full: float | None) -> None:
    with pytest.raises(ValueError, match="a counter"):
        between(before, now, full)


def test_all_that_was_counted_is_the_sum() -> None:
    """A pulse counter of 16 bits over many rounds."""
    rng, true, before, summed = random.Random(1), 0, 0, 0.0
    for _ in range(2000):
        true += rng.randint(0, 6000)
        found = between(before, true % 65_536, 65_536)
        assert found.value is not None
        summed += found.value
        before = true % 65_536
    assert summed == true
