"""`counters` of a `[[device]]`: which of its fields count up, so that what was counted can be worked out."""

from typing import Annotated

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0, description="a number above 0")]


class CounterRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One counter; both numbers are in the unit of the field.

    `full`: one more than the highest value that it can show; then it begins again at 0. Without it a lower value is
    always another meter. `most_per_h`: more than this cannot be counted in an hour; a reading that says so is of
    another meter.
    """

    full: Positive | None = None
    most_per_h: Positive | None = None


Counters = Annotated[dict[str, CounterRule], msgspec.Meta(max_length=64)]
"""By field."""
