"""How stacks come apart: every page belongs to one document or to a sheet, or nothing is split."""

import random

import pytest

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.scans.sheets.plan import Piece, pieces
from torhaus.daemon.scans.states import Reason

A, B = CoverSheet("bauamt", "AAAAAAAAAAAA", pages=2), CoverSheet("ordnungsamt", "BBBBBBBBBBBB")


def test_pages_between_sheets_are_documents() -> None:
    assert pieces([(0, A), (3, B)], 6) == (Piece(A, 1, 2), Piece(B, 4, 2))
    assert pieces([(3, B), (0, A), (0, A)], 5) == (Piece(A, 1, 2), Piece(B, 4, 1))


def test_the_other_side_of_a_sheet_goes_only_if_it_bears_the_code() -> None:
    assert pieces([(0, A), (1, A), (4, B), (5, B)], 7) == (Piece(A, 2, 2), Piece(B, 6, 1))
    assert pieces([(0, A), (4, B)], 7) is Reason.PAGE_COUNT  # a blank back would be the third page
    assert pieces([(0, B), (3, A)], 6) == (Piece(B, 1, 2), Piece(A, 4, 2))


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
    split = 0
    for _ in range(5000):
        pages = rng.randrange(1, 12)
        found = [(0, sheets[0])] * rng.randrange(2)
        found += [(rng.randrange(pages), rng.choice(sheets)) for _ in range(rng.randrange(4))]
        made = pieces(found, pages)
        if isinstance(made, Reason):
            continue
        split += 1
        taken = [page for piece in made for page in range(piece.first, piece.first + piece.count)]
        assert len(set(taken)) == len(taken)
        assert sorted([*taken, *{page for page, _ in found}]) == list(range(pages))
    assert split > 100
