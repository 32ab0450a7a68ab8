"""What is known of a document's paper, and what it still waits for before it may be destroyed."""

from enum import StrEnum
from typing import Final

import msgspec

from torhaus.daemon.evidence.notes import entries_of
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.release.config import Release
from torhaus.daemon.scans.release.forgetting import neutral_name
from torhaus.daemon.scans.states import State

MOST: Final = 5000
"""Documents of one lot that are looked at together."""


class Result(StrEnum):
    """What somebody who has looked at a document says of it. Stored and in the journal: never changed."""

    OK = "ok"
    PAGE_MISSING = "page-missing"
    RESCAN = "rescan"
    BAD = "bad"


class Waits(StrEnum):
    """What a document's release waits for. The first that applies is told."""

    DELIVERY = "delivery"  # its target has not proved to have it
    BATCH = "batch"  # its batch, or its station's day, is not closed yet
    QUALITY_FAILED = "quality_failed"  # this document was found bad, or another one and not all were looked at
    QUALITY = "quality"  # somebody must look at the sample
    FEEDBACK = "feedback"  # its department says that something is wrong
    DELAY = "delay"  # all is well, and its day has not come
    PERSON = "person"  # it can be released
    DISCARDED = "discarded"  # nothing more: somebody threw it away, and its paper is never released
    REPLACEMENT = "replacement"  # it was bad, and what replaces it must be at its target and be looked at
    REPLACED = "replaced"  # nothing more: it was bad, and its paper is that of the new scan
    SETTLED = "settled"  # nothing more: it was bad, and somebody settled that otherwise
    WITHDRAWN = "withdrawn"  # it had been released before its department said that something is wrong


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One document on the release list. No name: paper is found by its batch and its place there.

    `place`: how many-th of its lot, from 1. `free_from_ns`: when its paper may be destroyed, null while that is open.
    `settled_ns`: when somebody said that it is replaced (`replaced_by`: the new scan's id), or settled otherwise.
    `withdrawn_ns`: when a complaint took its release back, and it was not released again.
    """

    id: str
    seq: int
    station: str
    lot: str | None
    place: int
    class_: str | None = msgspec.field(name="class")
    pages: int
    state: str
    sha256: str
    arrived_ns: int
    verified_ns: int | None
    sampled: bool
    quality: str | None
    feedback: str | None
    released_ns: int | None
    free_from_ns: int | None = None
    waits_for: str | None = None
    replaced_by: str | None = None
    settled_ns: int | None = None
    withdrawn_ns: int | None = None

    @property
    def is_discarded(self) -> bool:
        """Whether somebody threw it away."""
        return self.state == State.PURGED and self.verified_ns is None

    @property
    def is_objected_to(self) -> bool:
        """Whether quality control or its department says that something is wrong with it."""
        return not {self.quality, self.feedback} <= {None, Result.OK}

    @property
    def is_wanted(self) -> bool:
        """Whether somebody can look at it and compare it with its paper, and nobody has."""
        return self.quality is None and self.released_ns is None and not self.is_discarded


_SQL: Final = (
    "SELECT s.id, s.seq, s.station, s.lot, s.pages, s.state, s.sha256, s.arrived_ns, s.changed_ns, p.class, p.sampled,"
    " p.quality, p.feedback, p.verified_ns, p.released_ns, l.drawn_ns, p.settled_ns, p.withdrawn_ns, n.id"
    " FROM scan s LEFT JOIN paper p ON p.scan = s.seq LEFT JOIN lot l ON l.name = s.lot"
    " LEFT JOIN scan n ON n.seq = p.replaced_by WHERE "
)
VERIFIED: Final = "coalesce(p.verified_ns, CASE WHEN s.state IN ('verified', 'filed') THEN s.changed_ns END)"
"""When a target has proved to have scan `s` with paper `p`; null: none has."""
DISCARDED: Final = "(s.state = 'purged' AND p.verified_ns IS NULL)"
"""Whether a person threw scan `s` with paper `p` away: it never got to a target."""
UNSEEN: Final = f"(p.quality IS NULL AND p.released_ns IS NULL AND NOT {DISCARDED})"
"""Whether nobody has looked at scan `s` with paper `p`, and somebody can."""
_AGAINST: Final = (
    f"SELECT p.sampled, p.quality FROM scan s JOIN paper p ON p.scan = s.seq WHERE s.lot = ?"  # noqa: S608 - our own pieces
    f" AND (p.quality IS NOT NULL OR {UNSEEN}) LIMIT ?"
)
_REPLACED: Final = (
    f"SELECT b.settled_ns, b.replaced_by, {VERIFIED} IS NOT NULL AND p.quality = 'ok'"  # noqa: S608 - our own pieces
    " AND ifnull(p.feedback, 'ok') = 'ok' AND p.settled_ns IS NULL"
    " FROM paper b LEFT JOIN scan s ON s.seq = b.replaced_by LEFT JOIN paper p ON p.scan = s.seq WHERE b.scan = ?"
)
PROVED: Final = frozenset({State.VERIFIED.value, State.FILED.value})


def papers_of(tx: Tx, lot: str, release: Release, now_ns: int) -> list[Paper]:
    """All of a lot, as they came. Raises KeyError."""
    rows = tx.conn.execute(f"{_SQL} s.lot = ? ORDER BY s.seq LIMIT ?", (lot, MOST)).fetchall()
    if not rows:
        raise KeyError(lot)
    quality = quality_of_lot(tx, lot)
    return [_paper(tx, row, place, quality, release, now_ns) for place, row in enumerate(rows, 1)]


def is_made_good(tx: Tx, seq: int) -> bool:
    """Whether what was wrong with a document is dealt with, for good.

    It is replaced by one that is at its target, was looked at and found good, and not objected to by its department;
    or by one that was bad in its turn and is made good itself; or somebody has said that it is settled otherwise.
    """
    at: int | None = seq
    while at is not None:  # ends: what replaces another came later
        settled, new, is_good = tx.conn.execute(_REPLACED, (at,)).fetchone() or (None, None, False)
        if settled is None:
            return False
        if new is None or is_good:
            return True
        at = new
    return False


def quality_of_lot(tx: Tx, lot: str) -> Waits | None:
    """What stands against a lot as a whole. What nobody can look at any more does not count."""
    return quality_of(tx.conn.execute(_AGAINST, (lot, MOST)).fetchall())


def quality_of(seen: list[tuple[int | None, str | None]]) -> Waits | None:
    """What stands against the lot as a whole: a failed sample costs a look at every document of it."""
    results = [result for _, result in seen]
    if any(result not in {None, Result.OK} for result in results):
        return None if all(result is not None for result in results) else Waits.QUALITY_FAILED
    return Waits.QUALITY if any(sampled and result is None for sampled, result in seen) else None


def _paper(tx: Tx, row: tuple[object, ...], place: int, quality: Waits | None, release: Release, now_ns: int) -> Paper:
    (id_, seq, station, lot, pages, state, sha256, arrived, changed, class_, sampled, result, feedback, verified,
     released, drawn, settled, withdrawn, replaced_by) = row  # fmt: skip
    if verified is None and state in PROVED:
        verified = changed
    paper = msgspec.convert(
        {
            "id": id_, "seq": seq, "station": station, "lot": lot, "place": place, "class": class_, "pages": pages,
            "state": state, "sha256": sha256, "arrived_ns": arrived, "verified_ns": verified,
            "sampled": bool(sampled), "quality": result, "feedback": feedback, "released_ns": released,
            "settled_ns": settled, "replaced_by": replaced_by, "withdrawn_ns": withdrawn,
        },
        Paper,
    )  # fmt: skip
    if paper.released_ns is not None:
        return msgspec.structs.replace(paper, free_from_ns=paper.released_ns)
    waits = _waits(tx, paper, quality)
    if waits is not None or paper.verified_ns is None:
        return msgspec.structs.replace(paper, waits_for=waits)
    # a clock that was wrong on delivery cannot shorten the delay: lots are drawn by one that is right
    since = max(paper.verified_ns, drawn if isinstance(drawn, int) else 0)
    free = since + release.delay_ns(paper.station, paper.class_)
    return msgspec.structs.replace(paper, free_from_ns=free, waits_for=Waits.PERSON if free <= now_ns else Waits.DELAY)


def _waits(tx: Tx, paper: Paper, quality: Waits | None) -> Waits | None:
    if paper.settled_ns is not None:
        if paper.replaced_by is None:
            return Waits.SETTLED
        return Waits.REPLACED if is_made_good(tx, paper.seq) else Waits.REPLACEMENT
    if paper.withdrawn_ns is not None and paper.feedback not in {None, Result.OK}:
        return Waits.WITHDRAWN
    if paper.is_discarded and not paper.is_objected_to:
        return Waits.DISCARDED
    if paper.verified_ns is None and not paper.is_discarded:
        return Waits.DELIVERY
    if paper.quality not in {None, Result.OK}:
        return Waits.QUALITY_FAILED
    if quality is not None:
        return quality
    return Waits.FEEDBACK if paper.feedback not in {None, Result.OK} else None


def class_of(tx: Tx, scan: Scan) -> str | None:
    """The document's class as its sidecar or its cover sheet said."""
    if scan.told.is_routing:
        return scan.told.class_
    for entry in reversed(entries_of(tx, scan.id)):
        if "sheet" in entry.data:
            found = entry.data.get("class")
            return None if found is None else str(found)
    return None


def told_lot(tx: Tx, scan: Scan) -> str | None:
    """What the journal calls a document's lot."""
    lot = scan.lot
    if scan.batch is not None and lot is not None:
        lot = neutral_name(tx.find("lot = ? ORDER BY seq", (lot,), 1), lot)
    return lot


def free(tx: Tx, paper: Paper, at_ns: int, **data: str | int | bool | None) -> Scan:
    """Release it: its paper may be destroyed, and the journal says by whose word."""
    scan = tx.get(paper.seq)
    lot = told_lot(tx, scan)
    values = (paper.verified_ns, at_ns, paper.seq)
    tx.conn.execute("UPDATE paper SET verified_ns = ?, released_ns = ?, withdrawn_ns = NULL WHERE scan = ?", values)
    if scan.state in {State.VERIFIED, State.FILED}:
        return tx.move(scan, State.RELEASED, at_ns, None, sha256=scan.sha256, lot=lot, **data)
    tx.note(scan, "paper_released", at_ns, sha256=scan.sha256, lot=lot, **data)  # our copy has gone before
    return scan
