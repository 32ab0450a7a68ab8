"""What the store says while the daemon is down: read straight from its files, changing nothing."""

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Final

from torhaus.daemon.clock import SystemClock
from torhaus.daemon.outbox.migrate import SchemaError
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.segment import SUFFIX, Segment
from torhaus.daemon.outbox.state import State
from torhaus.daemon.outbox.store import MAIN, STRANGERS
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
    bounds: dict[str, tuple[int, int]] = {}
    for name, sub in ((MAIN, "log"), (STRANGERS, "strangers")):
        bounds[name], used = _bounds(folder / sub)
        head, tail = bounds[name]
        status.logs[name] = LogStatus(records=tail - head, bytes=used, capacity_bytes=limits[name])
    state = read_only_state(folder)
    if state is not None:
        with contextlib.closing(state):
            counts = state.counts()
            head, tail = bounds[MAIN]
            for name, log, settled in state.forwarders():
                if log == MAIN:
                    status.forwarders[name] = _forwarder(settled, head, tail, *counts.get(name, (0, 0)))
            status.dropped = {f"{f}/{r}": n for (f, r), n in state.dropped().items()}
    status.set_aside_files = sorted(
        str(p) for p in folder.rglob("*.corrupt-*") if not p.name.endswith(("-wal", "-shm"))
    )
    return status


def _forwarder(settled: Ranges, head: int, tail: int, set_aside: int, dead: int) -> ForwarderStatus:
    backlog = tail - head - settled.count(head, tail)
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


def _bounds(folder: Path) -> tuple[tuple[int, int], int]:
    """Head and tail of a log, and its bytes."""
    there = list(folder.iterdir()) if folder.is_dir() else []
    files = sorted(p for p in there if _SEGMENT.fullmatch(p.name))
    used = sum(p.stat().st_size for p in there)
    if not files:
        return (0, 0), used
    try:
        segment = Segment.open(files[-1], read_only=True)
    except (sqlite3.Error, SchemaError):
        return (int(files[0].stem), int(files[-1].stem)), used
    try:
        return (int(files[0].stem), segment.end()[0]), used
    finally:
        segment.close()


def read_letters(folder: Path, site: str, forwarder: str | None) -> list[Letter]:
    """Dead letters as the file has them."""
    state = read_only_state(folder)
    if state is None:
        return []
    with contextlib.closing(state):
        return [letter(d, site) for d in state.dead_letters(forwarder)]
