"""A backup of the outbox, while the daemon runs or while it is down. Reads the store and changes nothing in it.

The order is what keeps it safe. state.db is copied first, by SQLite's backup; the log afterwards. So the copy of what
forwarders have settled is never newer than the copy of the records: what was settled meanwhile is sent again (same
ids), and nothing counts as settled that the copy of the log does not have. The other way round, positions settled
after the log was copied would be given to new records after a restore, which would then never be sent.

A segment without a write-ahead log is at rest and copied as it is; others by SQLite's backup, which sees one moment.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from torhaus.daemon.backup.archive import FORMAT, ArchiveWriter, Manifest, is_name
from torhaus.daemon.backup.unfinished import unfinished
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded, device_files, read_files
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.state import Flush, State
from torhaus.daemon.outbox.store import machine_id
from torhaus.daemon.outbox.view import FOLDERS
from torhaus.daemon.version import torhaus_version

Told = Callable[[int, int], None]
KEYS: Final = "the devices' keys (devices.keys.toml and credentials): keep a copy of your own in a safe place"
SCANS: Final = "scans (their documents and the evidence journal): a copy of them would not stay true"
_NOT_KEPT: Final = ("outbox.lock", "reserve", "new.db", "new-salvage.db", "settled.json")


class Taken(msgspec.Struct):
    """What was backed up: bytes of the archive, files in it, and what a person should know."""

    bytes: int
    files: int
    left_out: list[str]
    notes: list[str]


class Backup:
    """One backup into `target`, which must not be there."""

    def __init__(self, loaded: Loaded, config: Path, target: Path, clock: Clock, told: Told) -> None:
        self._loaded = loaded
        self._config = config
        self._target = target
        self._clock = clock
        self._told = told
        self._store = Path(loaded.store.path)
        self._done = self._total = 0
        self._left_out = [KEYS, SCANS]
        self._notes: list[str] = []

    def take(self) -> Taken:
        """All of it; the file has its name only when it is whole and on disk.

        Raises FileExistsError, OSError, sqlite3.Error, and RefusedError for a store of a newer torhaus.
        """
        if self._target.exists():
            raise FileExistsError(17, "is there already", str(self._target))
        with unfinished(self._target) as (out, work):
            files = self._write(out, work)
            size = out.tell()
        return Taken(size, files, self._left_out, self._notes)

    def _write(self, out: BinaryIO, work: Path) -> int:
        archive = ArchiveWriter(out)
        self._total = sum(p.stat().st_size for p in self._files())
        state = self._copy_state(archive, work)
        for name, sub in FOLDERS.items():
            head = self._add_log(archive, work, sub)
            if state is not None and head is not None:
                _settle_below(state, name, head)
        if state is not None:
            self._add_file(archive, "store/state.db", state)
        self._add_others(archive)
        self._add_config(archive)
        manifest = Manifest(
            format=FORMAT,
            torhaus=torhaus_version(),
            site=self._loaded.site.id,
            machine=machine_id(),
            created=rfc3339(self._clock.wall_ns()),
            members=archive.members,
            left_out=self._left_out,
        )
        archive.finish(manifest)
        return len(archive.members)

    def _files(self) -> list[Path]:
        """Everything of the outbox that may be worth keeping, without what a start makes anew."""
        folders = (self._store, *(self._store / sub for sub in FOLDERS.values()))
        there = [p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())]
        return [p for p in there if p.is_file() and not p.name.startswith(_NOT_KEPT) and not p.name.endswith("-shm")]

    # -- state.db -----------------------------------------------------------------------------------------------------

    def _copy_state(self, archive: ArchiveWriter, work: Path) -> Path | None:
        """A copy that is added last, when it is known where the log begins; None where there is none to be had."""
        path = self._store / "state.db"
        if not path.exists():
            return None
        target = work / "state.db"
        try:
            _sqlite_copy(path, target)
            State(target).close()
        except (sqlite3.DatabaseError, migrate.SchemaError) as e:
            if not migrate.is_damage(e):
                raise
            self._add_damaged(archive, "store/state.db", path, e)
            return None
        return target

    # -- segments -----------------------------------------------------------------------------------------------------

    def _add_log(self, archive: ArchiveWriter, work: Path, sub: str) -> int | None:
        """Every segment, oldest first, at least up to what is the newest now. Returns where the copy of the log begins.

        The daemon unlinks segments meanwhile, the oldest first: what everybody has got, or what a limit drops. Then
        those that were copied before are of no use either, and would leave a gap behind them.
        """
        begin, head, at = archive.mark(), None, -1
        newest = max(self._segments(sub), default=-1)
        while head is None or at < newest:
            there = self._segments(sub)
            later = [first for first in there if first > at]
            if head is not None and at not in there and later == there:
                archive.cut(begin)
                head = None
            if not later:
                break
            at = later[0]
            path = path_of(self._store / sub, at)
            if self._add_segment(archive, f"store/{sub}/{path.name}", path, work):
                head = at if head is None else head
        return head

    def _segments(self, sub: str) -> list[int]:
        """The first positions of a log's segments that are there now."""
        paths = (p for p in self._files() if p.parent.name == sub and is_name(f"store/{sub}/{p.name}"))
        return sorted(int(p.stem) for p in paths if p.name.endswith(".db"))

    def _add_segment(self, archive: ArchiveWriter, name: str, path: Path, work: Path) -> bool:
        """False when it is gone: nothing was added."""
        start = archive.mark()
        try:
            before = _at_rest(path)
            if before is not None and self._add_file(archive, name, path):
                if _at_rest(path) == before:
                    return True
                archive.cut(start)
            copy = work / "segment.db"
            _sqlite_copy(path, copy)
            self._add_file(archive, name, copy)
            copy.unlink()
        except (FileNotFoundError, sqlite3.DatabaseError) as e:
            archive.cut(start)
            if not path.exists():
                return False
            if not migrate.is_damage(e):
                raise
            self._add_damaged(archive, name, path, e)
        return True

    # -- files as they are --------------------------------------------------------------------------------------------

    def _add_file(self, archive: ArchiveWriter, name: str, path: Path) -> bool:
        with path.open("rb") as source:
            return archive.add(name, source, os.fstat(source.fileno()).st_size, self._count)

    def _count(self, size: int) -> None:
        self._done += size
        self._told(self._done, max(self._done, self._total))

    def _add_damaged(self, archive: ArchiveWriter, name: str, path: Path, error: Exception) -> None:
        """As it is, with its write-ahead log: what can be read of it still can be after a restore."""
        self._notes.append(f"{path} is damaged ({error}) and was copied as it is")
        for suffix in ("", "-wal", "-journal"):
            side = Path(f"{path}{suffix}")
            if side.exists():
                self._add_file(archive, f"{name}{suffix}", side)

    def _add_others(self, archive: ArchiveWriter) -> None:
        """Files that were set aside: their records may still be salvaged. Whatever else is there is left out, told."""
        have = {m.name for m in archive.members}
        for path in self._files():
            name = f"store/{path.relative_to(self._store)}"
            if name in have or (path.name.endswith((".db", ".db-wal", ".db-journal")) and is_name(name)):
                continue
            if name.endswith(".report") and f"{name.partition('.')[0]}.db" not in have:
                continue  # what was salvaged came back too late for this backup: restored, it is salvaged again
            if is_name(name):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    self._add_file(archive, name, path)
            else:
                self._left_out.append(str(path))

    def _add_config(self, archive: ArchiveWriter) -> None:
        """The configuration without the keys, for a person to look at: a restore leaves the one that is there."""
        files, tree, _ = read_files(self._config)
        lists = device_files(self._config, tree)
        for path in [*files, *([lists.devices] if lists.devices.exists() else [])]:
            name = f"config/conf.d/{path.name}" if path in files[1:] else f"config/{path.name}"
            if lists.keys.exists() and path.samefile(lists.keys):
                continue
            if is_name(name) and name not in {m.name for m in archive.members}:
                self._add_file(archive, name, path)
            else:
                self._left_out.append(str(path))


def _at_rest(path: Path) -> tuple[int, int, int] | None:
    """What tells whether a database was written; None while it has a write-ahead log."""
    with contextlib.suppress(FileNotFoundError):
        if Path(f"{path}-wal").stat().st_size:
            return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _sqlite_copy(path: Path, target: Path) -> None:
    """The database as it is at one moment, with what is in its write-ahead log. Raises sqlite3.Error."""
    target.unlink(missing_ok=True)
    with (
        contextlib.closing(migrate.connect(path, read_only=True)) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        copy.execute("PRAGMA synchronous=OFF")  # it is read once, by us
        source.backup(copy)


def _settle_below(path: Path, log: str, head: int) -> None:
    """What left the log while it was copied is no loss of the copy's: else a restore would count it as dropped."""
    with contextlib.closing(State(path)) as state:
        flush = Flush()
        for forwarder, name, settled in state.forwarders():
            if name == log and settled.gap(0, head) is not None:
                settled.forget_below(head)
                flush.settled[forwarder, name] = list(settled)
        if flush:
            state.save(flush)
