"""A new state.db from what can be read of a damaged one, and from the second copy.

Repeats are allowed, losses are not. A forwarder's ranges are believed with the right CRC only, and only as long as no
record that it set aside or buried can have gone unseen: those count as settled because there is a copy of them. Where
that is not sure the second copy's ranges are taken, less what it says was kept and is not there any more.
"""

import contextlib
import sqlite3
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import joins, migrate
from torhaus.daemon.outbox.folder import FOLDERS
from torhaus.daemon.outbox.pages import Database, Value
from torhaus.daemon.outbox.queued import ID_DIGITS
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import unpack_copy
from torhaus.daemon.outbox.second import Copy, ranges_of

MAX_ROWS: Final = 50_000
"""Rows that are taken over of each table, and candidates that are looked at: the start must not wait longer."""

_COLUMNS: Final = {
    "forwarder": ("name", "log", "settled", "crc"),
    "exception": ("forwarder", "log", "pos", "tries", "retry_at_ns", "reason", "stored"),
    "dead_letter": ("number", "forwarder", "log", "pos", "at_ns", "reason", "stored"),
    "session": ("dev_eui", "dev_addr", "fcnt_up"),
    "snapshot": ("log", "pos"),
    "boot": ("boot", "offset_ns", "seen_ns"),
    "dropped": ("forwarder", "reason", "records"),
    "device_joins": ("dev_eui", "facts", "crc"),
    "downlink": ("id", "facts", "crc"),
    "device_counters": ("device", "facts", "crc"),
}
_SHAPES: Final[dict[tuple[bool, tuple[type, ...]], str]] = {
    (False, (str, str, str, int)): "forwarder",
    (False, (str, str, int, int, int, str, bytes)): "exception",
    (True, (int, str, str, int, int, str, bytes)): "dead_letter",
    (False, (str, int, int)): "boot",
}
_DEV_ADDR_DIGITS: Final = 8
_LOGS: Final = frozenset(FOLDERS)
_OWNING: Final = ("exception", "dead_letter")
Rows = list[tuple[Value, ...]]
Tables = dict[str, Rows]


class Rebuilt(msgspec.Struct):
    """What a new state is made of. `settled` has what may be believed; `is_whole`: nothing can have been lost."""

    tables: Tables
    settled: dict[tuple[str, str], Ranges]
    is_whole: bool


def rebuild(damaged: Path | None, copy: Copy | None) -> Rebuilt:
    """Read what can be read. Raises nothing: what cannot be read is not there."""
    clean = _by_sql(damaged) if damaged is not None else {}
    tables = dict(clean)
    missing = _COLUMNS.keys() - clean.keys()
    if damaged is not None and missing:
        tables |= {name: rows for name, rows in _by_pages(damaged).items() if name in missing}
    believed = _believed(tables.pop("forwarder", []))
    names = believed.keys() | (ranges_of(copy.settled).keys() if copy is not None else set())
    is_whole = all(name in clean for name in _OWNING)
    for name in _OWNING:
        rows = tables.get(name, [])
        tables[name] = [row for row in rows if _is_kept(row, _COLUMNS[name], names)]
        is_whole &= len(rows) == len(tables[name])
    if not is_whole:
        believed = {}
    if copy is not None:
        _take_copy(copy, tables, believed, is_whole=is_whole)
    if copy is not None and "snapshot" not in clean:
        tables["snapshot"] = list(copy.snapshot.items())
    if copy is not None:
        tables["device_joins"] = _joins(copy, tables.get("device_joins", []))
        tables["boot"] = [*((boot, offset, 0) for boot, offset in copy.boots.items()), *tables.get("boot", [])]
    return Rebuilt(tables, believed, is_whole)


def store(conn: sqlite3.Connection, rebuilt: Rebuilt) -> None:
    """Put the tables, but for the ranges, into a new file in one commit. Raises sqlite3.Error."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        for name, columns in _COLUMNS.items():
            marks = ", ".join("?" * len(columns))
            for row in rebuilt.tables.get(name, []):
                # a row that the schema does not take is a changed one
                with contextlib.suppress(sqlite3.IntegrityError):
                    conn.execute(f"INSERT OR REPLACE INTO {name} ({', '.join(columns)}) VALUES ({marks})", row)  # noqa: S608 - our own names
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _is_kept(row: tuple[Value, ...], columns: tuple[str, ...], names: set[tuple[str, str]]) -> bool:
    """Whether the copy of a record is intact, and stands under its own name and position."""
    stored = unpack_copy(row[-1])
    forwarder, log, pos = (row[columns.index(c)] for c in ("forwarder", "log", "pos"))
    return stored is not None and pos == stored.pos and (forwarder, log) in names


def _take_copy(copy: Copy, tables: Tables, believed: dict[tuple[str, str], Ranges], *, is_whole: bool) -> None:
    there: defaultdict[tuple[Value, Value], Ranges] = defaultdict(Ranges)
    for name, log, pos in [r[:3] for r in tables["exception"]] + [r[1:4] for r in tables["dead_letter"]]:
        if isinstance(pos, int):
            there[name, log].add(pos, pos + 1)
    owned = ranges_of(copy.owned)
    for key, settled in ranges_of(copy.settled).items():
        if key in believed:
            continue
        for start, end in owned.get(key, ()) if not is_whole else ():
            for pos in range(start, end):
                if pos not in there[key]:
                    settled.remove(pos, pos + 1)  # its copy is gone: it is sent again, as long as the log has it
        believed[key] = settled


def _believed(rows: Rows) -> dict[tuple[str, str], Ranges]:
    """Ranges with the right CRC; of several versions the latest, which has the most."""
    from torhaus.daemon.outbox.state import checked_ranges

    found: dict[tuple[str, str], Ranges] = {}
    for row in rows:
        name, log, text, crc = row
        if not (isinstance(name, str) and isinstance(log, str) and isinstance(text, str) and isinstance(crc, int)):
            continue
        ranges = checked_ranges(name, log, text, crc)
        if ranges is not None and _sum(ranges) >= _sum(found.get((name, log), Ranges())):
            found[name, log] = ranges
    return found


def _joins(copy: Copy, rows: Rows) -> Rows:
    """What was read and is intact; of a device of which nothing was, that of the second copy."""
    intact: Rows = [
        (eui, text, crc)
        for eui, text, crc in rows
        if isinstance(eui, str) and isinstance(text, str) and isinstance(crc, int) and joins.checked(eui, text, crc)
    ]
    there = {r[0] for r in intact}
    return [*(joins.row(eui, device) for eui, device in copy.joins.items() if eui not in there), *intact]


def _sum(ranges: Ranges) -> int:
    return sum(end - start for start, end in ranges)


def _by_sql(path: Path) -> Tables:
    """The tables of which SQLite finds nothing wrong."""
    found: Tables = {}
    try:
        if path.stat().st_size == 0:
            return found  # SQLite would delete the write-ahead log
        with contextlib.closing(migrate.connect(path, read_only=True)) as conn:
            for name, columns in _COLUMNS.items():
                try:
                    if conn.execute(f"PRAGMA quick_check({name})").fetchone()[0] == "ok":
                        rows = conn.execute(f"SELECT {', '.join(columns)} FROM {name}")  # noqa: S608
                        found[name] = rows.fetchmany(MAX_ROWS)
                        if rows.fetchone() is not None:
                            found.pop(name)  # more than is taken over: not all is there
                except sqlite3.Error:
                    continue
    except (OSError, sqlite3.Error):
        return found
    return found


def _by_pages(path: Path) -> Tables:
    """What looks like rows of our tables, wherever it stands."""
    found: defaultdict[str, Rows] = defaultdict(list)
    try:
        with contextlib.closing(Database(path)) as database:
            for row in islice(database.rows(), MAX_ROWS):
                values = row.values
                if row.rowid is not None and len(values) == len(_COLUMNS["dead_letter"]):
                    values = (row.rowid, *values[1:])
                name = _table_of(values, is_table=row.rowid is not None)
                if name is not None and row.is_whole:
                    found[name].append(values)
    except OSError:
        return found
    return found


def _table_of(values: tuple[Value, ...], *, is_table: bool) -> str | None:
    types = tuple(map(type, values))
    if not is_table and types == (str, str, int):  # of a session, joins, a downlink, or dropped records
        second = str(values[1])
        if second.startswith("{"):
            return "downlink" if len(str(values[0])) == ID_DIGITS else "device_joins"
        is_address = len(second) == _DEV_ADDR_DIGITS and set(second) <= set("0123456789abcdef")
        return "session" if is_address else "dropped"
    if not is_table and types == (str, int) and values[0] in _LOGS:
        return None  # a snapshot that is older than its sessions would do no harm, a changed one would
    return _SHAPES.get((is_table, types))
