"""Where a document goes: rules in a fixed order, and a person where they do not say. Pure.

sidecar > cover sheet > subfolder > station > clarification. Nothing is guessed: what a sheet says and no rule fits, a
sheet that cannot be proved, one that was used before, a second one, or another number of pages than it says, all of
that is held. The page count is the completeness check of BSI TR-03138 V1.5, A.SC.1 c and A.NB.3.
"""

from collections.abc import Callable, Container, Sequence
from typing import Final

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet, parse
from torhaus.codecs.model import DecodeError
from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.checker import UNREAD, Code
from torhaus.daemon.scans.config import AnyStation, ScanConfig
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.sheets.plan import Piece, backs_behind, pieces
from torhaus.daemon.scans.states import Reason

NOTHING: Final = Told()


class Way(msgspec.Struct, frozen=True):
    """The target, or the reason to hold it. `sheet`: the one that lay on top, if it can be believed."""

    target: str | None
    reason: Reason | None = None
    sheet: CoverSheet | None = None
    pages: int = 0  # without those of the sheet
    told: Told = Told()  # by its sidecar
    parts: "tuple[tuple[Piece, Way], ...]" = ()  # of a stack that is to be split: each document's pages and way


def way_of(
    config: ScanConfig,
    station: AnyStation,
    codes: Sequence[Code],
    flags: Sequence[str],
    pages: int,
    keys: Sequence[bytes],
    is_used: Callable[[str], bool],
    told: Told = NOTHING,
    folder: str = "",
) -> Way:
    """Where a checked document of this station goes. `is_used`: whether another document came with this sheet.

    `told`: what its sidecar says. If that says where it belongs, the sheet does not; it is still asked all the rest.
    `folder`: the subfolder of its hot folder that it lay in, of which only counts what neither of these says.
    """
    if told.pages not in {None, pages}:
        return Way(None, Reason.PAGE_COUNT, None, pages, told)
    way = _by_sheet(config, station, codes, flags, pages, keys, is_used, told, folder)
    return msgspec.structs.replace(way, told=told)


def _by_sheet(
    config: ScanConfig,
    station: AnyStation,
    codes: Sequence[Code],
    flags: Sequence[str],
    pages: int,
    keys: Sequence[bytes],
    is_used: Callable[[str], bool],
    told: Told,
    folder: str,
) -> Way:
    if station.cover_sheets == "off":
        return _by_rules(config, station, told, None, pages, folder)
    if UNREAD in flags:
        return Way(None, Reason.SHEET_UNREAD)
    if not codes:
        if station.cover_sheets in {"required", "split"}:
            return Way(None, Reason.NO_SHEET)
        return _by_rules(config, station, told, None, pages, folder)
    try:
        found = [(code.page, parse(code.text, keys)) for code in codes]
    except DecodeError:
        return Way(None, Reason.SHEET_UNPROVED)
    blank = {code.page for code in codes if code.blank_behind}
    if len({sheet for _, sheet in found}) > 1 and station.cover_sheets == "split" and not told.is_routing:
        return _by_pieces(config, station, found, blank, pages, is_used)
    sheet = _on_top(found)
    if sheet is None:
        return Way(None, Reason.SHEETS_WITHIN)
    rest = pages - len({page for page, _ in found})
    if all(page == 0 for page, _ in found):  # its other side is not printed
        backs = backs_behind(sheet, rest, is_blank=0 in blank, duplex=station.duplex)
        if isinstance(backs, Reason):
            # nothing is cut off, and where the sheet has no count nothing is counted
            backs = 0
            if sheet.pages is not None:
                return Way(None, Reason.SHEET_BACK, sheet, rest)
        rest -= backs
    if is_used(sheet.sheet):
        return Way(None, Reason.SHEET_USED, sheet, rest)
    if rest < 1 or sheet.pages not in {None, rest}:
        return Way(None, Reason.PAGE_COUNT, sheet, rest)
    return _by_rules(config, station, told, sheet, rest)


def when_let_go(
    config: ScanConfig,
    station: AnyStation,
    codes: Sequence[Code],
    flags: Sequence[str],
    keys: Sequence[bytes],
    told: Told,
    sheet: CoverSheet | None,
    folder: str = "",
) -> str:
    """Where a held document goes that a person lets go on without naming a target: by the same rules as at first.

    `sheet`: the one that it was cut out behind. What held it counts no more, but for a sheet that says nothing to be
    relied on. Raises Refused: a target must be named, and why.
    """
    if sheet is None and station.cover_sheets != "off" and not told.is_routing:
        if UNREAD in flags:
            raise Refused(Refusal.SHEETS_UNREAD)
        try:
            found = [(code.page, parse(code.text, keys)) for code in codes]
        except DecodeError:
            raise Refused(Refusal.SHEET_UNPROVED) from None
        if found:
            sheet = _on_top(found)
            if sheet is None:
                raise Refused(Refusal.SHEETS_WITHIN)
    target = _by_rules(config, station, told, sheet, 0, folder).target
    if target is None:
        raise Refused(Refusal.NO_RULE)
    return target


def _on_top(found: Sequence[tuple[int, CoverSheet]]) -> CoverSheet | None:
    """The one sheet that lies on top; both of its sides may be printed."""
    sheets = {sheet for _, sheet in found}
    on = sorted({page for page, _ in found})
    return sheets.pop() if len(sheets) == 1 and on in ([0], [0, 1]) else None


def _by_pieces(
    config: ScanConfig,
    station: AnyStation,
    found: Sequence[tuple[int, CoverSheet]],
    blank: Container[int],
    pages: int,
    is_used: Callable[[str], bool],
) -> Way:
    """A stack is split if all of it fits; one document that does not is a reason to hold all of them."""
    parts = pieces(found, pages, blank, duplex=station.duplex)
    if isinstance(parts, Reason):
        return Way(None, parts, None, pages)
    if any(is_used(piece.sheet.sheet) for piece in parts):
        return Way(None, Reason.SHEET_USED, None, pages)
    ways = [_by_rules(config, station, NOTHING, piece.sheet, piece.count) for piece in parts]
    if any(way.target is None for way in ways):
        return Way(None, Reason.NO_ROUTE, None, pages)
    return Way(None, None, None, pages, parts=tuple(zip(parts, ways, strict=True)))


def said(way: Way) -> dict[str, str | int | None]:
    """What the journal says of it: no more than the sheet does."""
    if way.sheet is None:
        return _told(way)
    sheet = way.sheet
    return _told(way) | {
        "sheet": sheet.sheet,
        "department": sheet.department,
        "class": sheet.class_,
        "pages_expected": sheet.pages,
        "pages_behind": way.pages,
    }


def _told(way: Way) -> dict[str, str | int | None]:
    told = way.told
    found = {"told_department": told.department, "told_class": told.class_, "told_pages": told.pages}
    return {name: value for name, value in found.items() if value is not None}


def _by_rules(
    config: ScanConfig, station: AnyStation, told: Told, sheet: CoverSheet | None, pages: int, folder: str = ""
) -> Way:
    """The first rule that fits; what a sidecar or sheet says is never overruled by where the document came from."""
    if told.is_routing:
        said = told.department, told.class_
    elif sheet is not None:
        said = sheet.department, sheet.class_
    else:
        fitting = (r for r in config.route if r.station in {None, station.name} and r.has_folder(folder))
        target = next((r.target for r in fitting), None) or config.target_of(station.name)
        return Way(target, Reason.NO_ROUTE if target is None else None, pages=pages)
    for route in config.route:
        if not route.is_for_sheets or route.station not in {None, station.name}:
            continue
        if all(want in {None, have} for want, have in zip((route.department, route.class_), said, strict=True)):
            return Way(route.target, sheet=sheet, pages=pages)
    return Way(None, Reason.NO_ROUTE, sheet, pages)
