"""`[scan.release]` and `[scan.retention]`: how many documents are looked at, when paper may go, when our copies go."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import msgspec

from torhaus.codecs.cover_sheet import WORD
from torhaus.daemon.scans.stations import Name

Word = Annotated[str, msgspec.Meta(pattern=rf"^{WORD}\Z")]
Percent = Annotated[float, msgspec.Meta(gt=0, le=100, description="more than 0 and at most 100")]
Days = Annotated[int, msgspec.Meta(ge=0, le=36_500, description="whole days, 0 to 36500")]


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    station: Name | None = None
    class_: Word | None = msgspec.field(default=None, name="class")


class ReleaseRule(_Rule, frozen=True, forbid_unknown_fields=True):
    """What holds for a class, a station or both; the first one that fits counts."""

    sample_percent: Percent | None = None
    delay_days: Days | None = None


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Quality control by samples, and from when on paper may be destroyed (BSI TR-03138 V1.5, A.SC.8, A.O.1 i)."""

    sample_percent: Percent = 4.0  # of each batch and class, at least one document
    delay_days: Days = 180  # after the target's bytes were verified
    automatic: bool = False  # released by itself when its day has come; else by `torhaus scans release`
    rule: tuple[ReleaseRule, ...] = ()

    def percent(self, station: str, class_: str | None) -> float:
        """How many of a hundred are looked at."""
        values = (r.sample_percent for r in _fitting(self.rule, station, class_))
        return next((v for v in values if v is not None), self.sample_percent)

    def delay_ns(self, station: str, class_: str | None) -> int:
        """How long paper is kept after its image was verified."""
        values = (r.delay_days for r in _fitting(self.rule, station, class_))
        return next((v for v in values if v is not None), self.delay_days) * DAY_NS


class RetentionRule(_Rule, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long copies of a class, of a station or of both are kept; the first one that fits counts."""

    keep_days: Days


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the box's own copies are deleted. What is held or in quarantine is kept until a person decides."""

    keep_days: Days = 14
    from_: Literal["verified", "released"] = msgspec.field(default="verified", name="from")
    rule: tuple[RetentionRule, ...] = ()

    def keep(self, station: str, class_: str | None) -> tuple[int, str]:
        """How many days, and which rule says so, for the journal."""
        for number, rule in enumerate(self.rule):
            if fits(rule, station, class_):
                return rule.keep_days, f"scan.retention.rule[{number}]"
        return self.keep_days, "scan.retention"

    @property
    def least_days(self) -> int:
        """Before that nothing is deleted."""
        return min((self.keep_days, *(r.keep_days for r in self.rule)))


DAY_NS = 86_400 * 1_000_000_000
R = TypeVar("R", bound=_Rule)


def fits(rule: _Rule, station: str, class_: str | None) -> bool:
    """Whether it speaks of such documents."""
    return rule.station in {None, station} and rule.class_ in {None, class_}


def _fitting(rules: Sequence[R], station: str, class_: str | None) -> list[R]:
    return [rule for rule in rules if fits(rule, station, class_)]


def release_faults(release: Release | None, retention: Retention | None, stations: set[str]) -> list[tuple[str, str]]:
    """What is wrong between the values: (key, what)."""
    found = []
    for key, rules in (
        ("release", release.rule if release else ()),
        ("retention", retention.rule if retention else ()),
    ):
        for i, rule in enumerate(rules):
            if (rule.station, rule.class_) == (None, None):
                found.append((f"scan.{key}.rule[{i}]", "fits everything: name a station or a class"))
            if rule.station is not None and rule.station not in stations:
                found.append((f"scan.{key}.rule[{i}].station", f"no [[scan.station]] named {rule.station!r}"))
    if retention is not None and retention.from_ == "released" and release is None:
        found.append(("scan.retention.from", "is 'released', and there is no [scan.release]"))
    return found
