"""What is remembered of files that were taken in but still lie, or may lie, in their hot folder (table `source`)."""

from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.folder import Entry, Identity

_COLUMNS: Final = "seq, name, dev, ino, size_bytes, mtime_ns, sha256, stuck"


class Source(msgspec.Struct, frozen=True, gc=False):
    """A taken file. `stuck` when its removal was refused."""

    seq: int
    name: bytes
    identity: Identity
    sha256: str
    stuck: bool

    def same_file(self, entry: Entry, sha256: str) -> bool:
        """Whether a newly read file is that one again: the very content, and the same inode or the same time.

        Catches what only changes a file's dress (touch, an indexer, a remount), so that it is not taken twice.
        """
        mine, theirs = self.identity, entry.identity
        if self.sha256 != sha256 or self.name != entry.name:
            return False
        return (mine.dev, mine.ino) == (theirs.dev, theirs.ino) or mine.mtime_ns == theirs.mtime_ns


class Entries:
    """The directory entries of one look, to be found by what is remembered."""

    def __init__(self, entries: list[Entry]) -> None:
        self._by_path = {entry.path: entry for entry in entries}
        self._by_identity = {entry.identity: entry for entry in entries}
        self._by_both = {(entry.name, entry.identity): entry for entry in entries}  # hard links have one identity
        self._names = {entry.name for entry in entries if not entry.claimed}
        self._by_name = {(e.name, e.identity.size_bytes, e.identity.mtime_ns): e for e in entries}

    def pop(self, source: Source, claimed: Path) -> Entry | None:
        """Take out the entry that is this source: in the claim folder, or where and as it was by all that stat says.

        A network file system's device number is new after each mount: name, size and time stand in for it.
        """
        entry = self._by_path.get(claimed) or self._by_both.get((source.name, source.identity))
        entry = entry or self._by_identity.get(source.identity)
        if entry is None:
            mine = source.identity
            entry = self._by_name.get((source.name, mine.size_bytes, mine.mtime_ns))
            if entry is not None and entry.identity.dev == mine.dev:
                return None
        return self._by_path.pop(entry.path, None) if entry is not None else None

    def has_name(self, name: bytes) -> bool:
        """Whether some file has this name in the hot folder itself."""
        return name in self._names

    def rest(self) -> list[Entry]:
        """What was not taken out, in the order of the look."""
        return list(self._by_path.values())


def original_name(tx: Tx, entry: Entry) -> bytes:
    """A claimed file that turned out to be another one still has the name under which it came, while that is kept."""
    if entry.claimed and entry.name.isdigit() and len(entry.name) < 19:
        rows = tx.find("seq = ?", (int(entry.name),), 1)
        if rows and rows[0].name:
            return rows[0].name
    return entry.name


def remember(tx: Tx, scan: Scan, entry: Entry) -> Source:
    """Write down where a scan was taken from, in the transaction that makes the scan."""
    source = Source(scan.seq, entry.name, entry.identity, scan.sha256, False)
    _write(tx, scan.station, source)
    return source


def update(tx: Tx, station: str, source: Source, entry: Entry | None = None, stuck: bool | None = None) -> Source:
    """Write down how a remembered file looks now."""
    source = msgspec.structs.replace(
        source,
        identity=entry.identity if entry else source.identity,
        stuck=source.stuck if stuck is None else stuck,
    )
    _write(tx, station, source)
    return source


def forget(tx: Tx, source: Source) -> None:
    """The file is gone from the folder, or is another one by now."""
    tx.conn.execute("DELETE FROM source WHERE seq = ?", (source.seq,))


def load(tx: Tx, station: str) -> list[Source]:
    """All that is remembered of a station's folder."""
    rows = tx.conn.execute(f"SELECT {_COLUMNS} FROM source WHERE station = ? ORDER BY seq", (station,))  # noqa: S608 - our own column names
    return [
        Source(seq, name, Identity(int(dev), int(ino), size, mtime), sha256, bool(stuck))
        for seq, name, dev, ino, size, mtime, sha256, stuck in rows
    ]


def _write(tx: Tx, station: str, source: Source) -> None:
    identity = source.identity
    tx.conn.execute(
        f"INSERT OR REPLACE INTO source (station, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608 - our own column names
        (
            station, source.seq, source.name, str(identity.dev), str(identity.ino), identity.size_bytes,
            identity.mtime_ns, source.sha256, source.stuck,
        ),
    )  # fmt: skip
