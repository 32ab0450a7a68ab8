"""How a stack that was scanned as one file comes apart at its cover sheets. Pure.

Each sheet begins a document, the pages up to the next one belong to it, its own pages are left out: that of its other
side, too, if that bears the same code, or is blank where both sides are scanned. Nothing is guessed: a stack of which
anything does not fit stays whole (BSI TR-03138 V1.5, A.SC.1 c and A.NB.3).
"""

from collections.abc import Container, Sequence

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.scans.states import Reason


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One document of the stack: `count` pages from page `first` on (from 0) lie behind `sheet`."""

    sheet: CoverSheet
    first: int
    count: int


def backs_behind(sheet: CoverSheet, behind: int, *, is_blank: bool, duplex: bool | None) -> int | Reason:
    """How many of the `behind` pages behind a sheet are its own back: 0 or 1; or that nobody can tell.

    `is_blank`: the first of them is. `duplex`: whether both sides are scanned, None: nobody has said.
    """
    if behind < 1 or duplex is False:
        return 0
    if duplex is None:
        if is_blank and sheet.pages is None and behind > 1:
            return Reason.SHEET_BACK
        return int(is_blank and sheet.pages in {None, behind - 1})
    # a scanner may drop blank pages by itself: then the sheet's count says that all behind it are the document's
    return 1 if is_blank else 0 if sheet.pages == behind else Reason.SHEET_BACK


def pieces(
    found: Sequence[tuple[int, CoverSheet]], pages: int, blank: Container[int] = (), *, duplex: bool | None = False
) -> tuple[Piece, ...] | Reason:
    """The documents of a stack of so many pages with these sheets, (page, sheet) each; or why it stays whole.

    `blank`: sheets' pages behind which a blank one lies. `duplex`: as for `backs_behind`.
    """
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
        first = front + 1
        if at.get(first) == at[front]:
            backs: int | Reason = 1
        else:
            backs = backs_behind(at[front], end - first, is_blank=front in blank, duplex=duplex)
        if isinstance(backs, Reason):
            return backs
        first += backs
        piece = Piece(at[front], first, end - first)
        if any(page in at for page in range(first, end)):  # the same sheet three times
            return Reason.SHEET_USED
        if piece.count < 1 or piece.sheet.pages not in {None, piece.count}:
            return Reason.PAGE_COUNT
        made.append(piece)
    return tuple(made)
