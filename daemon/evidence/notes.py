"""Notes of what is in the store, and what people state for them."""

from typing import Final

import msgspec

from torhaus.daemon.evidence.config import Procedure
from torhaus.daemon.evidence.note import BatchNote, Note, make_note, parse_statement
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.evidence import Entry
from torhaus.daemon.version import torhaus_version

MAX_BATCH: Final = 5000


class Changed(OSError):  # noqa: N818 - a fact about the store
    """An entry is none: somebody has changed it."""


def entries_of(tx: Tx, scan_id: str) -> list[Entry]:
    """Everything that happened to a document, oldest first. Raises Changed."""
    rows = tx.conn.execute("SELECT entry FROM evidence WHERE scan = ? ORDER BY seq", (scan_id,))
    try:
        return [msgspec.json.decode(row[0], type=Entry) for row in rows]
    except (msgspec.DecodeError, UnicodeError):
        raise Changed("an entry of its journal was changed: see torhaus evidence verify") from None


def scan_of(tx: Tx, scan_id: str) -> Scan:
    """By its id. Raises KeyError."""
    found = tx.find("id = ?", (scan_id,), 1)
    if not found:
        raise KeyError(scan_id)
    return found[0]


def batch_of(tx: Tx, batch: str) -> list[Scan]:
    """Documents that came together, as they came. Raises KeyError."""
    found = tx.find("batch = ? ORDER BY seq", (batch,), MAX_BATCH)
    if not found:
        raise KeyError(batch)
    return found


def note_of(tx: Tx, scan: Scan, procedure: Procedure) -> Note:
    """A document's note as things stand."""
    batch = tx.conn.execute("SELECT batch FROM scan WHERE seq = ?", (scan.seq,)).fetchone()[0]
    return make_note(scan, tx.site, batch, entries_of(tx, scan.id), procedure, torhaus_version())


def batch_note(tx: Tx, batch: str, procedure: Procedure) -> BatchNote:
    """The notes of all that came with this batch. Raises KeyError."""
    notes = [note_of(tx, scan, procedure) for scan in batch_of(tx, batch)]
    return BatchNote(batch=batch, site=tx.site, count=len(notes), documents=notes)


def state(tx: Tx, scans: list[Scan], statements: list[str], by: str, account: str, at_ns: int) -> None:
    """A person says something of these documents: an entry for each. Raises Unstatable; then nothing is entered."""
    for field, value in [parse_statement(text) for text in statements]:
        for scan in scans:
            tx.note(scan, "use.stated", at_ns, field=field, value=value, by=by, account=account)
