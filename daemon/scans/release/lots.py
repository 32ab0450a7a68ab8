"""Closes batches, and the days of stations that have none, and draws who is looked at: inside the caller's transaction.

A lot is what quality control and release speak of: a batch, named as it is, or a station's day: `mailroom/2026-11-26`.
The journal, from which nothing is ever deleted, has a batch's number for its name (forgetting.py).
"""

import secrets
import time
from collections import Counter
from typing import Final

import msgspec

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.config import Release
from torhaus.daemon.scans.release.forgetting import neutral_name
from torhaus.daemon.scans.release.papers import MOST, class_of
from torhaus.daemon.scans.release.sampling import draw
from torhaus.daemon.scans.release.stacks import is_discarded
from torhaus.daemon.scans.release.standing import troubles
from torhaus.daemon.scans.states import State

QUIET_NS: Final = 600 * 1_000_000_000
"""How long nothing of a batch must have come before it is closed."""
AT_ONCE: Final = 20
_OPEN: Final = "lot IS NULL AND NOT EXISTS (SELECT 1 FROM scan part WHERE part.derived_from = scan.id)"
"""In no lot yet. A stack that was split is in none, whatever becomes of it: the documents that it became are."""


class Lot(msgspec.Struct, frozen=True):
    """A closed lot. `count`: documents, `sampled`: those to be looked at, `failed`: found bad.

    `open`: sampled ones at which nobody has looked; `settled`: bad ones that were replaced by a good scan, or settled.
    """

    name: str
    drawn_ns: int
    seed: str
    count: int
    sampled: int
    open: int
    failed: int
    released: int
    settled: int = 0


def newest(tx: Tx, most: int) -> list[Lot]:
    """The lots that were closed last, the newest first."""
    rows = tx.conn.execute(
        "SELECT l.name, l.drawn_ns, l.seed, count(*), sum(p.sampled), sum(p.sampled AND p.quality IS NULL),"
        " sum(p.quality IS NOT NULL AND p.quality != 'ok'), sum(p.released_ns IS NOT NULL)"
        " FROM (SELECT * FROM lot ORDER BY drawn_ns DESC, name LIMIT ?) l"
        " JOIN scan s ON s.lot = l.name JOIN paper p ON p.scan = s.seq"
        " GROUP BY l.name ORDER BY l.drawn_ns DESC, l.name",
        (most,),
    )
    lots = [Lot(*row) for row in rows]
    told = troubles(tx, [lot.name for lot in lots])
    settled = Counter(one.lot for one in told if one.is_bad and one.is_made_good)
    return [msgspec.structs.replace(lot, settled=settled[lot.name]) for lot in lots]


def close_some(tx: Tx, release: Release, now_ns: int) -> int:
    """Close the lots that are complete, a few at a time. Returns how many."""
    closed = 0
    for key, scans in _groups(tx, now_ns):
        if any(scan.state is State.SPOOLED for scan in scans):
            continue  # where it goes is not decided yet
        _close(tx, _free_name(tx, key), scans, release, now_ns)
        closed += 1
        if closed == AT_ONCE:
            break
    return closed


def _groups(tx: Tx, now_ns: int) -> list[tuple[str, list[Scan]]]:
    found = []
    batches = tx.conn.execute(
        f"SELECT batch FROM scan WHERE {_OPEN} AND batch IS NOT NULL GROUP BY batch"  # noqa: S608 - our own condition
        " HAVING max(arrived_ns) NOT BETWEEN ? AND ? ORDER BY min(seq) LIMIT ?",
        (now_ns - QUIET_NS + 1, now_ns + QUIET_NS, 4 * AT_ONCE),  # also what came by a clock that was fast
    ).fetchall()
    for (batch,) in batches:
        found.append((str(batch), tx.find(f"{_OPEN} AND batch = ? ORDER BY seq", (batch,), MOST)))
    today = _day(now_ns)
    days: dict[str, list[Scan]] = {}
    for scan in tx.find(f"{_OPEN} AND batch IS NULL ORDER BY seq", (), MOST):
        day = _day(scan.arrived_ns)
        if day != today:
            days.setdefault(f"{scan.station}/{day}", []).append(scan)
    return [*found, *days.items()]


def _day(at_ns: int) -> str:
    """Of the box's own calendar."""
    return time.strftime("%Y-%m-%d", time.localtime(at_ns // 1_000_000_000))


def _free_name(tx: Tx, name: str) -> str:
    """The same name comes again when a day was closed in parts."""
    number, found = 1, name
    while tx.conn.execute("SELECT 1 FROM lot WHERE name = ?", (found,)).fetchone() is not None:
        number += 1
        found = f"{name}/{number}"
    return found


def _close(tx: Tx, name: str, scans: list[Scan], release: Release, now_ns: int) -> None:
    seed = secrets.token_hex(16)
    classes = {scan.id: class_of(tx, scan) for scan in scans}
    there = [scan for scan in scans if not is_discarded(tx, scan)]
    good = {scan.id for scan in there if scan.state is not State.QUARANTINED} or {scan.id for scan in there}
    groups: dict[str, tuple[str, ...]] = {}
    percent: dict[str, float] = {}
    for scan in scans:
        group = f"{scan.station}/{classes[scan.id] or ''}"
        percent[group] = release.percent(scan.station, classes[scan.id])
        if scan.id in good:
            groups[group] = (*groups.get(group, ()), scan.id)
    drawn = draw(seed, groups, percent)
    tx.conn.execute("INSERT INTO lot (name, seed, drawn_ns) VALUES (?, ?, ?)", (name, seed, now_ns))
    told = neutral_name(scans, name)
    tx.enter("lot_closed", now_ns, None, lot=told, seed=seed, documents=len(scans), sampled=len(drawn))
    for scan in scans:
        class_, sampled = classes[scan.id], scan.id in drawn
        tx.conn.execute("UPDATE scan SET lot = ? WHERE seq = ?", (name, scan.seq))
        tx.conn.execute(
            "INSERT INTO paper (scan, class, sampled) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (scan) DO UPDATE SET class = ?2, sampled = max(sampled, ?3)",
            (scan.seq, class_, sampled),
        )
        said = str(percent[f"{scan.station}/{class_ or ''}"])
        can_be = scan.id in good
        tx.note(
            scan, "lot_closed", now_ns, lot=told, **{"class": class_}, sampled=sampled, drawn_from=can_be, percent=said
        )
