"""A backup as a file: a tar archive (POSIX ustar) of plain files, its manifest last.

Written so that any tar can list and unpack it. Read with bounds of our own, since an archive may have been made by
anybody: only plain files, only names that a backup has, nothing that has to be kept in memory but the manifest.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

BLOCK: Final = 512
CHUNK: Final = 1 << 18
FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 32 << 20
MAX_MEMBERS: Final = 100_000
MAX_END: Final = 20 * BLOCK
"""Zero bytes with which tar programs end an archive: at least two blocks, at most their record size."""

_FIELDS: Final = re.compile(rb"([0-7]+)[ \0]*")
_NAME: Final = re.compile(
    r"store/(state\.db|(log|strangers|relay)/[0-9]{20}\.db)(\.corrupt-[0-9]{1,20}(\.[0-9]{1,9})?(\.report)?)?(-wal|-journal)?"
    r"|store/(log|strangers|relay)/thinned"
    r"|config/(conf\.d/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"
)

Told = Callable[[int], None]


class ArchiveError(Exception):
    """This is not a whole backup. The text is one line."""


class Member(msgspec.Struct, frozen=True):
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup has, and of what it is one."""

    format: int
    torhaus: str
    site: str
    machine: str
    created: str
    members: list[Member]
    left_out: list[str] = []


def is_name(name: str) -> bool:
    """Whether a backup may have a file of this name: no other folder than those named here, nothing that leads out."""
    return _NAME.fullmatch(name) is not None


class ArchiveWriter:
    """Writes the members one after the other into a file that can be cut back."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.members: list[Member] = []

    def mark(self) -> tuple[int, int]:
        """What `cut` takes."""
        return self._out.tell(), len(self.members)

    def add(self, name: str, source: BinaryIO, size: int, told: Told = lambda _: None) -> bool:
        """One member of exactly this size. False when the source has less: nothing was added. Raises OSError."""
        if not is_name(name):
            raise ValueError(f"no name for a backup: {name!r}")
        start = self._out.tell()
        self._out.write(_header(name, size))
        digest, left = hashlib.sha256(), size
        while left and (chunk := source.read(min(CHUNK, left))):
            digest.update(chunk)
            self._out.write(chunk)
            left -= len(chunk)
            told(len(chunk))
        if left:
            self._out.seek(start)
            self._out.truncate()
            return False
        self._out.write(bytes(-size % BLOCK))
        self.members.append(Member(name, size, digest.hexdigest()))
        return True

    def cut(self, mark: tuple[int, int]) -> None:
        """Cut the archive back to what it was at `mark`."""
        position, count = mark
        del self.members[count:]
        self._out.seek(position)
        self._out.truncate()

    def finish(self, manifest: Manifest) -> None:
        """The manifest, and the end."""
        data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self._out.write(_header(MANIFEST, len(data)) + data + bytes(-len(data) % BLOCK) + bytes(2 * BLOCK))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.USTAR_FORMAT)


class Entry:
    """One file of an archive that is being read: take all of `chunks` before the next one."""

    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._file = file

    def chunks(self) -> Iterator[bytes]:
        """The content. Raises ArchiveError when the archive ends before it does."""
        left = self.size
        while left:
            chunk = self._file.read(min(CHUNK, left))
            if not chunk:
                raise ArchiveError(f"cut off within {self.name}")
            left -= len(chunk)
            yield chunk
        if len(padding := self._file.read(-self.size % BLOCK)) != -self.size % BLOCK or padding.strip(b"\0"):
            raise ArchiveError(f"damaged behind {self.name}")


def entries(file: BinaryIO) -> Iterator[Entry]:
    """The files of an archive in their order, the manifest included. Raises ArchiveError for anything else."""
    for _ in range(MAX_MEMBERS + 1):
        block = file.read(BLOCK)
        if len(block) != BLOCK:
            raise ArchiveError("cut off: it has no end")
        if not block.strip(b"\0"):
            rest = file.read(MAX_END + 1)
            if len(rest) > MAX_END or rest.strip(b"\0"):
                raise ArchiveError("something follows its end")
            return
        yield _entry(file, block)
    raise ArchiveError(f"more than {MAX_MEMBERS} files")


def _entry(file: BinaryIO, block: bytes) -> Entry:
    """A header: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, link 100, magic 6, ….

    Raises ArchiveError.
    """
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if _number(block[148:156]) != total or block[257:262] != b"ustar":
        raise ArchiveError("not a backup, or damaged: no header where one must be")
    name = block[:100].rstrip(b"\0").decode("ascii", "replace")
    size = _number(block[124:136])
    if block[156:157] not in {b"0", b"\0"} or block[157:257].strip(b"\0") or block[345:500].strip(b"\0"):
        raise ArchiveError(f"{name!r} is no plain file")
    if size is None or not (is_name(name) or name == MANIFEST):
        raise ArchiveError(f"{name!r} is nothing that a backup has")
    return Entry(file, name, size)


def _number(field: bytes) -> int | None:
    found = _FIELDS.fullmatch(field)
    return int(found[1], 8) if found else None


def verify(file: BinaryIO, told: Told = lambda _: None) -> Manifest:
    """Read all of an archive and compare every file with the manifest. Raises ArchiveError, OSError.

    Nothing is unpacked; `told` is given the bytes of each piece read.
    """
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    for entry in entries(file):
        if manifest is not None:
            raise ArchiveError(f"{entry.name} follows the manifest")
        if entry.name == MANIFEST:
            manifest = _manifest(entry)
            continue
        if entry.name in found:
            raise ArchiveError(f"{entry.name} is there twice")
        digest = hashlib.sha256()
        for chunk in entry.chunks():
            digest.update(chunk)
            told(len(chunk))
        found[entry.name] = Member(entry.name, entry.size, digest.hexdigest())
    if manifest is None:
        raise ArchiveError("it has no manifest: not a backup, or cut off")
    _compare(manifest, found)
    return manifest


def _manifest(entry: Entry) -> Manifest:
    if entry.size > MAX_MANIFEST_BYTES:
        raise ArchiveError("its manifest is too long")
    data = b"".join(entry.chunks())
    try:
        number: Any = msgspec.json.decode(data, type=dict[str, Any]).get("format")
        if isinstance(number, int) and number > FORMAT:
            raise ArchiveError(f"made by a newer torhaus (format {number}, this one knows {FORMAT})")
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as e:
        raise ArchiveError(f"its manifest is damaged: {e}") from None


def _compare(manifest: Manifest, found: dict[str, Member]) -> None:
    named = {m.name: m for m in manifest.members}
    if len(named) != len(manifest.members):
        raise ArchiveError("its manifest names a file twice")
    for name, member in found.items():
        if name not in named:
            raise ArchiveError(f"{name} is not in the manifest")
        if named[name] != member:
            raise ArchiveError(f"{name} is not what was backed up: its SHA-256 differs")
    missing = named.keys() - found.keys()
    if missing:
        raise ArchiveError(f"{min(missing)} is missing")
