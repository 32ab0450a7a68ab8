"""Looking at a hot folder: what lies there, what is left alone, and how a taken file is removed without losing another.

A hot folder is an untrusted place: others write, rename and replace in it at any moment. Local and remote writers
look alike to a periodic listing, which is why it, and not inotify, is the truth here.
"""

import contextlib
import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.scans.disk import Disk, hash_fd
from torhaus.daemon.scans.names import display_name, natural

MAX_ENTRIES: Final = 20_000
"""Directory entries looked at per listing: a folder with more is reported, and the rest has its turn later."""

CLAIM_FOLDER: Final = ".torhaus"
"""Private folder (0700) in the hot folder, hence on the same file system: files are moved here before removal."""

_IGNORED: Final = (
    ".*", "~$*", "*.tmp", "*.part", "*.partial", "*.filepart", "*.crdownload", "*.lock", "*.lck", "thumbs.db",
    "desktop.ini", "@eadir",
)  # fmt: skip
"""Temporary names of browsers, FTP and SFTP clients, Office, WebDAV and sync tools, and what desktops leave behind.

Dot files are in it: `.in.NAME.` (proftpd), `.davfs.tmp…`, `.syncthing.….tmp`, `._NAME`, `.DS_Store`, `.stfolder`."""

LOCKS: Final = ("*.lock", "*.lck", ".lock", ".lck")
"""Files with which a writer says that it is not done with what lies beside them."""


class Identity(msgspec.Struct, frozen=True):
    """A directory entry's file, as far as stat can tell."""

    dev: int
    ino: int
    size_bytes: int
    mtime_ns: int


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One regular file. `claimed` when it lies in the claim folder; `depth` is how many subfolders it lies in."""

    path: Path
    identity: Identity
    claimed: bool = False
    depth: int = 0

    @property
    def name(self) -> bytes:
        """The name as the directory has it, with the subfolders in front of it."""
        return os.fsencode("/".join(self.path.parts[-1 - self.depth :]))

    @property
    def folder(self) -> bytes:
        """The subfolder it lies in; empty for the hot folder itself."""
        return self.name.rpartition(b"/")[0]


class Look(msgspec.Struct, frozen=True, gc=False):
    """One listing. `refused` maps a name to symlink, special, too_deep, unreadable or overflow; `dev` is the folder's.

    `beside`: by name, what is no document but says something of one: ready files, sidecars, locks.
    """

    files: list[Entry]
    refused: dict[bytes, str]
    dev: int
    beside: dict[bytes, Entry] = {}

    @property
    def is_whole(self) -> bool:
        """Whether what is not in it is not there."""
        return {"unreadable", "overflow"}.isdisjoint(self.refused.values())


class Removal(StrEnum):
    """How the removal of a taken file ended."""

    REMOVED = "removed"
    GONE = "gone"  # somebody else had removed it
    CHANGED = "changed"  # other content by now: it stays, and is a new arrival
    STUCK = "stuck"  # not permitted, or not possible now


def identity_of(status: os.stat_result) -> Identity:
    """What stat says."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class HotFolder:
    """One station's folder. All calls block and raise OSError.

    `beside`: patterns of what lies beside documents, besides locks; `depth`: so many subfolders deep is looked; `kept`:
    subfolders that stay when they are empty.
    """

    def __init__(
        self,
        path: Path,
        pattern: tuple[str, ...],
        ignore: tuple[str, ...],
        disk: Disk,
        *,
        beside: tuple[str, ...] = (),
        depth: int = 0,
        kept: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self._claims = path / CLAIM_FOLDER
        self._wanted = _matcher(pattern)
        self._ignored = _matcher((*_IGNORED, *ignore))
        self._beside = _matcher((*LOCKS, *beside))
        self._depth = depth
        self._kept = frozenset(display_name(os.fsencode(folder)).casefold() for folder in kept)
        self._disk = disk

    def look(self) -> Look:
        """Everything that is to be taken, in the order of the names."""
        found = Look([], {}, self.path.stat().st_dev, {})
        self._list(self.path, found)
        if self._claims_usable():
            self._list(self._claims, found, claimed=True)
        found.files.sort(key=lambda entry: (not entry.claimed, natural(entry.name)))
        return found

    def _list(self, top: Path, found: Look, *, claimed: bool = False) -> None:
        """Subfolders after what lies beside them, so that an overflow leaves out the deepest."""
        waiting, count = [(top, 0)], 0
        while waiting:
            folder, depth = waiting.pop(0)
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        count += 1
                        if count > MAX_ENTRIES:
                            found.refused[b""] = "overflow"
                            return
                        if self._add(entry, depth, found, claimed=claimed):
                            waiting.append((Path(entry.path), depth + 1))
            except OSError as error:
                if depth == 0:
                    raise
                if not isinstance(error, (FileNotFoundError, NotADirectoryError)):  # else it has gone meanwhile
                    found.refused[bytes(folder)] = "unreadable"

    def _add(self, entry: os.DirEntry[str], depth: int, found: Look, *, claimed: bool) -> bool:
        """Put an entry where it belongs; whether it is a subfolder to be looked into."""
        raw = os.fsencode(entry.name)
        name = display_name(raw).lower()
        is_beside = not claimed and bool(self._beside.match(name))
        if not (claimed or is_beside) and self._ignored.match(name):
            return False
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        except PermissionError:
            raise  # that is the folder's, and so all others' in it
        except OSError:
            found.refused[raw] = "unreadable"
            return False
        is_taken = claimed or is_beside or bool(self._wanted.match(name))
        if stat.S_ISDIR(status.st_mode):
            if not claimed and depth < self._depth:
                return True
            if self._depth and not claimed:
                found.refused[raw] = "too_deep"
        elif stat.S_ISREG(status.st_mode) and is_taken:
            made = Entry(Path(entry.path), identity_of(status), claimed, depth)
            if is_beside:
                found.beside[made.name] = made
            else:
                found.files.append(made)
        elif is_taken:
            found.refused[raw] = "symlink" if stat.S_ISLNK(status.st_mode) else "special"
        return False

    def _claims_usable(self) -> bool:
        """The claim folder is there, no link, and ours: in an untrusted place somebody else could have made it."""
        try:
            status = self._claims.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()

    def claim_path(self, seq: int) -> Path:
        """Where the file of scan `seq` lies between claim and removal."""
        return self._claims / str(seq)

    def remove(self, entry: Entry, seq: int, sha256: str) -> Removal:
        """Remove a file whose bytes are safe: claim it by rename, make sure that it is still those bytes, unlink.

        Without a claim folder (no right to make one) the file is checked and unlinked where it is.
        """
        try:
            with beneath(entry) as where:
                if entry.path != self.claim_path(seq) and self._can_claim():
                    self._disk.rename(where, self.claim_path(seq))
                    return self._remove_checked(self.claim_path(seq), where, entry, sha256)
                return self._remove_checked(where, where, entry, sha256)
        except (FileNotFoundError, NotADirectoryError):
            is_there = os.path.lexists(entry.path) or os.path.lexists(self.claim_path(seq))
            return Removal.STUCK if is_there else Removal.GONE  # the claim folder can have gone, too
        except OSError:  # whatever it is: the document is safe, and the other files have their turn
            return Removal.STUCK

    def _can_claim(self) -> bool:
        with contextlib.suppress(OSError):
            self._disk.make_dir(self._claims)
        return self._claims_usable()

    def _remove_checked(self, where: Path, source: Path, entry: Entry, sha256: str) -> Removal:
        """A writer with an open handle still reaches the file after a rename: hence stat and hash once more."""
        try:
            fd = self._disk.open_read(where)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.EINVAL}:  # replaced by a link or a device
                return Removal.CHANGED
            raise
        try:
            status = os.fstat(fd)
            same = status.st_size == entry.identity.size_bytes and hash_fd(fd)[0] == sha256
            if same and identity_of(os.fstat(fd)) != identity_of(status):
                return Removal.STUCK  # written to while it was read: what was read is not what is there
        finally:
            os.close(fd)
        if not same or where.lstat().st_ino != status.st_ino:
            return Removal.CHANGED
        self._disk.unlink(where)
        self._disk.fsync_dir(where.parent)
        if where.parent != source.parent:  # else a power cut brings the name back after it was forgotten
            self._disk.fsync_dir(source.parent)
        return Removal.REMOVED

    def read(self, entry: Entry, limit_bytes: int) -> bytes:
        """The bytes of what lies beside a document, at most `limit_bytes` and one more."""
        with beneath(entry) as where:
            fd = self._disk.open_read(where)
            try:
                data = b""
                while len(data) <= limit_bytes and (chunk := os.read(fd, limit_bytes + 1 - len(data))):
                    data += chunk
                return data
            finally:
                os.close(fd)

    def tidy(self, entries: list[Entry]) -> None:
        """Remove what lay beside documents that are safe, and their subfolder if it is empty then. Best effort.

        What has changed meanwhile belongs to a document that is still to come, and stays.
        """
        for entry in entries:
            with contextlib.suppress(OSError), beneath(entry) as where:
                if identity_of(where.lstat()) == entry.identity:
                    self._disk.unlink(where)

    def remove_folder(self, name: bytes) -> None:
        """Remove an empty subfolder, and those around it; one with anything in it stays. Best effort."""
        parts = name.split(b"/") if name else []
        with contextlib.suppress(OSError):
            while parts and display_name(b"/".join(parts)).casefold() not in self._kept:
                (self.path / os.fsdecode(b"/".join(parts))).rmdir()
                parts.pop()


@contextlib.contextmanager
def beneath(entry: Entry) -> Iterator[Path]:
    """A path to the entry for as long as this is open, on which no subfolder can be swapped for a link meanwhile.

    Raises OSError: ELOOP or NotADirectoryError where one was.
    """
    if entry.depth == 0:
        yield entry.path
        return
    above = entry.path.parents[entry.depth]
    fd = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in entry.path.parts[-1 - entry.depth : -1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield Path(f"/proc/self/fd/{fd}", entry.path.name)
    finally:
        os.close(fd)


def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in patterns) or r"(?!)")
