"""Delivery into a folder: written under a hidden name, forced to disk, renamed, read back.

The name is `<seq>-<safe original name>`, or with the store's id between them when that name is taken by something
else: the same scan always gets the same name, and no file is ever overwritten.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from torhaus.daemon.scans.disk import FULL, errno_name, hash_fd, hash_file
from torhaus.daemon.scans.names import safe_name
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import AbsPath
from torhaus.daemon.scans.targets.base import (
    Context,
    NotNow,
    Parcel,
    Proof,
    Receipt,
    Refused,
    TargetConfig,
    TargetDown,
)
from torhaus.daemon.scans.targets.writing import copy

A = TypeVar("A")
T = TypeVar("T")


class _Placed(TargetConfig, frozen=True, forbid_unknown_fields=True):
    path: AbsPath


class FolderConfig(_Placed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of targets that are folders."""

    mounted: bool = False  # the path must be a mount point: nothing is written below an unmounted share
    file_mode: Annotated[str, msgspec.Meta(pattern=r"^0[0-7]{3}\Z")] = "0640"

    @property
    def local_folder(self) -> str | None:
        """No station may take from it."""
        return self.path


class Config(FolderConfig, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="folder"):
    """A folder that central IT collects from: local, or a mounted share."""


def open_target(config: Config, context: Context) -> "Folder":
    """The target; touches nothing until it is used."""
    return Folder(config, context)


class Folder:
    """One target folder."""

    proves = Proof.VERIFIED

    def __init__(self, config: Config, context: Context) -> None:
        self._folder = Path(config.path)
        self._mounted = config.mounted
        self._mode = int(config.file_mode, 8)
        self._disk = context.disk
        self._throttle = context.throttle

    async def send(self, parcel: Parcel) -> Receipt:
        """Write the file; the receipt has the hash of the bytes read back through the renamed file's own descriptor.

        That way a consumer who takes the file away at once does not make it look lost.
        """
        await self._throttle.take(parcel.size_bytes)
        return await asyncio.to_thread(self._guard, self._send, parcel)

    async def stored(self, parcel: Parcel) -> str | None:
        """Hash of the file that lies there under this scan's name. A name with other content does not count as ours."""
        return await asyncio.to_thread(self._guard, self._stored, parcel)

    async def probe(self) -> str:
        """Make a hidden file and remove it."""
        return await asyncio.to_thread(self._guard, self._try, None)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _guard(self, work: Callable[[A], T], of: A) -> T:
        try:
            if not self._folder.is_dir() or (self._mounted and not self._folder.is_mount()):
                raise TargetDown("folder not there or not mounted")
            return work(of)
        except OSError as error:
            raise TargetDown("disk_full" if error.errno in FULL else errno_name(error)) from error

    def _try(self, _: None) -> str:
        path = self._folder / f".torhaus-{os.urandom(4).hex()}.part"
        os.close(self._disk.create(path, self._mode))
        self._disk.unlink(path)
        return f"can be written, {self._disk.free(self._folder) >> 20} MiB free"

    def _names(self, parcel: Parcel) -> list[Path]:
        name = safe_name(parcel.name)
        return [self._folder / f"{parcel.seq}-{name}", self._folder / f"{parcel.seq}-{parcel.store}-{name}"]

    def _hash(self, path: Path) -> str | None:
        try:
            return hash_file(self._disk, path)
        except FileNotFoundError:
            return None

    def _stored(self, parcel: Parcel) -> str | None:
        hashes = [self._hash(path) for path in self._names(parcel)]
        return parcel.sha256 if parcel.sha256 in hashes else None

    def _send(self, parcel: Parcel) -> Receipt:
        for final in self._names(parcel):
            there = self._hash(final)
            if there == parcel.sha256:  # a run that crashed after the rename
                self._disk.fsync_dir(self._folder)
                return Receipt(there, final.name)
            if there is None:
                return self._write(parcel, final)
        raise Refused("name taken by other content", Reason.CONFLICT)

    def _write(self, parcel: Parcel, final: Path) -> Receipt:
        draft = self._folder / f".torhaus-{parcel.store}-{parcel.seq}.part"
        with contextlib.suppress(FileNotFoundError):
            self._disk.unlink(draft)  # a crashed run's
        fd = self._disk.create(draft, self._mode)
        try:
            os.fchmod(fd, self._mode)
            copy(self._disk, parcel.path, fd)
            self._disk.fsync(fd)
            if self._read_back(fd) != parcel.sha256:
                raise NotNow("written bytes read back differently", Reason.MISMATCH)
            self._disk.rename_new(draft, final)
            self._disk.fsync_dir(self._folder)
            return Receipt(self._read_back(fd))
        except FileExistsError:
            raise NotNow("name was taken meanwhile", Reason.CONFLICT) from None
        finally:
            os.close(fd)
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(draft)

    def _read_back(self, fd: int) -> str:
        """Hash what the disk has, as far as the kernel can be made to look there again."""
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return hash_fd(fd)[0]
