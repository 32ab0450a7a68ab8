"""How stacks come apart: every page belongs to one document or to a sheet, or nothing is split."""

import random

import pytest

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.scans.sheets.plan import Piece, backs_behind, pieces
from torhaus.daemon.scans.states import Reason

A, B = CoverSheet("bauamt", "AAAAAAAAAAAA", pages=2), CoverSheet("ordnungsamt", "BBBBBBBBBBBB")


def test_pages_between_sheets_are_documents() -> None:
    assert pieces([(0, A), (3, B)], 6) == (Piece(A, 1, 2), Piece(B, 4, 2))
    assert pieces([(3, B), (0, A), (0, A)], 5) == (Piece(A, 1, 2), Piece(B, 4, 1))


def test_the_other_side_of_a_sheet_goes_only_if_it_bears_the_code() -> None:
    assert pieces([(0, A), (1, A), (4, B), (5, B)], 7) == (Piece(A, 2, 2), Piece(B, 6, 1))
    assert pieces([(0, A), (4, B)], 7) is Reason.PAGE_COUNT  # a blank back would be the third page
    assert pieces([(0, B), (3, A)], 6) == (Piece(B, 1, 2), Piece(A, 4, 2))


def test_a_blank_back_is_no_page_where_both_sides_are_scanned() -> None:
    found, blank = [(0, A), (4, B)], {0, 4}
    assert pieces(found, 8, blank, duplex=True) == (Piece(A, 2, 2), Piece(B, 6, 2))
    assert pieces([(0, A), (1, A), (4, B)], 8, {1, 4}, duplex=True) == (Piece(A, 2, 2), Piece(B, 6, 2))
    assert pieces(found, 8, blank, duplex=False) is Reason.PAGE_COUNT
    assert pieces(found, 8, {0}, duplex=True) is Reason.SHEET_BACK  # something is on B's back, or it is missing
    assert pieces([(0, A), (3, A)], 5, {0}, duplex=True) is Reason.SHEET_USED


def test_where_nobody_said_the_count_tells_or_it_stays_whole() -> None:
    assert pieces([(0, A)], 4, {0}, duplex=None) == (Piece(A, 2, 2),)
    assert pieces([(0, A)], 3, {0}, duplex=None) == (Piece(A, 1, 2),)  # the letter's own first page
    assert pieces([(0, B)], 3, {0}, duplex=None) is Reason.SHEET_BACK
    assert pieces([(0, B)], 3, (), duplex=None) == (Piece(B, 1, 2),)


@pytest.mark.parametrize(
    ("pages", "behind", "is_blank", "duplex", "backs"),
    [
        (3, 0, False, True, 0), (3, 3, True, False, 0), (3, 4, True, True, 1), (None, 4, True, True, 1),
        (3, 3, True, True, 1), (3, 3, False, True, 0), (3, 4, False, True, Reason.SHEET_BACK),
        (None, 4, False, True, Reason.SHEET_BACK), (3, 4, True, None, 1), (3, 3, True, None, 0), (3, 9, True, None, 0),
        (None, 3, True, None, Reason.SHEET_BACK), (None, 1, True, None, 1),
        (1, 1, True, None, 0), (None, 3, False, None, 0), (3, 3, False, None, 0),
    ],
)  # fmt: skip
def test_what_is_a_sheets_back(
    pages: int | None, behind: int, is_blank: bool, duplex: bool | None, backs: int | Reason
) -> None:
    sheet = CoverSheet("bauamt", "AAAAAAAAAAAA", pages=pages)
    assert backs_behind(sheet, behind, is_blank=is_blank, duplex=duplex) == backs


@pytest.mark.parametrize(
    ("found", "pages", "reason"),
    [
        ([], 3, Reason.SHEETS_WITHIN),
        ([(1, A), (4, B)], 6, Reason.SHEETS_WITHIN),  # a page before the first sheet
        ([(0, A), (0, B)], 3, Reason.SHEETS_WITHIN),  # two on one page
        ([(0, A), (7, B)], 6, Reason.SHEETS_WITHIN),  # on a page that is not there
        ([(0, A), (3, A)], 6, Reason.SHEET_USED),
        ([(0, A), (3, B), (5, A)], 8, Reason.SHEET_USED),
        ([(0, B), (1, B), (2, B), (3, A)], 6, Reason.SHEET_USED),
        ([(0, A), (2, B)], 4, Reason.PAGE_COUNT),
        ([(0, A), (4, B)], 6, Reason.PAGE_COUNT),
        ([(0, B), (1, A)], 4, Reason.PAGE_COUNT),  # nothing between
        ([(0, A), (3, B)], 4, Reason.PAGE_COUNT),  # nothing behind the last
    ],
)
def test_what_does_not_fit_stays_whole(found: list[tuple[int, CoverSheet]], pages: int, reason: Reason) -> None:
    assert pieces(found, pages) is reason


def test_no_page_is_lost_or_doubled_whatever_is_found() -> None:
    rng = random.Random(10)
    sheets = [CoverSheet("amt", letter * 12) for letter in "ABCDEF"]
    split = backs = 0
    for _ in range(5000):
        pages = rng.randrange(1, 12)
        found = [(0, sheets[0])] * rng.randrange(2)
        found += [(rng.randrange(pages), rng.choice(sheets)) for _ in range(rng.randrange(4))]
        blank = {page for page, _ in found if rng.random() < 0.5}
        duplex = rng.choice([True, False, None])
        made = pieces(found, pages, blank, duplex=duplex)
        if isinstance(made, Reason):
            continue
        split += 1
        taken = [page for piece in made for page in range(piece.first, piece.first + piece.count)]
        assert len(set(taken)) == len(taken)
        of_sheets = {page for page, _ in found}
        left_out = set(range(pages)) - set(taken)
        assert of_sheets <= left_out <= of_sheets | {page + 1 for page in blank}
        backs += len(left_out - of_sheets)
        assert duplex is not False or left_out == of_sheets
    assert split > 100
    assert backs > 20
