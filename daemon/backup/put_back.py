"""Restoring a backup into an empty store, with new store ids: no record id of before is given out a second time.

Everything is verified first, then unpacked beside its place and put on disk; only then it is renamed into place, the
log before state.db. A power cut in between leaves a store that says that it is not empty, or one that sends again.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.backup.archive import ArchiveError, Entry, Manifest, entries, verify
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.outbox import migrate, second
from torhaus.daemon.outbox.keeping import RELAY
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.opening import open_state
from torhaus.daemon.outbox.view import FOLDERS

Told = Callable[[int, int], None]
UNPACKED: Final = "restoring"
SPARE_BYTES: Final = 16 << 20
"""What must be free besides: for what the daemon writes at its start."""
EX_CANTCREAT: Final = 73
EX_CONFIG: Final = 78


class NotRestored(Exception):  # noqa: N818 - carries an exit code
    """Nothing was changed. The text says why and what to do."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Restored(msgspec.Struct):
    """What was restored: records by log, and files that turned out to be damaged and were set aside."""

    records: dict[str, int]
    set_aside: list[str]


def check(path: Path, told: Told) -> Manifest:
    """The manifest of a whole and unchanged backup. Raises ArchiveError, OSError. Nothing is unpacked."""
    with path.open("rb") as file:
        total, done = os.fstat(file.fileno()).st_size, 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            told(done, total)

        return verify(file, count)


class Restore:
    """One backup into the configured store."""

    def __init__(self, loaded: Loaded, path: Path, clock: Clock) -> None:
        self._site = loaded.site.id
        self._store = Path(loaded.store.path)
        self._path = path
        self._clock = clock

    def run(self, told: Told) -> Restored:
        """Verify, unpack, put in place. Raises NotRestored, ArchiveError, OSError, sqlite3.Error, RefusedError."""
        manifest = check(self._path, told)
        if manifest.site != self._site:
            raise NotRestored(
                f"a backup of site {manifest.site!r}; site.id here is {self._site!r}: its records' ids begin with the "
                "other one, for life",
                EX_CONFIG,
            )
        migrate.make_folder(self._store)
        with self._alone():
            self._check_room(manifest)
            work = self._store / UNPACKED
            work.mkdir(mode=0o700)
            try:
                self._unpack(manifest, work, told)
                done = self._renew(work)
                self._hand_over(work)
                self._put_in_place(work)
            except BaseException:
                shutil.rmtree(work, ignore_errors=True)
                raise
        return done

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """The store is empty, and no daemon uses it meanwhile."""
        lock = os.open(self._store / "outbox.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotRestored(f"{self._store}: in use by a running torhaus: stop it first", EX_CANTCREAT) from None
            if os.geteuid() == 0:
                owner = self._store.stat()
                os.fchown(lock, owner.st_uid, owner.st_gid)
            there = self._content()
            if there is not None:
                raise NotRestored(f"{self._store} is not empty ({there} is there): move it away first", EX_CANTCREAT)
            yield
        finally:
            os.close(lock)

    def _content(self) -> str | None:
        for path in sorted(self._store.iterdir()):
            if path.name.startswith("state.db") or path.name == UNPACKED:
                return path.name
            if path.name in FOLDERS.values() and next(path.iterdir(), None) is not None:
                return f"{path.name}/"
        return None

    def _check_room(self, manifest: Manifest) -> None:
        need = sum(m.bytes for m in manifest.members) + SPARE_BYTES
        free = shutil.disk_usage(self._store).free
        if free < need:
            raise NotRestored(f"{self._store}: {need} bytes are needed, {free} are free", EX_CANTCREAT)

    def _unpack(self, manifest: Manifest, work: Path, told: Told) -> None:
        """Only what belongs to the store, and again only what the manifest says: the archive may be another by now."""
        wanted = {m.name: m for m in manifest.members if m.name.startswith("store/")}
        total, done = sum(m.bytes for m in wanted.values()), 0
        for sub in FOLDERS.values():
            (work / sub).mkdir(mode=0o700)
        with self._path.open("rb") as file:
            for entry in entries(file):
                member = wanted.pop(entry.name, None)
                if member is None or member.bytes != entry.size:
                    for _ in entry.chunks():
                        pass
                    continue
                if _write(entry, work / entry.name.removeprefix("store/")) != member.sha256:
                    raise ArchiveError(f"{entry.name} was changed while it was read")
                done += entry.size
                told(done, total)
        if wanted:
            raise ArchiveError(f"{min(wanted)} was changed while it was read")

    def _renew(self, work: Path) -> Restored:
        """Begin a segment with a new store id in each log, for a machine that does not exist.

        So the daemon that opens it, on whatever machine, makes yet another one of its own.
        """
        now = self._clock.wall_ns()
        out = Restored({}, [])
        opened = open_state(work / "state.db", now)
        with contextlib.closing(opened.state):
            floors = {name: opened.state.given_out(name) for name in FOLDERS}
            opened.state.skip_ahead()
        out.set_aside = [opened.set_aside.name] if opened.set_aside else []
        for name, sub in FOLDERS.items():
            if name == RELAY and not any((work / sub).iterdir()):
                (work / sub).rmdir()  # it has never had one
                continue
            log = Log(
                work / sub,
                self._site,
                max_bytes=1 << 50,
                max_age_ns=0,
                now_ns=now,
                floor=floors[name],
                machine=f"restored-{secrets.token_hex(8)}",
            )
            out.records[name] = log.records
            out.set_aside += [p.name for p in log.set_aside]
            log.close()
        return out

    def _hand_over(self, work: Path) -> None:
        """Everything on disk, and to whom the store belongs: root restores, the service reads."""
        owner = self._store.stat()
        for path in [work, *work.rglob("*")]:
            if os.geteuid() == 0:
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def _put_in_place(self, work: Path) -> None:
        """state.db last: a log without it is sent again; it without the log would be a log that lost its end."""
        (self._store / second.FILE).unlink(missing_ok=True)  # of what was there before, if anything
        there = sorted(work.iterdir(), key=lambda p: p.name.startswith("state.db"))
        for path in there:
            path.rename(self._store / path.name)
        work.rmdir()
        migrate.sync_folder(self._store)


def _write(entry: Entry, path: Path) -> str:
    """A new file, on disk when this returns. Returns its SHA-256."""
    digest = hashlib.sha256()
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "wb") as out:
        for chunk in entry.chunks():
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()
