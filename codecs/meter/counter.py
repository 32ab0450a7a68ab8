"""What a counter has counted between two readings: pulse counters and registers of meters.

A counter goes up, and starts again at 0 when it is full (at a power of two for pulse inputs, at a power of ten for
registers); or the meter was exchanged, and the new one begins somewhere lower. Which of the two it was can only be told
where it is known when the counter is full, and only if it was nearly full before.
"""

import math
from enum import StrEnum
from typing import Final

import msgspec

NEARLY_FULL: Final = 0.9
"""Of the range that a counter must have reached for a lower value to be taken for an overflow."""


class Step(StrEnum):
    """What happened between two readings."""

    FIRST = "first"  # there is none before
    COUNTED = "counted"
    OVERFLOW = "overflow"
    EXCHANGED = "exchanged"  # lower than before: another meter, or one that was reset


class Delta(msgspec.Struct, frozen=True, gc=False):
    """`value`: what was counted since the reading before; None where that cannot be known."""

    step: Step
    value: float | None = None


def between(before: float | None, now: float, full: float | None = None, most: float | None = None) -> Delta:
    """What was counted from `before` to `now`, both in the counter's unit.

    `full`: one more than the highest value it can show. `most`: more than this cannot have been counted meanwhile, so
    an overflow that would mean more is an exchange. Raises ValueError for numbers that are no counter's.
    """
    for number in (before, now):
        if number is not None and (not math.isfinite(number) or number < 0):
            raise ValueError("a counter is not negative, and a number")
    if full is not None and (now >= full or (before is not None and before >= full)):
        raise ValueError("a counter shows less than its range")
    if before is None:
        return Delta(Step.FIRST)
    if now >= before:
        counted = _exact(now, before)
        return Delta(Step.EXCHANGED) if most is not None and counted > most else Delta(Step.COUNTED, counted)
    if full is None or before < NEARLY_FULL * full:
        return Delta(Step.EXCHANGED)
    counted = _exact(full, before) + now
    if most is not None and counted > most:
        return Delta(Step.EXCHANGED)
    return Delta(Step.OVERFLOW, counted)


def _exact(high: float, low: float) -> float:
    """The difference without the noise of binary fractions: 12345.7 - 12345.6 is 0.1."""
    if isinstance(high, int) and isinstance(low, int):
        return high - low
    return round(high - low, 15 - len(str(int(high))))
