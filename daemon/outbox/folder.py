"""The folder of a log: which segments there are, and what was left out between them."""

import contextlib
import re
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from torhaus.daemon.outbox import aside, migrate, salvage
from torhaus.daemon.outbox.pages import Database
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.rescue import batch_of, claim
from torhaus.daemon.outbox.segment import SUFFIX, UNFINISHED, Segment, path_of
from torhaus.daemon.outbox.segment_read import MAX_RECORDS

FOLDERS: Final = {"main": "log", "strangers": "strangers", "relay": "relay"}
"""Where a store has its logs."""
SKIP_AFTER_DAMAGE: Final = MAX_RECORDS
"""Positions left out when the end of the log was lost: none of the lost ones may be given out again."""
MIN_BYTES: Final = 512
"""The smallest page: no database is shorter."""

MARK: Final = "thinned"
"""A file with this name says that a folder has thinned segments: else nobody has to look for them."""
WORKSHOP: Final = "thinning"
"""The folder in which a thinner segment is made."""

_NAME: Final = re.compile(r"[0-9]{20}")


def tidy(folder: Path) -> tuple[int, ...]:
    """The segments in a folder, which is made if there is none; remains of unfinished work are removed."""
    migrate.make_folder(folder)
    migrate.remove(folder / UNFINISHED)
    for p in (folder / WORKSHOP).glob(f"*{SUFFIX}*"):
        p.unlink()
    migrate.remove(folder / salvage.UNFINISHED)
    firsts = {int(p.stem) for p in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(p.stem)}
    for suffix in migrate.SIDE_FILES:
        for p in folder.glob(f"*{SUFFIX}{suffix}"):
            stem = p.name.partition(".")[0]
            if _NAME.fullmatch(stem) and int(stem) not in firsts:
                _follow(p, suffix, aside.files(folder).get(int(stem), []))
    return tuple(sorted(firsts))


def _follow(side: Path, suffix: str, moved: list[Path]) -> None:
    """A side file without its database: it belongs to one that was being set aside, or to one that was removed."""
    for path in reversed(moved):
        target = Path(f"{path}{suffix}")
        if suffix != "-shm" and not target.exists() and not Path(f"{path}{aside.REPORT}").exists():
            side.rename(target)
            return
    side.unlink()


def find_waiting(folder: Path, segments: tuple[int, ...]) -> tuple[int, ...]:
    """The first positions of segments that were set aside and wait to be salvaged.

    Where one of both kinds begins at the same position, the one in use was made of the other, or began after it was
    found to be empty: what was cut short is finished.
    """
    waiting = []
    for first in aside.waiting(folder):
        if first in segments:
            report = aside.report_in(path_of(folder, first))
            aside.write_reports(folder, report or aside.Report(first=first, site="", store=""))
        else:
            waiting.append(first)
    return tuple(waiting)


class Probe(NamedTuple):
    """The end of a segment, as it proves it."""

    tail: int
    machine: str
    is_salvaged: bool


def probe(path: Path, site: str) -> Probe:
    """Look at a segment's end, changing nothing.

    Raises SchemaError or sqlite3.DatabaseError when that is not proved, RefusedError when it is not for us.
    """
    if path.stat().st_size < MIN_BYTES:  # SQLite would take it for a new one, and delete its write-ahead log
        raise migrate.SchemaError("the segment has lost its content")
    migrate.refuse_foreign(path, "segment")
    with contextlib.closing(Segment.open(path, read_only=True)) as segment:
        if segment.site != site:  # its records' ids begin with the other one, for life
            raise migrate.RefusedError(
                f"belongs to site.id {segment.site!r}, not {site!r}: set it back, or use another store"
            )
        tail, seq = segment.end()
        machine = segment.machine
    with contextlib.closing(Database(path)) as database:
        claims = (claim(b, seq - tail) for row in database.doubtful_rows() if (b := batch_of(row)) is not None)
        if database.wal.is_cut or any(end > tail for end in claims):
            raise migrate.SchemaError("the write-ahead log is damaged")
    return Probe(tail, machine, aside.report_in(path) is not None)


def find_holes(folder: Path, segments: tuple[int, ...], waiting: tuple[int, ...] = ()) -> tuple[Ranges, dict[int, int]]:
    """Positions that hold nothing: left out on purpose, thinned out, or waiting to be salvaged.

    And how thin each thinned segment is.
    """
    holes, steps = Ranges(), dict[int, int]()
    is_marked = (folder / MARK).exists()
    for first, after in pairwise(sorted({*segments, *waiting})):
        if first in waiting:
            holes.add(first, after)
            continue
        is_wide = after - first >= SKIP_AFTER_DAMAGE
        if not is_wide and not is_marked:
            continue
        start = first + 1 if is_wide else after
        with (
            contextlib.suppress(sqlite3.Error, migrate.SchemaError),
            contextlib.closing(Segment.open(path_of(folder, first), read_only=True)) as segment,
        ):
            thinned = segment.thinned() if is_marked else None
            if thinned is not None:
                start, steps[first] = first + thinned[0], thinned[1]
            elif is_wide:
                start = segment.extent()
        holes.add(start, after)
    return holes, steps
