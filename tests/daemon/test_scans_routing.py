"""Where documents go: every rule in its place, and everything that no rule fits is held."""

from collections.abc import Sequence

import msgspec
import pytest

from torhaus.codecs.cover_sheet import CoverSheet, build
from torhaus.codecs.sidecar import Told
from torhaus.daemon.scans.checker import UNREAD, Code
from torhaus.daemon.scans.config import Route, ScanConfig, Station, faults
from torhaus.daemon.scans.routing import NOTHING, Way, said, way_of, when_let_go
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.targets import folder

KEY, OTHER = bytes(range(32)), bytes(32)
SHEET = CoverSheet("bauamt", "4KQ7VZ2MXPHB", "rechnung", 3)
ROUTES = (
    Route("invoices", class_="rechnung"),
    Route("building", department="bauamt"),
    Route("archive", station="cellar"),
)


def site(cover_sheets: str = "optional", target: str | None = "post", name: str = "counter") -> ScanConfig:
    station = msgspec.convert(
        {"type": "folder", "name": name, "path": "/srv", "target": target, "cover_sheets": cover_sheets}, Station
    )
    targets = tuple(folder.Config(t, f"/srv/{t}") for t in ("invoices", "building", "archive", "post"))
    return ScanConfig((station,), targets, ROUTES if name == "cellar" else ROUTES[:2])


def way(config: ScanConfig, codes: Sequence[Code] = (), pages: int = 4, *flags: str, used: str = "") -> Way:
    return way_of(config, config.station[0], codes, flags, pages, [OTHER, KEY], lambda number: number == used)


def on(*pages: int, sheet: CoverSheet = SHEET, key: bytes = KEY) -> list[Code]:
    return [Code(page, build(sheet, key)) for page in pages]


@pytest.mark.parametrize(
    ("sheet", "target"),
    [
        (SHEET, "invoices"),
        (CoverSheet("bauamt", "4KQ7VZ2MXPHB", "bauantrag"), "building"),
        (CoverSheet("bauamt", "4KQ7VZ2MXPHB"), "building"),
        (CoverSheet("sozialamt", "4KQ7VZ2MXPHB", "rechnung"), "invoices"),
    ],
)
def test_the_first_rule_that_fits_the_sheet(sheet: CoverSheet, target: str) -> None:
    assert way(site(), on(0, sheet=sheet)) == Way(target, sheet=sheet, pages=3)


def test_a_sheet_that_no_rule_fits_is_not_sent_where_its_station_sends_the_rest() -> None:
    sheet = CoverSheet("sozialamt", "4KQ7VZ2MXPHB")
    assert way(site(), on(0, sheet=sheet)) == Way(None, Reason.NO_ROUTE, sheet, 3)


def test_without_a_sheet_the_station_says() -> None:
    assert way(site()) == Way("post", pages=4)
    assert way(site(target=None, name="cellar")) == Way("archive", pages=4)
    assert way(site("required")).reason is Reason.NO_SHEET
    assert way(site(target=None)).reason is Reason.NO_ROUTE


def test_where_sheets_are_not_looked_for_they_say_nothing() -> None:
    assert way(site("off"), on(0)) == Way("post", pages=4)


def test_both_sides_of_a_sheet_may_be_printed() -> None:
    assert way(site(), on(0, 1), 5) == Way("invoices", sheet=SHEET, pages=3)


@pytest.mark.parametrize(
    ("codes", "pages", "reason"),
    [
        (on(0, key=bytes(range(1, 33))), 4, Reason.SHEET_UNPROVED),
        ([Code(0, "TH1;d=bauamt")], 4, Reason.SHEET_UNPROVED),
        ([*on(0), Code(0, "TH1;d=bauamt")], 4, Reason.SHEET_UNPROVED),
        (on(1), 4, Reason.SHEETS_WITHIN),
        (on(0, 2), 5, Reason.SHEETS_WITHIN),
        ([*on(0), *on(2, sheet=CoverSheet("bauamt", "AAAAAAAAAAAA"))], 5, Reason.SHEETS_WITHIN),
        (on(0), 3, Reason.PAGE_COUNT),
        (on(0), 5, Reason.PAGE_COUNT),
        (on(0, sheet=CoverSheet("bauamt", "4KQ7VZ2MXPHB")), 1, Reason.PAGE_COUNT),
    ],
)
def test_nothing_is_guessed(codes: list[Code], pages: int, reason: Reason) -> None:
    found = way(site(), codes, pages)
    assert (found.target, found.reason) == (None, reason)


def test_a_sheet_counts_once() -> None:
    assert way(site(), on(0), used=SHEET.sheet) == Way(None, Reason.SHEET_USED, SHEET, 3)


def test_pages_that_could_not_be_searched() -> None:
    assert way(site(), (), 4, "codes_unread").reason is Reason.SHEET_UNREAD
    assert way(site("off"), (), 4, "codes_unread").target == "post"


def test_what_the_journal_says() -> None:
    assert said(way(site())) == {}
    assert said(way(site(), on(0))) == {
        "sheet": SHEET.sheet, "department": "bauamt", "class": "rechnung", "pages_expected": 3, "pages_behind": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "key"),
    [
        ((Route("post"),), "scan.route[0]"),
        ((Route("post", department="bauamt"), Route("archive", department="bauamt", class_="akte")), "scan.route[1]"),
        ((Route("archive", station="counter"),), "scan.station[0].target"),
        ((Route("archive", folder="bauamt"),), "scan.route[0].folder"),
        ((Route("archive", station="counter", class_="akte"),), "scan.station[0].cover_sheets"),
    ],
)
def test_rules_that_contradict_each_other_are_faults(routes: tuple[Route, ...], key: str) -> None:
    config = msgspec.structs.replace(site("off"), route=routes)
    assert key in [fault[0] for fault in faults(config)]


def test_rules_that_go_together() -> None:
    assert faults(site()) == []
    assert faults(site(target=None, name="cellar")) == []


def told(config: ScanConfig, said: Told, codes: Sequence[Code] = (), pages: int = 4) -> Way:
    return way_of(config, config.station[0], codes, (), pages, [OTHER, KEY], lambda _: False, said)


def test_a_sidecar_goes_before_the_sheet_and_the_station() -> None:
    says = Told(department="bauamt")
    assert told(site("off"), says) == Way("building", pages=4, told=says)
    assert told(site(), says, on(0)) == Way("building", sheet=SHEET, pages=3, told=says)
    unknown = Told(department="sozialamt")
    assert told(site(), unknown, on(0)).reason is Reason.NO_ROUTE
    assert told(site("off"), Told(more={"by": "op-7"})).target == "post"


def test_the_pages_of_a_sidecar_are_counted() -> None:
    assert told(site("off"), Told(pages=4)).target == "post"
    assert told(site("off"), Told(pages=5)).reason is Reason.PAGE_COUNT
    assert said(told(site("off"), Told(department="bauamt", pages=4, more={"by": "Erika"}))) == {
        "told_department": "bauamt", "told_pages": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pages", "blank", "duplex", "reason"),
    [
        (4, False, None, None), (5, True, None, None), (5, True, True, None), (4, False, True, None),
        (5, True, False, Reason.PAGE_COUNT), (4, True, True, Reason.PAGE_COUNT), (5, False, True, Reason.SHEET_BACK),
        (2, True, True, Reason.PAGE_COUNT), (1, False, True, Reason.PAGE_COUNT),
    ],
)  # fmt: skip
def test_a_blank_back_is_not_counted(pages: int, blank: bool, duplex: bool | None, reason: Reason | None) -> None:
    config = site()
    config = msgspec.structs.replace(config, station=(msgspec.structs.replace(config.station[0], duplex=duplex),))
    assert way(config, [Code(0, build(SHEET, KEY), blank)], pages).reason is reason


def test_where_nothing_is_counted_a_back_is_no_matter() -> None:
    sheet = CoverSheet("bauamt", "4KQ7VZ2MXPHB")
    assert way(site(), [Code(0, build(sheet, KEY), True)], 3) == Way("building", sheet=sheet, pages=2)
    assert way(site(), [Code(0, build(sheet, KEY), True)], 2).reason is Reason.PAGE_COUNT  # nothing but its back


def let_go(config: ScanConfig, codes: Sequence[Code] = (), flags: Sequence[str] = (), told: Told = NOTHING) -> str:
    return when_let_go(config, config.station[0], codes, flags, [OTHER, KEY], told, None)


@pytest.mark.parametrize("rule", ["optional", "required", "split"])
def test_what_a_person_lets_go_on_goes_by_the_same_rules(rule: str) -> None:
    config = site(rule)
    assert let_go(config, on(0, 1)) == "invoices"
    assert let_go(config, on(0), told=Told(department="bauamt")) == "building"
    assert let_go(config, on(3), told=Told(department="bauamt")) == "building"
    assert let_go(config) == "post"
    assert let_go(site("off"), on(0)) == "post"
    none = CoverSheet("sozialamt", "4KQ7VZ2MXPHB")
    assert when_let_go(config, config.station[0], (), (), [KEY], Told(), SHEET) == "invoices"  # it was cut out
    for codes, flags, why in (
        (on(0, sheet=none), (), "no rule"),
        (on(0, key=bytes(range(1, 33))), (), "cannot be proved"),
        (on(1), (), "not on top"),
        (on(0) + on(2, sheet=none), (), "more than one"),
        ((), (UNREAD,), "could not be searched"),
    ):
        with pytest.raises(ValueError, match=why):
            let_go(config, codes, flags)
    with pytest.raises(ValueError, match="no rule"):
        let_go(site(target=None))


FOLDERS = (Route("building", folder="bauamt"), Route("invoices", folder="Bußgeld/eilt"))


def with_folders(*routes: Route, cover_sheets: str = "off", target: str | None = "post") -> ScanConfig:
    config = site(cover_sheets, target)
    station = msgspec.structs.replace(config.station[0], subfolder_depth=2)
    return msgspec.structs.replace(config, station=(station,), route=(*ROUTES[:2], *(routes or FOLDERS)))


@pytest.mark.parametrize(
    ("folder", "target"),
    [
        ("bauamt", "building"), ("BauAmt/2026", "building"), ("bauamt2", "post"), ("", "post"), ("x/bauamt", "post"),
        ("Bu\u00dfgeld", "post"), ("BUSSGELD/eilt", "invoices"), ("Bußgeld/eilt/a", "invoices"),
    ],
)  # fmt: skip
def test_a_subfolder_says_where_what_has_no_sheet_goes(folder: str, target: str) -> None:
    config = with_folders(cover_sheets="optional")
    assert [fault for fault in faults(config) if "folder" in fault[0]] == []

    def to(codes: Sequence[Code] = (), told: Told = NOTHING) -> str | None:
        found = way_of(config, config.station[0], codes, (), 4, [KEY], lambda _: False, told, folder)
        return found.target

    assert to() == target
    assert to(on(0)) == "invoices"
    assert to(told=Told(department="bauamt", class_="x")) == "building"
    assert when_let_go(config, config.station[0], (), (), [KEY], NOTHING, None, folder) == target


def test_without_a_rule_for_the_folder_or_the_station_it_is_held() -> None:
    config = with_folders(target=None)
    found = way_of(config, config.station[0], (), (), 4, [KEY], lambda _: False, NOTHING, "sozialamt")
    assert (found.target, found.reason) == (None, Reason.NO_ROUTE)


def test_faults_of_folder_rules() -> None:
    below = with_folders(Route("building", folder="bauamt"), Route("archive", folder="bauamt/2026"))
    assert ("scan.route[3]", "is never reached: an earlier one fits all that this one fits") in faults(below)
    assert not any("never" in what for _, what in faults(with_folders(*reversed(below.route[2:]))))
    with pytest.raises(ValueError, match="folder goes without"):
        Route("building", folder="bauamt", department="bauamt")
    with pytest.raises(msgspec.ValidationError, match="folder"):
        msgspec.convert({"target": "a", "folder": "/bauamt"}, Route)
