"""What a scenario is: a name, a function that measures once, and how its figures are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

Figures = dict[str, float]
"""What one run measured, by name. Names end in their unit; `report.py` knows by them what is better."""


class NotMeasured(Exception):  # noqa: N818 - a state of this machine, not a defect
    """This scenario cannot be measured here; the text says what is missing."""


class BenchError(Exception):
    """A run went wrong in a way that makes its figures worthless: records lost, a process that ended."""


class Plan(msgspec.Struct, frozen=True):
    """How much to measure: records sent, and records that wait where the size of a store is the question.

    `profile` is where a daemon's profile goes, None for none.
    """

    records: int = 200_000
    waiting: int = 500_000
    profile: Path | None = None


class Scenario(msgspec.Struct, frozen=True):
    """One row of the table.

    `main` is the figure the row is about; `reference` the name of the scenario to which it is set in ratio, within the
    same run of the bench. `targets` are what the project promises: "figure >= number" or "figure <= number"; the figure
    `ratio` is that to the reference.
    """

    name: str
    title: str
    run: Callable[[Plan], Figures]
    main: str
    reference: str | None = None
    targets: tuple[str, ...] = ()
    runs: int | None = None  # when several would only take time
    in_long: bool = False  # also measured by `make bench-long`
    claim: str = ""  # what a peer guarantees, in a few words


CHECK_S: Final = 0.02
"""How often a scenario looks whether it is done."""
