"""How a stack that was scanned as one file comes apart at its cover sheets. Pure.

Each sheet begins a document, the pages up to the next one belong to it, its own pages are left out: that of its other
side, too, if that bears the same code. Nothing is guessed: a blank back is a page like any other, and a stack of which
anything does not fit stays whole (BSI TR-03138 V1.5, A.SC.1 c and A.NB.3).
"""

from collections.abc import Sequence

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.scans.states import Reason


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One document of the stack: `count` pages from page `first` on (from 0) lie behind `sheet`."""

    sheet: CoverSheet
    first: int
    count: int


def pieces(found: Sequence[tuple[int, CoverSheet]], pages: int) -> tuple[Piece, ...] | Reason:
    """The documents of a stack of so many pages with these sheets, (page, sheet) each; or why it stays whole."""
    at: dict[int, CoverSheet] = {}
    for page, sheet in sorted(found, key=lambda each: each[0]):
        if at.setdefault(page, sheet) != sheet:  # two sheets on one page
            return Reason.SHEETS_WITHIN
    if not at or min(at) != 0 or max(at) >= pages:  # what lies before the first one belongs to nobody
        return Reason.SHEETS_WITHIN
    fronts = [page for page in at if page == 0 or at.get(page - 1) != at[page]]
    if len({at[page].sheet for page in fronts}) != len(fronts):
        return Reason.SHEET_USED
    made = []
    for front, end in zip(fronts, [*fronts[1:], pages], strict=True):
        first = front + (2 if at.get(front + 1) == at[front] else 1)
        piece = Piece(at[front], first, end - first)
        if any(page in at for page in range(first, end)):  # the same sheet three times
            return Reason.SHEET_USED
        if piece.count < 1 or piece.sheet.pages not in {None, piece.count}:
            return Reason.PAGE_COUNT
        made.append(piece)
    return tuple(made)
