"""What is known of uploads by tus: table `upload`, and one file each in the folder `uploads`.

The table says how many bytes are flushed to disk; a file may have more, which came just before a crash and is cut off.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from torhaus.codecs.tus import parse_concat
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.disk import Disk

MAX_LIST: Final = 1000

Kind = Literal["whole", "partial", "final"]
UploadState = Literal["open", "done", "bad"]


class Upload(msgspec.Struct, frozen=True, gc=False):
    """One row. `scan` is the number of what it has become."""

    id: str
    station: str
    kind: Kind
    state: UploadState
    length: int | None
    offset: int
    name: bytes
    metadata: str
    concat: str
    sha256: str | None
    expires_ns: int
    scan: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are there."""
        return self.length is not None and self.offset == self.length


_COLUMNS: Final = ", ".join(Upload.__struct_fields__)
_MARKS: Final = ", ".join("?" * len(Upload.__struct_fields__))


def new_id() -> str:
    """For an upload: nobody can guess it."""
    return os.urandom(16).hex()


def add(tx: Tx, upload: Upload) -> None:
    """Write it down."""
    tx.conn.execute(f"INSERT INTO upload ({_COLUMNS}) VALUES ({_MARKS})", msgspec.structs.astuple(upload))  # noqa: S608 - our own column names


def change(tx: Tx, upload: Upload) -> Upload:
    """Write down how it is now."""
    tx.conn.execute(
        "UPDATE upload SET state = ?, length = ?, offset = ?, expires_ns = ?, scan = ? WHERE id = ?",
        (upload.state, upload.length, upload.offset, upload.expires_ns, upload.scan, upload.id),
    )
    return upload


def remove(tx: Tx, ids: list[str]) -> None:
    """Forget them."""
    tx.conn.executemany("DELETE FROM upload WHERE id = ?", [(i,) for i in ids])


def get(tx: Tx, upload_id: str, station: str) -> Upload | None:
    """An upload of this station."""
    found = _find(tx, "id = ? AND station = ?", upload_id, station)
    return found[0] if found else None


def made_of(tx: Tx, station: str, ids: Sequence[str]) -> Upload | None:
    """What these parts have become, in this order. Its `sha256` is the document's."""
    named = "kind = 'final' AND state = 'done' AND station = ? AND instr(concat, ?)"
    for upload in _find(tx, named, station, ids[0]):
        parts = parse_concat(upload.concat).parts or ()
        if [url.rpartition("/")[2] for url in parts] == list(ids) and upload.scan is not None:
            return msgspec.structs.replace(upload, sha256=tx.get(upload.scan).sha256)
    return None


def open_ones(tx: Tx, station: str) -> int:
    """How many are under way."""
    sql = "SELECT count(*) FROM upload WHERE station = ? AND state = 'open'"
    return int(tx.conn.execute(sql, (station,)).fetchone()[0])


def unfinished(tx: Tx) -> list[Upload]:
    """All bytes are there, and they are no scan yet: something came between."""
    return _find(tx, "state = 'open' AND kind = 'whole' AND offset = length")


def expired(tx: Tx, at_ns: int) -> list[Upload]:
    """Nothing was added for too long, or done and remembered for long enough."""
    return _find(tx, "expires_ns <= ?", at_ns)


def _find(tx: Tx, where: str, *values: str | int) -> list[Upload]:
    sql = f"SELECT {_COLUMNS} FROM upload WHERE {where} ORDER BY id LIMIT {MAX_LIST}"  # noqa: S608 - our own conditions
    return [Upload(*row) for row in tx.conn.execute(sql, values)]


class Files:
    """The folder with the uploads' bytes. All calls block and raise OSError."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self._root = root
        self._disk = disk

    def path(self, upload_id: str) -> Path:
        """Where an upload's bytes are."""
        return self._root / upload_id

    def prepare(self) -> None:
        """Make the folder."""
        self._disk.make_dir(self._root)

    def sweep(self, tx: Tx) -> int:
        """Remove files of no open upload (a crash between commit and removal). How many."""
        wanted = {row[0] for row in tx.conn.execute("SELECT id FROM upload WHERE state = 'open'")}
        stray = [path for path in self._root.iterdir() if path.name not in wanted]
        for path in stray:
            self._disk.unlink(path)
        return len(stray)

    def settle(self) -> None:
        """Force the names of new ones to the disk."""
        self._disk.fsync_dir(self._root)

    def unlink(self, upload_id: str) -> None:
        """Remove one, if it is there."""
        try:
            self._disk.unlink(self.path(upload_id))
        except FileNotFoundError:
            return
