"""Opening state.db, whatever has become of it."""

import sqlite3
from pathlib import Path

import msgspec

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.rebuild import rebuild
from torhaus.daemon.outbox.second import Copy, ranges_of, read_copy
from torhaus.daemon.outbox.state import Flush, State


class Opened(msgspec.Struct):
    """The state; the file that was set aside, if any; whether something of it was lost; the second copy."""

    state: State
    set_aside: Path | None
    was_lost: bool
    copy: Copy | None


def open_state(path: Path, now_ns: int) -> Opened:
    """The state file. One that cannot be used is set aside, and a new one made of what can be read of it.

    What cannot be: see rebuild.py. A file of a newer torhaus, or not torhaus's at all, raises RefusedError; one that
    cannot be had just now sqlite3.OperationalError.
    """
    copy = read_copy(path.parent)
    is_empty = not path.exists() or path.stat().st_size == 0
    if is_empty and (copy is None and not any(path.parent.glob("*/*.db"))):
        return Opened(_create(path), None, was_lost=False, copy=None)
    damaged: Path | None = None
    if not is_empty:
        try:
            state = _open(path)
        except (sqlite3.DatabaseError, migrate.SchemaError) as e:
            if not migrate.is_damage(e):
                raise
        else:
            _mend_ranges(state, copy)
            return Opened(state, None, was_lost=False, copy=copy)
    if path.exists():
        damaged = migrate.set_aside(path, now_ns)
    migrate.remove(path)  # what a cut short attempt has left
    unfinished = path.with_name("new-state.db")
    migrate.remove(unfinished)
    state = State(unfinished)
    try:
        state.take_over(rebuild(damaged, copy))
    finally:
        state.close()
    unfinished.rename(path)
    state = State(path)
    migrate.sync_folder(path.parent)
    return Opened(state, damaged, was_lost=True, copy=copy)


def _create(path: Path) -> State:
    state = State(path)
    migrate.sync_folder(path.parent)
    return state


def _open(path: Path) -> State:
    state = State(path)
    try:
        state.check()
    except BaseException:
        state.close()
        raise
    return state


def _mend_ranges(state: State, copy: Copy | None) -> None:
    """Ranges that were changed on disk are those of the second copy; without one all is sent again."""
    known = ranges_of(copy.settled) if copy is not None else {}
    found = {key: list(known[key]) for key in state.damaged() if key in known}
    if found:
        state.save(Flush(settled=found))
