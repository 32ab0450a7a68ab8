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
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.scans.disk import Disk, hash_fd
from torhaus.daemon.scans.names import display_name

MAX_ENTRIES: Final = 20_000
"""Directory entries looked at per listing: a folder with more is reported, and the rest has its turn later."""

CLAIM_FOLDER: Final = ".torhaus"
"""Private folder (0700) in the hot folder, hence on the same file system: files are moved here before removal."""

_IGNORED: Final = (
    ".*", "~$*", "*.tmp", "*.part", "*.partial", "*.filepart", "*.crdownload", "thumbs.db", "desktop.ini", "@eadir",
)  # fmt: skip
"""Temporary names of browsers, FTP and SFTP clients, Office, WebDAV and sync tools, and what desktops leave behind."""


class Identity(msgspec.Struct, frozen=True):
    """A directory entry's file, as far as stat can tell."""

    dev: int
    ino: int
    size_bytes: int
    mtime_ns: int


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One regular file. `claimed` when it lies in the claim folder."""

    path: Path
    identity: Identity
    claimed: bool = False

    @property
    def name(self) -> bytes:
        """The name as the directory has it."""
        return os.fsencode(self.path.name)


class Look(msgspec.Struct, frozen=True, gc=False):
    """One listing. `refused` maps a name to symlink, special or overflow; `dev` is the folder's own device."""

    files: list[Entry]
    refused: dict[bytes, str]
    dev: int


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
    """One station's folder. All calls block and raise OSError."""

    def __init__(self, path: Path, pattern: tuple[str, ...], ignore: tuple[str, ...], disk: Disk) -> None:
        self._path = path
        self._claims = path / CLAIM_FOLDER
        self._wanted = _matcher(pattern)
        self._ignored = _matcher((*_IGNORED, *ignore))
        self._disk = disk

    def look(self) -> Look:
        """Everything that is to be taken, in the order of the names."""
        files: list[Entry] = []
        refused: dict[bytes, str] = {}
        self._list(self._path, False, files, refused)
        if self._claims_usable():
            self._list(self._claims, True, files, refused)
        files.sort(key=lambda entry: (not entry.claimed, entry.path.name))
        return Look(files, refused, self._path.stat().st_dev)

    def _list(self, folder: Path, claimed: bool, files: list[Entry], refused: dict[bytes, str]) -> None:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= MAX_ENTRIES:
                    refused[b""] = "overflow"
                    break
                raw = os.fsencode(entry.name)
                if not claimed and not self._takes(raw):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    files.append(Entry(Path(entry.path), identity_of(status), claimed))
                elif stat.S_ISLNK(status.st_mode):
                    refused[raw] = "symlink"
                elif not stat.S_ISDIR(status.st_mode):
                    refused[raw] = "special"

    def _takes(self, raw: bytes) -> bool:
        name = display_name(raw).lower()
        return not self._ignored.match(name) and bool(self._wanted.match(name))

    def _claims_usable(self) -> bool:
        """The claim folder is there, no link, and ours: in an untrusted place somebody else could have made it."""
        try:
            status = self._claims.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()

    def claim_path(self, seq: int) -> Path:
        """Where the file of scan `seq` lies between claim and removal."""
        return self._claims / str(seq)

    def remove(self, entry: Entry, seq: int, sha256: str) -> Removal:
        """Remove a file whose bytes are safe: claim it by rename, make sure that it is still those bytes, unlink.

        Without a claim folder (no right to make one) the file is checked and unlinked where it is.
        """
        where = entry.path
        try:
            if where != self.claim_path(seq) and self._can_claim():
                self._disk.rename(where, self.claim_path(seq))
                where = self.claim_path(seq)
            return self._remove_checked(where, entry, sha256)
        except FileNotFoundError:
            return Removal.GONE
        except OSError:  # whatever it is: the document is safe, and the other files have their turn
            return Removal.STUCK

    def _can_claim(self) -> bool:
        with contextlib.suppress(OSError):
            self._disk.make_dir(self._claims)
        return self._claims_usable()

    def _remove_checked(self, where: Path, entry: Entry, sha256: str) -> Removal:
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
        finally:
            os.close(fd)
        if not same or where.lstat().st_ino != status.st_ino:
            return Removal.CHANGED
        self._disk.unlink(where)
        self._disk.fsync_dir(where.parent)
        if where.parent != entry.path.parent:  # else a power cut brings the name back after it was forgotten
            self._disk.fsync_dir(entry.path.parent)
        return Removal.REMOVED


def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in patterns) or r"(?!)")
