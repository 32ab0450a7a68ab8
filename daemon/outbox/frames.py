"""SQLite's write-ahead log as a list of frames: what is proved to be committed, and what damage has cut off.

Format: sqlite.org/fileformat2.html, section 4. SQLite itself takes nothing from the first frame on whose checksum is
wrong. After a power cut that is right: what stands there was never committed. After a flipped bit it is not.
"""

import os
import struct
from pathlib import Path
from typing import Final

import msgspec

HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
USUAL_PAGE_BYTES: Final = 4096
MAX_PAGE: Final = 0xFFFFFFFE
_MAGIC: Final = 0x377F0682  # the lowest bit says that checksums are over big-endian numbers
_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MASK: Final = 0xFFFFFFFF
Sums = tuple[int, int]


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One page: its number, where in the file its content begins, and whether a transaction ends with it."""

    page: int
    offset: int
    is_commit: bool


class Wal(msgspec.Struct, frozen=True):
    """What a write-ahead log holds.

    `frames` are committed, as SQLite would have it. `doubtful` are others of the same run. `is_cut` says that there is
    a transaction after the one at which the proof ends: so that one was on disk, and is damaged, not torn.
    """

    page_size: int = 0
    frames: list[Frame] = []
    doubtful: list[Frame] = []
    is_cut: bool = False


def read_wal(path: Path) -> Wal:
    """The write-ahead log of a database. Raises OSError when the file cannot be read; never for what is in it."""
    try:
        file = Path(f"{path}-wal").open("rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return Wal()
    with file:
        head = file.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES:
            return Wal()
        magic, _, page_size, _, salt1, salt2, *sums = _HEADER.unpack(head)
        order = ">" if magic & 1 else "<"
        chain: Sums | None = checksum(head[:24], (0, 0), order)
        if magic & ~1 != _MAGIC or not page_size_of(page_size) or chain != tuple(sums):
            chain = None  # SQLite takes nothing of it; its frames may still say to which run they belong
        page_size = page_size_of(page_size) if chain else USUAL_PAGE_BYTES
        salts = (salt1, salt2) if chain else None
        proved: list[Frame] = []
        doubtful: list[Frame] = []
        last_commit, offset = 0, HEADER_BYTES
        size = os.fstat(file.fileno()).st_size
        while offset + FRAME_HEADER_BYTES + page_size <= size:
            file.seek(offset)
            data = file.read(FRAME_HEADER_BYTES + page_size)
            if len(data) < FRAME_HEADER_BYTES + page_size:
                break
            page, pages_after, *rest = _FRAME.unpack_from(data)
            frame = Frame(page, offset + FRAME_HEADER_BYTES, pages_after > 0)
            offset += len(data)
            if salts is None:
                salts = (rest[0], rest[1])
            is_of_run = (rest[0], rest[1]) == salts and 0 < page <= MAX_PAGE
            if chain is not None:
                chain = checksum(data[:8], chain, order)
                chain = checksum(data[FRAME_HEADER_BYTES:], chain, order)
                if is_of_run and chain == (rest[2], rest[3]):
                    proved.append(frame)
                    if frame.is_commit:
                        last_commit = len(proved)
                    continue
                chain = None
            if is_of_run:
                doubtful.append(frame)
    doubtful = proved[last_commit:] + doubtful
    is_cut = any(f.is_commit for f in doubtful[:-1])
    return Wal(page_size, proved[:last_commit], doubtful, is_cut)


def page_size_of(size: int) -> int:
    """A page size if it is one that SQLite has, else 0."""
    return size if 512 <= size <= 65536 and size & (size - 1) == 0 else 0


def checksum(data: bytes, sums: Sums, order: str) -> Sums:
    """SQLite's checksum over 8-byte steps, carried on from `sums`."""
    s0, s1 = sums
    numbers = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for a, b in zip(numbers, numbers, strict=True):
        s0 = (s0 + a + s1) & _MASK
        s1 = (s1 + b + s0) & _MASK
    return s0, s1
