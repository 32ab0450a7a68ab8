"""The folder of a log: which segments there are, and what was left out between them."""

import contextlib
import re
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Final

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.segment import SUFFIX, UNFINISHED, Segment, path_of
from torhaus.daemon.outbox.segment_read import MAX_RECORDS

SKIP_AFTER_DAMAGE: Final = MAX_RECORDS
"""Positions left out when the end of the log was lost: none of the lost ones may be given out again."""

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
    firsts = {int(p.stem) for p in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(p.stem)}
    for suffix in migrate.SIDE_FILES:
        for p in folder.glob(f"*{SUFFIX}{suffix}"):
            stem = p.name.partition(".")[0]
            if _NAME.fullmatch(stem) and int(stem) not in firsts:
                p.unlink()
    return tuple(sorted(firsts))


def find_holes(folder: Path, segments: tuple[int, ...]) -> tuple[Ranges, dict[int, int]]:
    """Positions that hold nothing: left out on purpose, or thinned out. And how thin each thinned segment is."""
    holes, steps = Ranges(), dict[int, int]()
    is_marked = (folder / MARK).exists()
    for first, after in pairwise(segments):
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
