"""How closed batches stand: what is to be done next about each, and how many documents wait to be looked at."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.release.config import Release
from torhaus.daemon.scans.release.papers import DISCARDED, UNSEEN, VERIFIED, is_made_good


class Step(StrEnum):
    """What a batch needs next. The first that applies is told."""

    LOOK_AT_ALL = "look_at_all"  # a document was found bad: somebody must look at all the others, too
    LOOK = "look"  # somebody must look at the sample
    TROUBLE = "trouble"  # documents are bad, or their department says that something is wrong
    DELIVERY = "delivery"  # not everything has arrived at its target
    RELEASE = "release"  # paper may be released
    DELAY = "delay"  # all is well, the delay is running
    DONE = "done"  # all of its paper is released that ever will be


THROUGH: Final = frozenset({Step.RELEASE, Step.DELAY, Step.DONE})
"""All has arrived, and quality control is over."""


class LotStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A closed batch in numbers of documents.

    `sampled`: drawn to be looked at; `open`: those of them at which nobody has looked; `unseen`: all at which nobody
    has, and somebody can; `looked`: at which somebody has; `failed`: found bad, whatever became of it; `objected`: bad
    by quality control or by their department, and that is not dealt with; `settled`: that is; `discarded`: thrown away;
    `free_from_ns`: when the first paper that is not released may be; None: none, or nobody can say yet, as quality
    control is not over.
    """

    name: str
    drawn_ns: int
    count: int = 0
    sampled: int = 0
    open: int = 0
    unseen: int = 0
    looked: int = 0
    failed: int = 0
    undelivered: int = 0
    objected: int = 0
    settled: int = 0
    discarded: int = 0
    released: int = 0
    free_from_ns: int | None = None

    @property
    def to_look_at(self) -> int:
        """At how many documents somebody has to look."""
        return self.unseen if self.failed else self.open

    @property
    def there(self) -> int:
        """How many of its documents exist."""
        return self.count - self.discarded

    def can_release(self, now_ns: int) -> bool:
        """Whether some paper may be released now."""
        return not self.to_look_at and self.free_from_ns is not None and self.free_from_ns <= now_ns

    def step(self, now_ns: int) -> Step:
        """What it needs next."""
        if self.to_look_at:
            return Step.LOOK_AT_ALL if self.failed else Step.LOOK
        if self.objected:
            return Step.TROUBLE
        if self.undelivered:
            return Step.DELIVERY
        if self.released + self.settled == self.there:
            return Step.DONE
        return Step.RELEASE if self.can_release(now_ns) else Step.DELAY


_BAD: Final = "p.{0} IS NOT NULL AND p.{0} != 'ok'"
_SQL: Final = (
    "SELECT l.name, l.drawn_ns, s.station, p.class, count(*), sum(p.sampled), sum(p.sampled AND p.quality IS NULL),"  # noqa: S608 - our own pieces
    f" sum({UNSEEN}), sum(p.quality IS NOT NULL AND NOT {DISCARDED}), sum({_BAD.format('quality')}),"
    f" sum(p.released_ns IS NULL AND {VERIFIED} IS NULL AND NOT {DISCARDED}), sum(p.released_ns IS NOT NULL),"
    f" sum({DISCARDED}),"
    " min(CASE WHEN p.released_ns IS NULL AND p.settled_ns IS NULL AND ifnull(p.quality, 'ok') = 'ok'"
    f" AND ifnull(p.feedback, 'ok') = 'ok' THEN max({VERIFIED}, l.drawn_ns) END)"
    " FROM (SELECT * FROM lot WHERE {} ORDER BY drawn_ns DESC, name LIMIT ?) l"
    " JOIN scan s ON s.lot = l.name JOIN paper p ON p.scan = s.seq"
    " GROUP BY l.name, s.station, p.class ORDER BY l.drawn_ns DESC, l.name"
)
"""One row for each batch, station and class, for these say how long the delay is."""


def newest_standings(tx: Tx, release: Release, most: int) -> list[LotStanding]:
    """The batches that were closed last, the newest first."""
    return _standings(tx, release, "1", (most,))


def standings_of(tx: Tx, release: Release, lots: Sequence[str]) -> list[LotStanding]:
    """These batches, as far as they are closed."""
    return _standings(tx, release, f"name IN ({','.join('?' * len(lots))})", (*lots, len(lots))) if lots else []


def standing_of(tx: Tx, release: Release, lot: str) -> LotStanding:
    """One batch. Raises KeyError."""
    found = standings_of(tx, release, [lot])
    if not found:
        raise KeyError(lot)
    return found[0]


def _standings(tx: Tx, release: Release, where: str, values: tuple[str | int, ...]) -> list[LotStanding]:
    found: dict[str, LotStanding] = {}
    for name, drawn, station, class_, *counts, since in tx.conn.execute(_SQL.format(where), values):
        free = None if since is None else since + release.delay_ns(station, class_)
        before = found.get(name, LotStanding(name=name, drawn_ns=drawn))
        dates = [at for at in (before.free_from_ns, free) if at is not None]
        numbers = {key: getattr(before, key) + n for key, n in zip(_COUNTS, counts, strict=True)}
        found[name] = msgspec.structs.replace(before, free_from_ns=min(dates, default=None), **numbers)
    told = troubles(tx, list(found))
    objected = Counter(one.lot for one in told if not one.is_made_good)
    settled = Counter(one.lot for one in told if one.is_made_good and not one.is_discarded)
    lots = [msgspec.structs.replace(lot, objected=objected[name], settled=settled[name]) for name, lot in found.items()]
    return [msgspec.structs.replace(lot, free_from_ns=None) if lot.to_look_at else lot for lot in lots]


_COUNTS: Final = ("count", "sampled", "open", "unseen", "looked", "failed", "undelivered", "released", "discarded")


class Trouble(NamedTuple):
    """A document with which something is or was wrong, its paper not released. `is_bad`: by quality control."""

    lot: str
    is_bad: bool
    is_discarded: bool
    is_made_good: bool


_TROUBLES: Final = (
    f"SELECT s.lot, {_BAD.format('quality')}, {DISCARDED}, s.seq FROM scan s JOIN paper p ON p.scan = s.seq"  # noqa: S608 - our own pieces
    " WHERE s.lot IN ({}) AND p.released_ns IS NULL"
    f" AND ({_BAD.format('quality')} OR {_BAD.format('feedback')} OR p.settled_ns IS NOT NULL)"
)


def troubles(tx: Tx, lots: Sequence[str]) -> list[Trouble]:
    """Of these lots."""
    rows = tx.conn.execute(_TROUBLES.format(",".join("?" * len(lots))), tuple(lots)).fetchall()
    return [Trouble(lot, bool(bad), bool(gone), is_made_good(tx, seq)) for lot, bad, gone, seq in rows]


WAITING_SQL: Final = (
    "SELECT station, count(*) FROM ("  # noqa: S608 - our own pieces
    "SELECT s.seq, s.station FROM paper p JOIN scan s ON s.seq = p.scan WHERE p.sampled = 1 AND p.quality IS NULL"
    " UNION SELECT s.seq, s.station FROM scan s JOIN paper p ON p.scan = s.seq"
    f" WHERE {UNSEEN} AND s.lot IN"
    " (SELECT b.lot FROM paper q JOIN scan b ON b.seq = q.scan WHERE q.quality IS NOT NULL AND q.quality != 'ok')"
    ") GROUP BY station"
)
"""Asked every few seconds, of a store in which documents stay for ever: its indexes have no more than what waits."""


def to_look_at(tx: Tx) -> dict[str, int]:
    """At how many documents somebody has to look, by station: sampled ones, and all of batches with a bad one."""
    return dict(tx.conn.execute(WAITING_SQL).fetchall())
