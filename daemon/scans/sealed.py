"""Files of the spool that are encrypted: AES-256-GCM in segments, with a key of each file's own.

    header   "thseal01", reference (16 bytes, random: under it scans.db has the wrapped key)
    segment  65,536 bytes and their tag (16 bytes); the last one has 0 to 65,536 bytes

It is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance, CRYPTO 2015): the nonce is the segment's number (11 bytes, big-endian) and whether it is
the last one, so that segments which are swapped, repeated, missing or cut off do not open; the header is authenticated
with each. A key is used for one file only. It is wrapped by a site key (AES key wrap, RFC 3394) and is nowhere else:
without its row in scans.db nobody opens the file.
"""

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from torhaus.daemon.scans.disk import Disk
from torhaus.drivers.secret import SecretError, is_credential, read_secret, secret_path

MAGIC: Final = b"thseal01"
REF_BYTES: Final = 16
HEADER_BYTES: Final = len(MAGIC) + REF_BYTES
SEGMENT_BYTES: Final = 65_536
TAG_BYTES: Final = 16
KEY_BYTES: Final = 32
_FULL: Final = SEGMENT_BYTES + TAG_BYTES


class Unreadable(OSError):  # noqa: N818 - a fact about a file
    """It was changed, cut off or is none of ours, or its key is gone."""


class FileKey(msgspec.Struct, frozen=True, gc=False):
    """A file's own key, and what scans.db is to keep of it."""

    ref: bytes
    key: bytes
    site_key: str  # its id
    wrapped: bytes


class SiteKeys:
    """The keys that wrap others. The first one wraps; all of them unwrap. Raises SecretError."""

    def __init__(self, specs: Sequence[str]) -> None:
        self._keys = {key_id(key): key for key in map(read_site_key, specs)}
        self.first = next(iter(self._keys))

    @property
    def ids(self) -> set[str]:
        """Of those that are there."""
        return set(self._keys)

    def new(self) -> FileKey:
        """For another file."""
        key = os.urandom(KEY_BYTES)
        return FileKey(os.urandom(REF_BYTES), key, self.first, aes_key_wrap(self._keys[self.first], key))

    def unwrap(self, site_key: str, wrapped: bytes) -> bytes:
        """A file's key. Raises Unreadable."""
        try:
            return aes_key_unwrap(self._keys[site_key], wrapped)
        except (KeyError, InvalidUnwrap, ValueError):
            raise Unreadable(f"no site key {site_key} that opens it") from None


def key_id(key: bytes) -> str:
    """Says which key it is and nothing of it."""
    return hashlib.sha256(b"torhaus spool key\0" + key).hexdigest()[:16]


def read_site_key(spec: str) -> bytes:
    """64 hex digits in a file or a systemd credential. Raises SecretError."""
    text = read_secret(spec)
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise SecretError(f"{spec}: must have 64 hex digits (openssl rand -hex 32)")
    return bytes.fromhex(text)


def spool_key_fault(spec: str, *, check_only: bool) -> str | None:
    """What is wrong with a key file. `check_only`: one that only the service can read is none of our business."""
    try:
        path = secret_path(spec, Path())
        if not (check_only and (is_credential(path) or (path.exists() and not os.access(path, os.R_OK)))):
            read_site_key(spec)
    except (SecretError, OSError) as error:
        return str(error)
    return None


class Sealer:
    """Writes one file. All calls block and raise OSError."""

    def __init__(self, disk: Disk, path: Path, key: FileKey) -> None:
        self._disk = disk
        self.key = key
        self._cipher = AESGCM(key.key)
        self._header = MAGIC + key.ref
        self._held = bytearray()
        self._number = 0
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0
        self._fd = disk.create(path)
        try:
            disk.write(self._fd, self._header)
        except OSError:
            self.close()
            raise

    def append(self, pieces: Iterable[bytes]) -> None:
        """More of the document."""
        for piece in pieces:
            self._sha256.update(piece)
            self.size_bytes += len(piece)
            self._held += piece
        out = []
        while len(self._held) > SEGMENT_BYTES:  # the last one has to be known as such
            out.append(self._seal(bytes(self._held[:SEGMENT_BYTES]), last=False))
            del self._held[:SEGMENT_BYTES]
        if out:
            self._disk.write(self._fd, b"".join(out))

    def sync(self) -> None:
        """That was all of it; on disk when this returns."""
        self._disk.write(self._fd, self._seal(bytes(self._held), last=True))
        self._held.clear()
        self._disk.fsync(self._fd)

    def _seal(self, segment: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(nonce_of(self._number, last=last), segment, self._header)
        self._number += 1
        return sealed

    @property
    def sha256(self) -> str:
        """Of the document, hex."""
        return self._sha256.hexdigest()

    def close(self) -> None:
        """May be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def nonce_of(number: int, *, last: bool) -> bytes:
    """Of a segment."""
    return number.to_bytes(11, "big") + bytes((last,))


class Opened(io.RawIOBase):
    """A sealed file to be read as if it were plain: anywhere, in any order. Closes `fd`. Raises Unreadable, OSError."""

    def __init__(self, fd: int, key: bytes) -> None:
        super().__init__()
        self._fd = fd
        self._at = 0
        self._segment: tuple[int, bytes] = (-1, b"")
        self._cipher = AESGCM(key)
        try:
            self._header = os.pread(fd, HEADER_BYTES, 0)
            body = os.fstat(fd).st_size - HEADER_BYTES
            self._count = -(-body // _FULL)
            short = body - (self._count - 1) * _FULL
            if self._header[: len(MAGIC)] != MAGIC or body < TAG_BYTES or short < TAG_BYTES + (self._count > 1):
                raise Unreadable("it is cut off, or no sealed file")
        except OSError:
            self.close()
            raise
        self.size_bytes = body - self._count * TAG_BYTES

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, into: object) -> int:
        """As much as is wanted and there."""
        view = memoryview(into).cast("B")  # type: ignore[arg-type]
        done = 0
        while done < len(view) and self._at < self.size_bytes:
            number, skip = divmod(self._at, SEGMENT_BYTES)
            piece = self._open(number)[skip : skip + len(view) - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def _open(self, number: int) -> bytes:
        if self._segment[0] != number:
            sealed = os.pread(self._fd, _FULL, HEADER_BYTES + number * _FULL)
            nonce = nonce_of(number, last=number == self._count - 1)
            try:
                self._segment = (number, self._cipher.decrypt(nonce, sealed, self._header))
            except InvalidTag:
                raise Unreadable(f"segment {number} was changed or is not the one that belongs there") from None
        return self._segment[1]

    def close(self) -> None:
        """May be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)
        super().close()


def opened(fd: int, key: bytes) -> io.BufferedReader:
    """An open sealed file as parsers want it. Raises Unreadable, OSError."""
    return io.BufferedReader(Opened(fd, key), SEGMENT_BYTES)


class Sealed:
    """A sealed file that can be opened again and again, as one opens a Path."""

    def __init__(self, disk: Disk, path: Path, key: bytes) -> None:
        self._disk = disk
        self.path = path
        self.key = key

    def open(self, mode: Literal["rb"] = "rb", buffering: int = -1) -> io.BufferedReader:  # noqa: ARG002 - as Path has it
        """The plain bytes. Raises Unreadable, OSError."""
        assert mode == "rb", "it is never changed"
        return opened(self._disk.open_read(self.path), self.key)


Content = Path | Sealed
"""A document's bytes: `open("rb")` gives them, plain."""


def ref_of(fd: int) -> bytes | None:
    """Under which reference the key of an open file is kept; None: it is a plain one."""
    header = os.pread(fd, HEADER_BYTES, 0)
    return header[len(MAGIC) :] if header[: len(MAGIC)] == MAGIC and len(header) == HEADER_BYTES else None
