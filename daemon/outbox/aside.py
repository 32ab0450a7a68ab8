"""Segment files that were set aside, and what became of what they held.

`<first>.db.corrupt-<time>` is kept for a person. As long as there is no report beside it, it waits to be salvaged.
"""

import contextlib
import os
import re
import sqlite3
import zlib
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.outbox import migrate

REPORT: Final = ".report"
MAX_REPORT_BYTES: Final = 1 << 20
MAX_SPANS: Final = 10_000
"""Stretches of lost numbers that a report names; those beyond it are in its sum."""

_NAME: Final = re.compile(r"([0-9]{20})\.db\.corrupt-[0-9]+(\.[0-9]+)?")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was salvaged of a segment, and what was not. `lost` are positions [start, end)."""

    first: int
    site: str
    store: str  # "" when no record told it
    step: int = 0  # number minus position
    at_ns: int = 0
    salvaged: int = 0
    lost_records: int = 0
    lost: list[tuple[int, int]] = []
    is_end_known: bool = True  # else there may have been more after the last one
    is_thinned: bool = False  # then numbers do not follow each other, and which are lost is not known
    problem: str = ""  # why it was given up

    def ids(self, most: int = 5) -> list[str]:
        """The lost ids as ranges, `<site>/<store>/<from>-<to>`."""
        store = self.store or "?"
        if self.is_thinned:
            return [f"of {self.site}/{store}, thinned out"]
        named = [f"{self.site}/{store}/{a + self.step}-{b - 1 + self.step}" for a, b in self.lost[:most]]
        return named + ([f"and {len(self.lost) - most} more ranges"] if len(self.lost) > most else [])

    def text(self) -> str:
        """For a person."""
        if self.problem:
            return f"could not be salvaged ({self.problem}): {self._loss()}"
        return f"{self.salvaged} records salvaged, {self._loss()}"

    def _loss(self) -> str:
        more = "" if self.is_end_known else "; whether more followed cannot be told"
        if not self.lost_records:
            return f"none known to be lost{more}" if more else "none lost"
        return f"{self.lost_records} lost: {', '.join(self.ids())}{more}"


def files(folder: Path) -> dict[int, list[Path]]:
    """The files that were set aside, oldest first, by the first position they held."""
    found: dict[int, list[Path]] = {}
    for path in sorted(folder.glob("*.corrupt-*")):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            found.setdefault(int(name[1]), []).append(path)
    return found


def waiting(folder: Path) -> tuple[int, ...]:
    """First positions of those that nothing is known of yet."""
    return tuple(first for first, paths in files(folder).items() if not all(map(_has_report, paths)))


def report_in(path: Path) -> Report | None:
    """What a segment that was made by a salvage says of it; None for any other, and for one that cannot be read."""
    try:
        with contextlib.closing(migrate.connect(path, read_only=True)) as conn:
            row = conn.execute("SELECT report FROM salvage").fetchone()
    except sqlite3.Error:
        return None
    return unseal(row[0]) if row is not None and isinstance(row[0], bytes) else None


def _has_report(path: Path) -> bool:
    return Path(f"{path}{REPORT}").exists()


def reports(folder: Path) -> list[Report]:
    """What is known of the files that are still there, one for each segment; damaged reports are left out."""
    found = []
    for paths in files(folder).values():
        known = [r for p in paths if (r := read_report(Path(f"{p}{REPORT}"))) is not None]
        if known:
            found.append(max(known, key=lambda r: r.at_ns))
    return found


def sealed(body: bytes) -> bytes:
    """Text with its CRC-32 in a line before it."""
    return b"%08x\n%s\n" % (zlib.crc32(body), body)


def unsealed(data: bytes) -> bytes | None:
    """The text; None when it was changed on disk."""
    crc, _, body = data.rstrip(b"\n").partition(b"\n")
    return body if crc == b"%08x" % zlib.crc32(body) else None


def seal(report: Report) -> bytes:
    """A report as it lies on disk."""
    return sealed(msgspec.json.encode(report))


def unseal(data: bytes) -> Report | None:
    """The report; None when it was changed on disk."""
    body = unsealed(data)
    try:
        return None if body is None else msgspec.json.decode(body, type=Report)
    except (msgspec.DecodeError, ValueError):
        return None


def read_report(path: Path) -> Report | None:
    """A report; None when there is none, or it is damaged."""
    try:
        with path.open("rb") as file:
            return unseal(file.read(MAX_REPORT_BYTES))
    except OSError:
        return None


def write_reports(folder: Path, report: Report) -> None:
    """Beside each file of this segment that has none. Raises OSError."""
    data = seal(report)
    for path in files(folder).get(report.first, ()):
        if not _has_report(path):
            write_file(Path(f"{path}{REPORT}"), data)


def write_file(path: Path, data: bytes) -> None:
    """A small file that is there whole or not at all, also after a power cut. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    unfinished.rename(path)
    migrate.sync_folder(path.parent)
