"""What the store says while the daemon is down: read straight from its files, changing nothing."""

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Final

from torhaus.daemon.clock import SystemClock
from torhaus.daemon.outbox import aside
from torhaus.daemon.outbox.folder import find_holes
from torhaus.daemon.outbox.letters import dead_letter
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import Ranges, free
from torhaus.daemon.outbox.record import Damaged
from torhaus.daemon.outbox.segment import SUFFIX, Segment
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import RELAY
from torhaus.daemon.outbox.view import FOLDERS, View
from torhaus.daemon.outbox.when import best_wall_ns
from torhaus.daemon.queue_pages import WholeLetter, whole
from torhaus.daemon.status import ForwarderStatus, Letter, LogStatus, Status, letter
from torhaus.daemon.version import torhaus_version

_SEGMENT: Final = re.compile(r"[0-9]{20}" + re.escape(SUFFIX))


def read_only_state(folder: Path) -> State | None:
    """state.db for reading; None where there is none yet."""
    path = folder / "state.db"
    if not path.exists():
        return None
    return State(path, read_only=True)


def read_status(folder: Path, site: str, limits: dict[str, int]) -> Status:
    """The status as the files have it. Raises sqlite3.Error or SchemaError when they cannot be read."""
    clock = SystemClock()
    status = Status(
        site=site,
        version=torhaus_version(),
        running=False,
        started_ns=0,
        now_ns=clock.wall_ns(),
        clock_synced=clock.synced(),
        ready=False,
        problems=["the daemon is not running"],
    )
    empty: dict[str, Ranges] = {}  # by log: where there is nothing between 0 and the tail
    tails: dict[str, int] = {}
    logs = {name: sub for name, sub in FOLDERS.items() if name in limits and (name != RELAY or (folder / sub).is_dir())}
    for name, sub in logs.items():
        empty[name], tails[name], used = _extent(folder / sub)
        records = tails[name] - empty[name].count(0, tails[name])
        status.logs[name] = LogStatus(records=records, bytes=used, capacity_bytes=limits[name])
    state = read_only_state(folder)
    if state is not None:
        with contextlib.closing(state):
            counts, boots = state.counts(), state.boots()
            for name, log, settled in state.forwarders():
                if log in tails:
                    for start, end in empty[log]:
                        settled.add(start, end)
                    backlog = tails[log] - settled.count(0, tails[log])
                    status.forwarders[name] = one = _forwarder(backlog, *counts.get(name, (0, 0)))
                    one.oldest_ns = _oldest_ns(folder / FOLDERS[log], settled, boots) if backlog else 0
            status.dropped = {f"{f}/{r}": n for (f, r), n in state.dropped().items()}
    status.set_aside_files = sorted(
        str(p) for p in folder.rglob("*.corrupt-*") if not p.name.endswith(("-wal", "-shm", "-journal", aside.REPORT))
    )
    for sub in logs.values():
        found = (r for r in aside.reports(folder / sub) if r.lost_records or r.problem)
        status.problems += [f"{sub}, segment {r.first}: {r.text()}" for r in found]
    return status


def _forwarder(backlog: int, set_aside: int, dead: int) -> ForwarderStatus:
    return ForwarderStatus(
        type="",
        up=False,
        since_ns=0,
        detail="the daemon is not running",
        backlog=backlog,
        accepted=0,
        late=0,
        set_aside=set_aside,
        dead_letters=dead,
        last_success_ns=0,
    )


def _oldest_ns(folder: Path, settled: Ranges, boots: dict[str, int]) -> int:
    """When the oldest record came that is not settled; 0 when none can be read."""
    with View(folder) as view:
        pos = view.head
        while (gap := free(pos, view.tail, settled, view.holes)) is not None:
            try:
                found = view.read(gap[0], 1)
            except sqlite3.Error:
                break  # busy, or no right to read it
            if not found:
                break
            if not isinstance(found[0], Damaged):
                return best_wall_ns(found[0].at, found[0].boot, boots)
            pos = found[0].pos + found[0].count
    return 0


def _extent(folder: Path) -> tuple[Ranges, int, int]:
    """Positions of a log that hold nothing, up to its tail; the tail; its bytes."""
    there = list(folder.iterdir()) if folder.is_dir() else []
    files = sorted(p for p in there if _SEGMENT.fullmatch(p.name))
    used = sum(p.stat().st_size for p in there)
    if not files:
        return Ranges(), 0, used
    segments = tuple(int(p.stem) for p in files)
    waiting = tuple(w for w in aside.waiting(folder) if w not in segments)
    (empty, _), tail = find_holes(folder, segments, waiting), segments[-1]
    empty.forget_below(segments[0])
    with (
        contextlib.suppress(sqlite3.Error, SchemaError),
        contextlib.closing(Segment.open(files[-1], read_only=True)) as newest,
    ):
        tail = newest.end()[0]
    return empty, tail, used


def read_letters(folder: Path, site: str, forwarder: str | None) -> list[Letter]:
    """Dead letters as the file has them."""
    state = read_only_state(folder)
    if state is None:
        return []
    with contextlib.closing(state):
        return [letter(d, site) for d in state.dead_letters(forwarder)]


def read_letter(folder: Path, site: str, number: int) -> WholeLetter | None:
    """One dead letter with its record; None when there is none that can be read."""
    state = read_only_state(folder)
    if state is None:
        return None
    with contextlib.closing(state):
        found = dead_letter(state, number) if abs(number) < 1 << 62 else None
        return whole(found, site, state.boots()) if found is not None else None
