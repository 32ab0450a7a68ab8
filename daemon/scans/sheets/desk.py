"""Gives out the texts for new cover sheets, and knows which sheets came back. Needs nothing that draws or reads."""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.cover_sheet import MIN_KEY_BYTES, CoverSheet, build
from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.disk import Disk

MAX_AT_ONCE: Final = 500
"""Sheets of one order: a packet of paper."""
BLANK: Final = "A" * 12
"""Stands for the number that a sheet will get."""
_KEY_BYTES: Final = 32
_MAX_KEY_FILE: Final = 4096
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class KeyUnusable(OSError):  # noqa: N818 - a fact about a file
    """A key file cannot be read, or holds too little. The text names the file, never a content."""


class SheetDesk:
    """The keys of cover sheets. The first one signs, all are believed."""

    def __init__(self, root: Path, disk: Disk, key_files: tuple[str, ...]) -> None:
        self._own = root / "sheets.key"
        self._disk = disk
        self._files = key_files
        self.keys: tuple[bytes, ...] = ()

    def load(self) -> None:
        """Read the keys; make our own one first if there is none. Blocks. Raises OSError, KeyUnusable."""
        if not self._own.exists():
            self._disk.keep(self._own, secrets.token_bytes(_KEY_BYTES))
        self.keys = tuple(_read(Path(name)) for name in (*self._files, str(self._own)))

    def order(self, tx: Tx, sheet: CoverSheet, count: int, at_ns: int) -> list[str]:
        """Texts for `count` new sheets that say the same, each with a number of its own. It is in the journal."""
        said: evidence.Data = {"department": sheet.department, "class": sheet.class_, "count": count}
        evidence.append(tx.conn, at_ns, None, "sheets_ordered", said)
        return [build(msgspec.structs.replace(sheet, sheet=new_number()), self.keys[0]) for _ in range(count)]


def new_number() -> str:
    """A sheet's number that no other sheet has: 60 random bits."""
    return "".join(secrets.choice(_BASE32) for _ in range(12))


def is_used(tx: Tx, scan: Scan, number: str) -> bool:
    """Whether another document came with this sheet."""
    found = tx.conn.execute("SELECT scan FROM sheet WHERE number = ?", (number,)).fetchone()
    return found is not None and found[0] != scan.seq


def use(tx: Tx, scan: Scan, number: str) -> None:
    """This document came with this sheet."""
    tx.conn.execute("INSERT OR IGNORE INTO sheet (number, scan) VALUES (?, ?)", (number, scan.seq))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            key = file.read(_MAX_KEY_FILE)
    except OSError as error:
        raise KeyUnusable(f"{path}: {error.strerror or error}") from None
    if len(key) < MIN_KEY_BYTES:
        raise KeyUnusable(f"{path}: holds less than {MIN_KEY_BYTES} bytes")
    return key
