"""Captures: what a device sent, with the time of each piece, in a text file that people can read, cut and mail.

    # anything after a number sign, and empty lines, are comments
    0.000000 1b1b1b1b01010101
    0.012345 7607001800

One line per piece: seconds since the first one (at most six decimals, never falling), one space, the bytes in hex.
Lines end in LF; the file is ASCII.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

import msgspec

MAX_CHUNK_BYTES: Final = 65_536
"""Bytes of one piece; the writer cuts longer ones."""
MAX_LINE: Final = 2 * MAX_CHUNK_BYTES + 64
"""Characters of one line."""
MAX_SECONDS: Final = 366 * 86_400
"""The longest capture."""
MAX_CAPTURE_BYTES: Final = 256 * 1024 * 1024
"""Where a writer stops unless it is told otherwise, so that a forgotten capture does not fill the disk."""

_LINE: Final = re.compile(rb"([0-9]{1,9})(?:\.([0-9]{1,6}))? ((?:[0-9A-Fa-f]{2})+)")


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Bytes that arrived together, `at_us` microseconds after the first."""

    at_us: int
    data: bytes


def parse_line(line: bytes, last_us: int = 0) -> Chunk | None:
    """One line of a capture; None for comments and empty lines. `last_us` is the time of the one before.

    Raises ValueError.
    """
    if len(line) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE} characters")
    text = line.partition(b"#")[0].strip()
    if not text:
        return None
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError("not '<seconds> <hex>'")
    at_us = int(match[1]) * 1_000_000 + int((match[2] or b"0").ljust(6, b"0"))
    if at_us > MAX_SECONDS * 1_000_000:
        raise ValueError("later than a capture may be")
    if at_us < last_us:
        raise ValueError("earlier than the line before")
    if len(match[3]) > 2 * MAX_CHUNK_BYTES:
        raise ValueError(f"more than {MAX_CHUNK_BYTES} bytes at once")
    return Chunk(at_us, bytes.fromhex(match[3].decode("ascii")))


def read_capture(path: str | Path) -> Iterator[Chunk]:
    """The pieces of a capture, read line by line. Raises OSError, and ValueError that names file and line."""
    with Path(path).open("rb") as file:
        number, last_us = 0, 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            try:
                chunk = parse_line(line, last_us)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
            if chunk:
                last_us = chunk.at_us
                yield chunk


class CaptureWriter:
    """Writes a new capture; never overwrites a file. Every piece is in it when `write` returns. Raises OSError."""

    def __init__(self, path: str | Path, comment: str = "", max_bytes: int = MAX_CAPTURE_BYTES) -> None:
        self._file: TextIO = Path(path).open(  # noqa: SIM115 - closed by `close`
            "x", encoding="ascii", errors="replace", newline="\n", buffering=1
        )
        self._left = max_bytes
        self._first_ns: int | None = None
        self._last_us = 0
        for line in comment.splitlines():
            self._put(f"# {line}\n")

    def write(self, data: bytes, boot_ns: int) -> bool:
        """Add what arrived at `boot_ns`. False when the file is full: nothing more is added then."""
        if self._first_ns is None:
            self._first_ns = boot_ns
        self._last_us = max((boot_ns - self._first_ns) // 1000, self._last_us)
        if self._last_us > MAX_SECONDS * 1_000_000:
            return False
        stamp = f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"
        pieces = (data[at : at + MAX_CHUNK_BYTES] for at in range(0, len(data), MAX_CHUNK_BYTES))
        return all(self._put(f"{stamp} {piece.hex()}\n") for piece in pieces)

    def _put(self, line: str) -> bool:
        if len(line) > self._left:
            self._left = 0  # full is full, also for a shorter line
            return False
        self._left -= len(line)
        self._file.write(line)
        return True

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
