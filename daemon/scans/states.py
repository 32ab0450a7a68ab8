"""The life of a scan as a table: which state may follow which, and why a scan stands still.

    arrived → spooled → sealed → delivering → transferred → verified → (filed) → released → purged
                 ↘ quarantined    ↘ held          ↺ lost or altered at the target: delivering again

arrived: noticed and finished.  spooled: bytes and SHA-256 fsync'd in the spool.  sealed: checked, metadata and target
fixed.  transferred: the target said yes.  verified: the target's stored bytes have our hash.  filed: the target's
own object id is known.  released: the paper may be destroyed.  purged: the spool copy is gone, by retention after
verified, filed or released, or by a person's word.  quarantined: the bytes are kept, not sent.  held: waits for a
person.  split: a stack that became documents of their own at its cover sheets; it stays as it came and goes nowhere. It
is released when all of them are, and purged when the copy of none of them would be kept any longer.

A complaint that comes after release takes that back: the scan stands where it stood before.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a scan stands. Values are stored and are metric labels: they never change."""

    ARRIVED = "arrived"
    SPOOLED = "spooled"
    SEALED = "sealed"
    DELIVERING = "delivering"
    TRANSFERRED = "transferred"
    VERIFIED = "verified"
    FILED = "filed"
    RELEASED = "released"
    PURGED = "purged"
    QUARANTINED = "quarantined"
    HELD = "held"
    SPLIT = "split"


class Reason(StrEnum):
    """Why a scan is quarantined, held, or sent again. Values are stored and are metric labels."""

    EMPTY = "empty"  # no bytes, and none came
    DAMAGED = "damaged"  # does not open strictly or does not decode to the end
    UNKNOWN_TYPE = "unknown_type"  # the first bytes name no type that the check knows
    NO_PAGES = "no_pages"  # opens, but has no page
    ENCRYPTED = "encrypted"  # wants a password, and the station's rule is to keep such files back
    TOO_BIG_TO_CHECK = "too_big_to_check"  # more pixels, frames or memory than the check may use
    CHECK_TIME = "check_time"  # the check ran out of time
    CHECK_CRASHED = "check_crashed"  # the check died on it
    BLOB_DAMAGED = "blob_damaged"  # the spool's bytes are missing or no longer have the hash
    DUPLICATE = "duplicate"  # same bytes came before from this station, and its rule is to hold them
    REFUSED = "refused"  # the target will never take it
    CONFLICT = "conflict"  # the target has other content under this scan's name
    LOST = "lost"  # the target said yes and does not have it
    MISMATCH = "mismatch"  # the target has other bytes than ours
    TRIES = "tries"  # refused for now too often
    NO_SHEET = "no_sheet"  # no cover sheet lies on top, and the station's rule wants one
    NO_ROUTE = "no_route"  # no rule says where this goes
    SHEET_UNREAD = "sheet_unread"  # the pages could not be searched for cover sheets
    SHEET_UNPROVED = "sheet_unproved"  # a code looks like a cover sheet's and is none of ours
    SHEET_USED = "sheet_used"  # this cover sheet lay on another document before
    SHEETS_WITHIN = "sheets_within"  # more than one cover sheet, or one that is not on top
    SHEET_BACK = "sheet_back"  # whether the page behind a cover sheet is its back cannot be told
    PAGE_COUNT = "page_count"  # other than the cover sheet or the sidecar says
    NO_SIGNAL = "no_signal"  # its ready file or sidecar never came
    SIDECAR_UNREAD = "sidecar_unread"  # its sidecar cannot be read, or lacks what the station's rule wants
    BATCH_INCOMPLETE = "batch_incomplete"  # not all of its batch came, or not all of it is good
    NOT_SPLIT = "not_split"  # its pages cannot be taken apart without changing them
    SOURCE_INCOMPLETE = "source_incomplete"  # its scanner or scan program says itself that something went wrong


MOVES: Final[dict[State, frozenset[State]]] = {
    State.ARRIVED: frozenset({State.SPOOLED}),
    State.SPOOLED: frozenset({State.SEALED, State.HELD, State.QUARANTINED, State.SPLIT}),
    State.SEALED: frozenset({State.DELIVERING, State.QUARANTINED}),
    State.DELIVERING: frozenset({State.TRANSFERRED, State.HELD, State.QUARANTINED}),
    State.TRANSFERRED: frozenset({State.VERIFIED, State.DELIVERING, State.HELD, State.QUARANTINED}),
    State.VERIFIED: frozenset({State.FILED, State.RELEASED, State.PURGED}),
    State.FILED: frozenset({State.RELEASED, State.PURGED}),
    State.RELEASED: frozenset({State.PURGED}),
    State.PURGED: frozenset(),
    State.QUARANTINED: frozenset({State.SPOOLED, State.PURGED}),  # checked again, and found good; or thrown away
    State.HELD: frozenset({State.SEALED, State.PURGED}),  # a person lets it go on, or throws it away
    State.SPLIT: frozenset({State.RELEASED, State.PURGED}),  # when all that it became has come so far
}

TAKEN_BACK: Final[dict[State, frozenset[State]]] = {
    State.RELEASED: frozenset({State.VERIFIED, State.FILED, State.SPLIT}),
}
"""What a complaint does; nothing else goes that way."""

DELIVERABLE: Final = (State.SEALED, State.DELIVERING, State.TRANSFERRED)
"""States in which a scan is the delivery's business."""


class BadMove(Exception):  # noqa: N818 - a defect of ours, named for what it is
    """A change of state that the table does not have: always a defect, never a consequence of input."""


def check_move(old: State, new: State, *, back: bool = False) -> None:
    """Raise BadMove unless `new` may follow `old`; `back`: as a complaint takes it back."""
    if new not in (TAKEN_BACK.get(old, ()) if back else MOVES[old]):
        raise BadMove(f"{old.value} -> {new.value}")
