"""How many scans stand where: in all, and of those that came lately."""

from collections.abc import Iterable
from typing import Final

import msgspec

from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.states import State

MAX_LATELY: Final = 20_000
"""Scans that are looked at for what came lately: more than a scan room has in a day."""

_ON_THE_WAY: Final = frozenset({State.SEALED.value, State.DELIVERING.value})
"""Transferred is the end of it for targets that prove no more."""


class Counts(msgspec.Struct, frozen=True):
    """Scans by state, per station and per target (of those that have one).

    `station_gone`, `target_gone`: how many wait for one that is no longer in the configuration, by its name.
    """

    station: dict[str, dict[str, int]]
    target: dict[str, dict[str, int]]
    station_gone: dict[str, int] = {}
    target_gone: dict[str, int] = {}


class Arrived(msgspec.Struct, frozen=True):
    """What came from one station and stands in one state now. `newest_ns`: when the last of it came."""

    station: str
    state: State
    count: int
    newest_ns: int


def by_state(tx: Tx, stations: Iterable[str], targets: Iterable[str]) -> Counts:
    """All of them; stations and targets that have none are there, too."""
    counts = Counts({name: {} for name in stations}, {name: {} for name in targets})
    stations_now, targets_now = set(counts.station), set(counts.target)
    sql = "SELECT station, target, state, count(*) FROM scan GROUP BY station, target, state"
    for station, target, state, n in tx.conn.execute(sql):
        of_station = counts.station.setdefault(station, {})
        of_station[state] = of_station.get(state, 0) + n
        if target is not None:
            of_target = counts.target.setdefault(target, {})
            of_target[state] = of_target.get(state, 0) + n
        if state == State.SPOOLED and station not in stations_now:
            counts.station_gone[station] = n
        if state in _ON_THE_WAY and target is not None and target not in targets_now:
            counts.target_gone[target] = counts.target_gone.get(target, 0) + n
    return counts


class BatchCount(msgspec.Struct, frozen=True):
    """How many documents of one batch stand in one state."""

    batch: str
    station: str
    state: State
    count: int
    newest_ns: int


def newest_batches(tx: Tx, most: int) -> list[BatchCount]:
    """The batches that came last, of the newest MAX_LATELY scans, the newest first."""
    rows = tx.conn.execute(
        "SELECT batch, station, state, count(*), max(arrived_ns) FROM scan "
        "WHERE seq > (SELECT max(seq) FROM scan) - ?1 AND batch IN ("
        "  SELECT batch FROM scan WHERE seq > (SELECT max(seq) FROM scan) - ?1 AND batch IS NOT NULL "
        "  GROUP BY batch ORDER BY max(seq) DESC LIMIT ?2) "
        "GROUP BY batch, station, state ORDER BY max(seq) DESC",
        (MAX_LATELY, most),
    )
    return [BatchCount(batch, station, State(state), n, at) for batch, station, state, n, at in rows]


def arrived_since(tx: Tx, at_ns: int) -> list[Arrived]:
    """What came since then, of the newest MAX_LATELY."""
    rows = tx.conn.execute(
        "SELECT station, state, count(*), max(arrived_ns) FROM scan "
        "WHERE seq > (SELECT max(seq) FROM scan) - ? AND arrived_ns >= ? GROUP BY station, state",
        (MAX_LATELY, at_ns),
    )
    return [Arrived(station, State(state), n, newest_ns) for station, state, n, newest_ns in rows]
