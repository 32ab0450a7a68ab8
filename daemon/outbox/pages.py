"""The rows of a SQLite file, page by page, whatever has become of the tree above them.

Format: sqlite.org/fileformat2.html, sections 1 and 2. Every byte is taken for hostile: nothing that stands in the file
makes this raise, recurse, loop without end or take more memory than MAX_PAYLOAD_BYTES. What comes out are candidates:
whoever reads them must be able to tell a right one from a changed one.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from torhaus.daemon.outbox.frames import MAX_PAGE, USUAL_PAGE_BYTES, Wal, page_size_of, read_wal

MAX_PAYLOAD_BYTES: Final = 64 << 20
"""Longest row: a commit holds half of it at most."""
MAX_COLUMNS: Final = 32
CHAIN_FACTOR: Final = 4
"""Overflow pages that are read in all, as a multiple of the pages there are: rows that share pages are no rows."""
LEAST_USABLE_BYTES: Final = 480
"""Of a page, by the format."""
SAMPLE_PAGES: Final = 512
"""So many pages decide which page size the file has when its header may be wrong."""

_MAGIC: Final = b"SQLite format 3\0"
_TABLE_LEAF: Final = 13
_TABLE_INTERIOR: Final = 5
_INDEX: Final = {2: 12, 10: 8}  # interior, leaf: bytes of the page header
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)

Value = int | float | str | bytes | None


class Row(NamedTuple):
    """A candidate. `rowid` is None in tables without one; `is_whole` says that all its bytes were found."""

    rowid: int | None
    values: tuple[Value, ...]
    is_whole: bool


class Database:
    """A file and its write-ahead log, opened for reading as they lie there. Raises OSError when they cannot be had."""

    def __init__(self, path: Path) -> None:
        self.wal: Wal = read_wal(path)
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._wal_file: int | None = None
        try:
            if self.wal.frames or self.wal.doubtful:
                self._wal_file = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            self._size = os.fstat(self._file).st_size
            self.page_size, self._usable = self._layout()
        except BaseException:
            self.close()
            raise
        self.pages = -(-self._size // self.page_size)
        self._latest = {f.page: f.offset for f in self.wal.frames}
        self._budget = CHAIN_FACTOR * (self.pages + len(self._latest) + 1)

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in (self._file, self._wal_file):
            if descriptor is not None:
                os.close(descriptor)

    def rows(self) -> Iterator[Row]:
        """All rows: those of the file as it was last committed, then those that damage has cut off."""
        for number in range(1, self.pages + 1):
            yield from self._rows(self._page(number), number)
        for number in sorted(self._latest):
            if number > self.pages:
                yield from self._rows(self._page(number), number)
        yield from self.doubtful_rows()

    def doubtful_rows(self) -> Iterator[Row]:
        """Rows on pages of the write-ahead log that are not proved to be committed."""
        committed = self._latest
        self._latest = committed | {f.page: f.offset for f in self.wal.doubtful}
        try:
            for frame in self.wal.doubtful:
                yield from self._rows(self._read_wal(frame.offset), frame.page)
        finally:
            self._latest = committed

    # -- pages --------------------------------------------------------------------------------------------------------

    def _layout(self) -> tuple[int, int]:
        """Page size and usable bytes of a page. The header is believed when the pages bear it out."""
        head = self._pread(self._file, 100, 0) or b""
        said, reserved = 0, 0
        if len(head) == 100 and head[:16] == _MAGIC:
            said = page_size_of(65536 if head[16:18] == b"\0\1" else int.from_bytes(head[16:18], "big"))
            reserved = head[20]
        sizes = dict.fromkeys(s for s in (said, self.wal.page_size, USUAL_PAGE_BYTES, *_all_sizes()) if s)
        best = max(sizes, key=self._likeness)  # the first of equal ones
        if best != said or best - reserved < LEAST_USABLE_BYTES or (reserved and self._is_used(best, reserved)):
            reserved = 0
        return best, best - reserved

    def _is_used(self, size: int, reserved: int) -> bool:
        """Whether there is something at the end of pages, where by the header nothing is."""
        ends = (self._pread(self._file, reserved, n * size + size - reserved) for n in range(SAMPLE_PAGES))
        return any(map(any, ends))

    def _likeness(self, size: int) -> int:
        """How many of the first pages look like pages of this size."""
        length = min(self._size, SAMPLE_PAGES * USUAL_PAGE_BYTES)
        likely = 0
        for offset in range(0, length, size):
            start = offset + (100 if offset == 0 else 0)
            head = self._pread(self._file, 8, start) or b""
            if len(head) == 8 and head[0] in (_TABLE_LEAF, _TABLE_INTERIOR, *_INDEX):
                cells, content = struct.unpack_from(">HH", head, 3)
                end = (start - offset) + 8 + 2 * cells
                likely += cells > 0 and end <= (content or 65536) <= size
        return likely

    def _page(self, number: int) -> bytes:
        offset = self._latest.get(number)
        if offset is not None:
            return self._read_wal(offset)
        if not 0 < number <= self.pages:
            return b""
        return self._pread(self._file, self.page_size, (number - 1) * self.page_size)

    def _read_wal(self, offset: int) -> bytes:
        return b"" if self._wal_file is None else self._pread(self._wal_file, self.page_size, offset)

    def _pread(self, descriptor: int, length: int, offset: int) -> bytes:
        try:
            return os.pread(descriptor, length, offset)
        except OSError:
            return b""  # a bad sector: as good as a damaged page

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _rows(self, page: bytes, number: int) -> Iterator[Row]:
        start = 100 if number == 1 else 0
        if len(page) < start + 12:
            return
        kind, (cells, content) = page[start], struct.unpack_from(">HH", page, start + 3)
        at = start + _INDEX.get(kind, 8)
        if kind == _TABLE_INTERIOR:
            return
        if kind != _TABLE_LEAF and kind not in _INDEX and not at + 2 * cells <= (content or 65536) <= len(page):
            return  # content of a long row; else a leaf with a changed kind
        for i in range(min(cells, (len(page) - at) // 2)):
            pointer = int.from_bytes(page[at + 2 * i : at + 2 * i + 2], "big")
            if at < pointer < len(page):
                row = self._cell(page, pointer, kind)
                if row is not None:
                    yield row

    def _cell(self, page: bytes, at: int, kind: int) -> Row | None:
        if kind == 2:
            at += 4  # the page below
        size, at = varint(page, at)
        rowid = None
        if kind not in _INDEX:  # a page of an unknown kind is taken for a table's leaf
            rowid, at = varint(page, at)
            rowid -= (rowid >> 63) << 64
        if not 0 < size <= MAX_PAYLOAD_BYTES or at >= len(page):
            return None
        local = self._local(size, is_index=kind in _INDEX)
        payload = page[at : at + local]
        if local < size and len(payload) == local:
            payload += self._overflow(int.from_bytes(page[at + local : at + local + 4], "big"), size - local)
        values = decode(payload)
        return None if values is None else Row(rowid, values, len(payload) == size)

    def _local(self, size: int, *, is_index: bool) -> int:
        """How many bytes of a payload stand in the cell itself."""
        usable = self._usable
        most = (usable - 12) * 64 // 255 - 23 if is_index else usable - 35
        if size <= most:
            return size
        least = (usable - 12) * 32 // 255 - 23
        fitting = least + (size - least) % (usable - 4)
        return fitting if fitting <= most else least

    def _overflow(self, number: int, size: int) -> bytes:
        """What is to be found of a chain of overflow pages."""
        parts: list[bytes] = []
        seen: set[int] = set()
        while size > 0 and 0 < number <= MAX_PAGE and number not in seen and self._budget > 0:
            seen.add(number)
            self._budget -= 1
            page = self._page(number)
            part = page[4 : min(self._usable, 4 + size)]
            parts.append(part)
            size -= len(part)
            if len(page) < self.page_size:
                break
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends; 0 and the end of the data where it is cut off."""
    value = 0
    for i in range(8):
        if at + i >= len(data):
            return 0, len(data)
        value = value << 7 | data[at + i] & 0x7F
        if data[at + i] < 0x80:
            return value, at + i + 1
    return (0, len(data)) if at + 8 >= len(data) else (value << 8 | data[at + 8], at + 9)


def decode(payload: bytes) -> tuple[Value, ...] | None:
    """The columns of a record; of one that is cut off, those that begin in it. None when it is no record."""
    head, at = varint(payload, 0)
    if not 0 < head <= min(len(payload), 9 * (MAX_COLUMNS + 1)):
        return None
    kinds: list[int] = []
    while at < head:
        kind, at = varint(payload, at)
        kinds.append(kind)
    if at != head or len(kinds) > MAX_COLUMNS:
        return None
    values: list[Value] = []
    for kind in kinds:
        if kind in (10, 11):
            return None
        if at > len(payload):
            break
        length = (kind - 12) // 2 if kind >= 12 else 8 if kind == 7 else _INTEGER_BYTES[kind] if kind < 7 else 0
        raw = payload[at : at + length]
        values.append(_value(kind, raw, length))
        at += length
    return tuple(values)


def _value(kind: int, raw: bytes, length: int) -> Value:
    if kind >= 12:
        return raw if kind % 2 == 0 else raw.decode("utf-8", "replace")
    if len(raw) < length or kind == 0:
        return None
    if kind == 7:
        value: float = struct.unpack(">d", raw)[0]
        return value
    return kind - 8 if kind >= 8 else int.from_bytes(raw, "big", signed=True)


def _all_sizes() -> Iterator[int]:
    return (1 << n for n in range(9, 17))
