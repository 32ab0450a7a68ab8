"""The spool: every document's bytes once, under their SHA-256, on our own disk before anything else happens.

    <root>/blobs/ab/abcdef…   mode 0600, never changed after the rename
    <root>/tmp/…              drafts; whatever is left here by a crash is removed at the next start

With site keys (`[scan] spool_key_files`) blobs and drafts are sealed (`sealed.py`); hashes are of the plain bytes.
A blob can belong to several scans (the same file delivered twice): whoever purges counts them first.
"""

import contextlib
import errno
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.scans.disk import CHUNK_BYTES, Disk
from torhaus.daemon.scans.sealed import Content, FileKey, Sealed, Sealer, Unreadable, ref_of
from torhaus.daemon.scans.spool_keys import SpoolKeys
from torhaus.daemon.scans.uploads.part import Part

_HEX: Final = re.compile(r"[0-9a-f]{64}")
SETTLED_S: Final = 3600.0
"""So long after somebody brought these bytes a blob is not removed: their scan may not be committed yet."""


class TooLarge(Exception):  # noqa: N818 - a fact about the file
    """The source has more bytes than the limit (it may have grown while it was read)."""


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A private, fsync'd copy that has no name yet. sha256 is hex."""

    path: Path
    sha256: str
    size_bytes: int
    key: FileKey | None = None  # of a sealed one


def blob_path(root: Path, sha256: str) -> Path:
    """Where a spool's blob with this hash is, or would be."""
    return root / "blobs" / sha256[:2] / sha256


class Spool:
    """The blob store. All calls block (run them in a thread) and raise OSError.

    Readings are kept on the same file system: documents never take its last `min_free_bytes`.
    """

    def __init__(self, root: Path, disk: Disk, min_free_bytes: int = 0, keys: SpoolKeys | None = None) -> None:
        self._root = root
        self._blobs = root / "blobs"
        self._tmp = root / "tmp"
        self._disk = disk
        self._min_free_bytes = min_free_bytes
        self.keys = keys or SpoolKeys()
        self._publishing = [threading.Lock() for _ in range(16)]  # by the hash's first digit
        self._brought: dict[str, float] = {}  # when these bytes came last, in this run
        self._coming = 0
        self._coming_lock = threading.Lock()  # several stations copy at the same time

    def prepare(self) -> None:
        """Make the folders and remove drafts that a crash left behind. Call before the first draft."""
        for folder in (self._root, self._blobs, self._tmp):
            self._disk.make_dir(folder)
        for path in self._tmp.iterdir():
            self._disk.unlink(path)

    def sweep(self, wanted: Callable[[str], bool]) -> int:
        """Remove blobs that no scan refers to (a crash between rename and commit). Returns how many."""
        orphans = [
            path
            for path in self._blobs.glob("[0-9a-f][0-9a-f]/*")
            if _HEX.fullmatch(path.name) and not wanted(path.name)
        ]
        for path in orphans:
            self._disk.unlink(path)
        return len(orphans)

    def draft(self, source_fd: int, limit_bytes: int) -> Draft:
        """Copy an open file into the spool, hash it on the way, fsync. Leaves nothing if it fails.

        Raises TooLarge, and ENOSPC before anything is written where less than `min_free_bytes` would be left.
        """
        with self._room(min(os.fstat(source_fd).st_size, limit_bytes)):
            return self._draft(source_fd, limit_bytes)

    def new_path(self) -> Path:
        """For a draft that comes in pieces: gone at the next start."""
        return self._tmp / os.urandom(8).hex()

    def check_room(self, size: int) -> None:
        """Raise ENOSPC where less than `min_free_bytes` would be left with so much more."""
        with self._room(size):
            pass

    @contextlib.contextmanager
    def _room(self, size: int) -> Iterator[None]:
        with self._coming_lock:
            # what is half copied counts twice: careful rather than exact
            if self._disk.free(self._root) - self._coming - size < self._min_free_bytes:
                raise OSError(errno.ENOSPC, "less than min_free_bytes would be left")
            self._coming += size
        try:
            yield
        finally:
            with self._coming_lock:
                self._coming -= size

    def writer(self, path: Path) -> Part | Sealer:
        """For a draft that comes in pieces: `append`, `sync`, `close`, and then `drafted`."""
        return Sealer(self._disk, path, self.keys.new()) if self.keys.seals else Part.create(self._disk, path)

    @staticmethod
    def drafted(path: Path, writer: Part | Sealer) -> Draft:
        """What was written, after `sync`."""
        key = writer.key if isinstance(writer, Sealer) else None
        return Draft(path, writer.sha256, writer.size_bytes, key)

    def adopt(self, file: Path, sha256: str, size_bytes: int) -> Draft:
        """A draft of a file of ours that is whole and flushed: a second name for it, or a sealed copy."""
        if not self.keys.seals:
            path = self.new_path()
            self._disk.link(file, path)
            return Draft(path, sha256, size_bytes)
        fd = self._disk.open_read(file)
        try:
            return self.draft(fd, size_bytes)
        except TooLarge:
            raise OSError(errno.EIO, "it is longer than it was") from None
        finally:
            os.close(fd)

    def _draft(self, source_fd: int, limit_bytes: int) -> Draft:
        path = self.new_path()
        if self.keys.seals:
            return self._sealed_draft(path, source_fd, limit_bytes)
        fd = self._disk.create(path)
        try:
            sha256, size = self._copy(source_fd, fd, limit_bytes)
            self._disk.fsync(fd)
        except (OSError, TooLarge):
            self._disk.unlink(path)
            raise
        finally:
            os.close(fd)
        return Draft(path, sha256, size)

    def _sealed_draft(self, path: Path, source_fd: int, limit_bytes: int) -> Draft:
        try:
            with contextlib.closing(self.writer(path)) as out:
                while chunk := os.pread(source_fd, CHUNK_BYTES, out.size_bytes):
                    if out.size_bytes + len(chunk) > limit_bytes:
                        raise TooLarge  # noqa: TRY301 - what cleans up is below
                    out.append([chunk])
                out.sync()
        except (OSError, TooLarge):
            self.discard(Draft(path, "", 0))
            raise
        return self.drafted(path, out)

    def _copy(self, source_fd: int, fd: int, limit_bytes: int) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        while chunk := os.pread(source_fd, CHUNK_BYTES, size):
            size += len(chunk)
            if size > limit_bytes:
                raise TooLarge
            digest.update(chunk)
            self._disk.write(fd, chunk)
        return digest.hexdigest(), size

    def discard(self, draft: Draft) -> None:
        """Remove a draft that is not wanted."""
        with contextlib.suppress(FileNotFoundError):
            self._disk.unlink(draft.path)

    def publish(self, draft: Draft) -> Path:
        """Give a draft its name for good. The same content twice is one blob; a damaged blob is replaced."""
        path = self.path(draft.sha256)
        with self._publishing[int(draft.sha256[0], 16)]:  # a sealed file must not take the place of a good one
            if self.intact(draft.sha256):
                self.discard(draft)
            else:
                self._disk.make_dir(path.parent)
                self._disk.rename(draft.path, path)
                if draft.key is not None:
                    self.keys.lies(draft.sha256, draft.key)
            self._brought[draft.sha256] = time.monotonic()
        self._disk.fsync_dir(path.parent)  # in both cases: the rename may be a crashed run's, not yet on disk
        return path

    def _is_settled(self, sha256: str) -> bool:
        """Whether nobody is just bringing these bytes again. With their lock held."""
        since = time.monotonic() - SETTLED_S
        if self._brought.get(sha256, since) > since:
            return False
        self._brought.pop(sha256, None)
        return True

    def let_go(self, sha256: str, forget: Callable[[], None]) -> bool:
        """Call `forget` unless somebody is just bringing these bytes again. Never waits: called in a transaction."""
        guard = self._publishing[int(sha256[0], 16)]
        if not guard.acquire(blocking=False):
            return False
        try:
            if not self._is_settled(sha256):
                return False
            forget()
            return True
        finally:
            guard.release()

    def remove(self, sha256: str) -> bool:
        """Remove a blob that no scan refers to any more, unless somebody has brought its bytes since."""
        path = self.path(sha256)
        with self._publishing[int(sha256[0], 16)]:
            if not self._is_settled(sha256):
                return False
            with contextlib.suppress(FileNotFoundError):
                self._disk.unlink(path)
                self._disk.fsync_dir(path.parent)
        return True

    def path(self, sha256: str) -> Path:
        """Where the blob with this hash is, or would be."""
        return blob_path(self._root, sha256)

    def intact(self, sha256: str) -> bool:
        """Whether the blob is there and, read anew, has its hash."""
        try:
            return _hash(self.content(sha256)) == sha256
        except (FileNotFoundError, Unreadable):
            return False

    def content(self, sha256: str) -> Content:
        """The bytes of a blob, to be opened. Raises Unreadable, OSError."""
        return content_at(self._disk, self.path(sha256), self.keys)

    def content_of(self, draft: Draft) -> Content:
        """The bytes of a draft."""
        return draft.path if draft.key is None else Sealed(self._disk, draft.path, draft.key.key)


def content_at(disk: Disk, path: Path, keys: SpoolKeys) -> Content:
    """The bytes of a file of some spool, plain or sealed. Raises Unreadable, OSError."""
    fd = disk.open_read(path)
    try:
        ref = ref_of(fd)
    finally:
        os.close(fd)
    return path if ref is None else Sealed(disk, path, keys.of(ref))


def _hash(content: Content) -> str:
    with content.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
