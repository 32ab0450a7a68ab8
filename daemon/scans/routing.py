"""Where a document goes: rules in a fixed order, and a person where they do not say. Pure.

cover sheet > station > clarification. Nothing is guessed: what a sheet says and no rule fits, a sheet that cannot be
proved, one that was used before, a second one, or another number of pages than it says, all of that is held. The page
count is the completeness check of BSI TR-03138 V1.5, A.SC.1 c and A.NB.3.
"""

from collections.abc import Callable, Sequence

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet, parse
from torhaus.codecs.model import DecodeError
from torhaus.daemon.scans.checker import UNREAD, Code
from torhaus.daemon.scans.config import ScanConfig, Station
from torhaus.daemon.scans.states import Reason


class Way(msgspec.Struct, frozen=True):
    """The target, or the reason to hold it. `sheet`: the one that lay on top, if it can be believed."""

    target: str | None
    reason: Reason | None = None
    sheet: CoverSheet | None = None
    pages: int = 0  # without those of the sheet


def way_of(
    config: ScanConfig,
    station: Station,
    codes: Sequence[Code],
    flags: Sequence[str],
    pages: int,
    keys: Sequence[bytes],
    is_used: Callable[[str], bool],
) -> Way:
    """Where a checked document of this station goes. `is_used`: whether another document came with this sheet."""
    if station.cover_sheets == "off":
        return _by_rules(config, station, None, pages)
    if UNREAD in flags:
        return Way(None, Reason.SHEET_UNREAD)
    if not codes:
        if station.cover_sheets == "required":
            return Way(None, Reason.NO_SHEET)
        return _by_rules(config, station, None, pages)
    try:
        sheets = {parse(code.text, keys) for code in codes}
    except DecodeError:
        return Way(None, Reason.SHEET_UNPROVED)
    on = sorted({code.page for code in codes})
    if len(sheets) > 1 or on not in ([0], [0, 1]):  # both sides of one sheet may be printed
        return Way(None, Reason.SHEETS_WITHIN)
    (sheet,) = sheets
    rest = pages - len(on)
    if is_used(sheet.sheet):
        return Way(None, Reason.SHEET_USED, sheet, rest)
    if rest < 1 or sheet.pages not in {None, rest}:
        return Way(None, Reason.PAGE_COUNT, sheet, rest)
    return _by_rules(config, station, sheet, rest)


def said(way: Way) -> dict[str, str | int | None]:
    """What the journal says of it: no more than the sheet does."""
    if way.sheet is None:
        return {}
    sheet = way.sheet
    return {
        "sheet": sheet.sheet,
        "department": sheet.department,
        "class": sheet.class_,
        "pages_expected": sheet.pages,
        "pages_behind": way.pages,
    }


def _by_rules(config: ScanConfig, station: Station, sheet: CoverSheet | None, pages: int) -> Way:
    """The first rule that fits; what a sheet says is never overruled by where the document came from."""
    for route in config.route:
        wanted = (route.department, route.class_)
        if route.station not in {None, station.name}:
            continue
        if sheet is None:
            if wanted == (None, None):
                return Way(route.target, pages=pages)
        elif wanted != (None, None) and all(
            want in {None, said} for want, said in zip(wanted, (sheet.department, sheet.class_), strict=True)
        ):
            return Way(route.target, sheet=sheet, pages=pages)
    if sheet is None and station.target is not None:
        return Way(station.target, pages=pages)
    return Way(None, Reason.NO_ROUTE, sheet, pages)
