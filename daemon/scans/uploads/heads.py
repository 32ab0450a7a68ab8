"""What another torhaus says of a document that it delivers: its id there, its station, where its journal stands.

The heads are kept: whoever is root on the box can write its journal anew, but not what is written down here. Of the
same entry there are never two hashes, and a journal does not become shorter.
"""

import re
from typing import Final, Literal

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scans.db import Scan, Tx

SLACK_NS: Final = 3600 * 10**9
"""A delivery may be under way for so long: then the head that it brings is an older one than those of others."""
_ID: Final = re.compile(r"([a-z0-9-]{1,32})/([0-9a-f]{8})/([1-9][0-9]{0,17})")
_STATION: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_HEAD: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
HEADS_AT_ONCE: Final = 50_000
"""In one answer."""


class Head(msgspec.Struct, frozen=True):
    """The last entry of a journal: its number, and its hash in hex."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


class Origin(msgspec.Struct, frozen=True):
    """Where a document comes from."""

    id: str
    store: str
    station: str
    head: Head


Broken = Literal["rewritten", "went_back"]


def parse_origin(id_: str, station: str, head: str, site: str) -> Origin:
    """As the fields have it. `site`: whose documents may come. Raises DecodeError."""
    found, at = _ID.fullmatch(id_), _HEAD.fullmatch(head)
    if found is None:
        raise DecodeError(RejectReason.SYNTAX, "the id must be <site>/<store>/<number>")
    if found[1] != site:
        raise DecodeError(RejectReason.SYNTAX, f"the id must begin with {site}/: this station is that site")
    if _STATION.fullmatch(station) is None:
        raise DecodeError(RejectReason.SYNTAX, "Torhaus-Station must be a station's name")
    if at is None:
        raise DecodeError(RejectReason.SYNTAX, "Torhaus-Evidence-Head must be <number>:<SHA-256>")
    return Origin(id_, found[2], station, Head(int(at[1]), at[2]))


def scan_from(tx: Tx, station: str, id_: str) -> Scan | None:
    """What the document with this id there is here."""
    sql = "SELECT scan FROM origin JOIN scan ON scan.seq = origin.scan WHERE origin.id = ? AND scan.station = ?"
    row = tx.conn.execute(sql, (id_, station)).fetchone()
    return tx.get(row[0]) if row is not None else None


def id_there(tx: Tx, scan: Scan) -> str | None:
    """What it is called where it comes from; None: it comes from no other torhaus."""
    row = tx.conn.execute("SELECT id FROM origin WHERE scan = ?", (scan.seq,)).fetchone()
    return row[0] if row is not None else None


def enter_origin(tx: Tx, scan: Scan, origin: Origin, at_ns: int) -> None:
    """Write down where a new scan comes from."""
    tx.conn.execute("INSERT INTO origin (scan, id, station) VALUES (?, ?, ?)", (scan.seq, origin.id, origin.station))
    tx.note(scan, "received", at_ns, origin=origin.id, origin_station=origin.station, origin_head=str(origin.head))


def enter_head(tx: Tx, station: str, origin: Origin, at_ns: int) -> Broken | None:
    """Keep the head; what is wrong with it, compared with all that came before, is entered in our journal."""
    head, key = origin.head, (station, origin.store)
    same = "SELECT hash FROM site_head WHERE station = ? AND store = ? AND seq = ?"
    row = tx.conn.execute(same, (*key, head.seq)).fetchone()
    later = "SELECT 1 FROM site_head WHERE station = ? AND store = ? AND seq > ? AND at_ns < ? LIMIT 1"
    broken: Broken | None = None
    if row is not None and row[0] != head.hash:
        broken = "rewritten"
    elif row is None:
        if tx.conn.execute(later, (*key, head.seq, at_ns - SLACK_NS)).fetchone() is not None:
            broken = "went_back"
        sql = "INSERT INTO site_head (station, store, seq, hash, at_ns) VALUES (?, ?, ?, ?, ?)"
        tx.conn.execute(sql, (*key, head.seq, head.hash, at_ns))
    if broken is not None:
        tx.enter(f"fault.site_journal_{broken}", at_ns, station=station, store=origin.store, head=str(head))
    return broken


def stores(tx: Tx, station: str) -> list[str]:
    """Of which stores of a site there are heads."""
    sql = "SELECT DISTINCT store FROM site_head WHERE station = ? ORDER BY store"
    return [row[0] for row in tx.conn.execute(sql, (station,))]


def heads(tx: Tx, station: str, store: str, after: int) -> list[Head]:
    """Of a store, by number, from behind `after` on: at most HEADS_AT_ONCE."""
    sql = "SELECT seq, hash FROM site_head WHERE station = ? AND store = ? AND seq > ? ORDER BY seq LIMIT ?"
    return [Head(*row) for row in tx.conn.execute(sql, (station, store, after, HEADS_AT_ONCE))]
