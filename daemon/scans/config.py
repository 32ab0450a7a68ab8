"""The configuration of the scan queue: `[[scan.station]]`, `[[scan.target]]`, `[[scan.route]]` and the limits.

Secrets are named by files only (`…_file`). Decoding checks each value by itself, `faults` checks them together.
"""

import unicodedata
from typing import Annotated, Literal

import msgspec

from torhaus.codecs.cover_sheet import WORD
from torhaus.daemon.evidence.config import Evidence
from torhaus.daemon.scans.checker import Limits
from torhaus.daemon.scans.release.config import Release, Retention, release_faults
from torhaus.daemon.scans.stations import (
    AbsPath,
    CoverSheetRule,
    EsclStation,
    FileName,
    Name,
    PulledStation,
    Seconds,
    Sidecar,
    Window,
    is_placed,
)
from torhaus.daemon.scans.targets.address import address_fault
from torhaus.daemon.scans.targets.base import TargetConfig
from torhaus.daemon.scans.uploads.config import HttpListener, HttpStation, SiteStation, upload_faults

KeyFile = Annotated[
    str,
    msgspec.Meta(pattern=r"^(/|credential:)[^\x00]+\Z", max_length=4096, description="a full path or credential:NAME"),
]
SubFolder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^/\x00]+(/[^/\x00]+)*\Z", max_length=1024, description='such as "bauamt" or "bauamt/eilt"'
    ),
]
Word = Annotated[str, msgspec.Meta(pattern=rf"^{WORD}\Z")]


class Station(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="folder"):
    """A hot folder that a scanner or scan program writes finished documents to."""

    name: Name
    path: AbsPath
    target: Name | None = None  # or a [[scan.route]]
    pattern: tuple[str, ...] = ("*",)  # names to take, shell style, upper and lower case alike
    ignore: tuple[str, ...] = ()  # names to leave alone, besides the built-in list
    scan_interval_s: Seconds = 2.0
    done: Literal["stable", "renamed", "ready_file", "sidecar", "all_but_newest"] = "stable"  # and passes the check
    stable_s: Seconds = 5.0
    ready_file: FileName | None = None  # written last, says that its document is done: "{name}.ready", "{stem}.ok"
    sidecar: Sidecar | None = None
    subfolder_depth: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0  # so many subfolders deep documents are looked for
    batches: Literal["off", "folders"] = "off"  # folders: each subfolder is a batch, taken whole or not at all
    batch_timeout_s: Seconds = 3600.0  # a batch that is not complete is held when nothing came for this long
    give_up_s: Seconds = 600.0  # a quiet file that does not pass (or is empty) goes to quarantine after this long
    max_bytes: Annotated[int, msgspec.Meta(gt=0)] = 2 << 30
    duplicates: Literal["mark", "hold"] = "mark"
    duplicates_window_s: Window = 0  # 0: however long ago
    unknown_types: Literal["quarantine", "pass"] = "quarantine"
    encrypted: Literal["pass", "quarantine"] = "pass"
    cover_sheets: CoverSheetRule = "off"  # whether they are looked for, and missed
    duplex: bool | None = None  # whether both sides are scanned: the blank back of a cover sheet is no page then

    @property
    def is_told(self) -> bool:
        """Whether sidecars say where a document belongs."""
        return self.sidecar is not None and not self.sidecar.fields.keys().isdisjoint({"department", "class"})


AnyStation = Station | HttpStation | SiteStation | PulledStation


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What fits all that is said here goes to this target; the first one that fits counts."""

    target: Name
    station: Name | None = None
    department: Word | None = None  # as its cover sheet or its sidecar says
    class_: Word | None = msgspec.field(default=None, name="class")
    folder: SubFolder | None = None  # "bauamt", "bauamt/eilt": the subfolder of a hot folder that it lay in, or below

    def __post_init__(self) -> None:
        """Raises ValueError that names the key."""
        if self.folder is not None and self.is_for_sheets:
            raise ValueError("folder goes without department and class: what a sheet says is not asked of a folder")

    @property
    def is_for_sheets(self) -> bool:
        """Whether it speaks of what a cover sheet says."""
        return (self.department, self.class_) != (None, None)

    @property
    def is_default(self) -> bool:
        """Whether it says where all goes of which nothing else is said."""
        return not self.is_for_sheets and self.folder is None

    def has_folder(self, folder: str) -> bool:
        """Whether it speaks of this subfolder, upper and lower case alike."""
        return self.folder is not None and _alike(folder).startswith(_alike(self.folder))


class CoverSheets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keys of cover sheets that are printed elsewhere, besides the box's own one. The first one signs new sheets."""

    key_files: tuple[AbsPath, ...] = ()


class ScanConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[scan]` table."""

    station: tuple[AnyStation, ...] = ()
    target: tuple[TargetConfig, ...] = ()  # each of its type's own struct (targets/registry.py)
    route: tuple[Route, ...] = ()
    check: Limits = Limits()
    cover_sheets: CoverSheets = CoverSheets()
    evidence: Evidence = Evidence()
    release: Release | None = None  # not set: paper is never released
    retention: Retention | None = None  # not set: copies are kept for ever
    http: HttpListener | None = None
    spool_key_files: tuple[KeyFile, ...] = ()  # site keys: the first one seals new documents, all of them open old ones
    min_free_bytes: Annotated[int, msgspec.Meta(ge=0)] = 512 << 20  # what scans leave free on the store's file system

    def folders_of(self, station: str) -> tuple[str, ...]:
        """The subfolders of a station that say where a document goes."""
        return tuple(r.folder for r in self.route if r.folder is not None and r.station in {None, station})

    def target_of(self, station: str) -> str | None:
        """Where what comes without a word goes; None for a station that is no longer configured, or has none."""
        known = next((s for s in self.station if s.name == station), None)
        if known is None:
            return None
        for route in self.route:
            if route.station in {None, station} and route.is_default:
                return route.target
        return known.target


def faults(config: ScanConfig) -> list[tuple[str, str]]:
    """What is wrong between the values: (key, what), empty when nothing is. Touches no disk and no network."""
    found: list[tuple[str, str]] = []
    targets = {t.name for t in config.target}
    stations = {s.name for s in config.station}
    routed = {r.station for r in config.route}
    for key, names in (("station", [s.name for s in config.station]), ("target", [t.name for t in config.target])):
        found += [(f"scan.{key}[{i}].name", "used twice") for i, n in enumerate(names) if n in names[:i]]
    for i, station in enumerate(config.station):
        key = f"scan.station[{i}]"
        if station.target is None and not routed & {station.name, None}:
            found.append((f"{key}.target", "needs a target: here, or by a [[scan.route]]"))
        by_rule = [r for r in config.route if r.station in {station.name, None} and r.is_default]
        if station.target is not None and by_rule:
            found.append((f"{key}.target", "has a target here and one in a [[scan.route]]"))
        by_sheet = any(r.station == station.name and r.is_for_sheets for r in config.route)
        if by_sheet and station.cover_sheets == "off" and not (isinstance(station, Station) and station.is_told):
            what = "is off, no sidecar says a department or class, and a [[scan.route]] of it goes by these"
            found.append((f"{key}.cover_sheets", what))
        if station.target is not None and station.target not in targets:
            found.append((f"{key}.target", f"no [[scan.target]] named {station.target!r}"))
        if isinstance(station, PulledStation) and station.start_code is not None and station.start_driver is None:
            found.append((f"{key}.start_code", "needs start_driver: the name of the barcode reader's [[driver]]"))
        if isinstance(station, EsclStation):
            has_certificates = station.ca_file is not None
            text = address_fault(station.url, insecure=station.insecure, has_certificates=has_certificates)
            if text is not None:
                found.append((f"{key}.url", text))
        if not isinstance(station, Station):
            continue
        found += [(f"{key}.{name}", what) for name, what in _folder_faults(station)]
        if any(isinstance(other, Station) and _same(station.path, other.path) for other in config.station[:i]):
            found.append((f"{key}.path", "is the folder of another station"))
        if any(t.local_folder is not None and _same(station.path, t.local_folder) for t in config.target):
            found.append((f"{key}.path", "is also a target's folder: everything would come back"))
    for i, route in enumerate(config.route):
        if route.station is None and route.is_default:
            found.append((f"scan.route[{i}]", "fits everything: name a station, a folder, a department or a class"))
        spoken_of = [s for s in config.station if route.station in {None, s.name}]
        if route.folder is not None and not any(map(_looks_into, spoken_of)):
            found.append((f"scan.route[{i}].folder", "needs a station of type folder with subfolder_depth = 1 or more"))
        if route.station is not None and route.station not in stations:
            found.append((f"scan.route[{i}].station", f"no [[scan.station]] named {route.station!r}"))
        if route.target not in targets:
            found.append((f"scan.route[{i}].target", f"no [[scan.target]] named {route.target!r}"))
        if any(_covers(earlier, route) for earlier in config.route[:i]):
            found.append((f"scan.route[{i}]", "is never reached: an earlier one fits all that this one fits"))
    uploading = {i: s for i, s in enumerate(config.station) if isinstance(s, HttpStation)}
    found += release_faults(config.release, config.retention, stations)
    found += upload_faults(config.http, uploading)
    return found


def _folder_faults(station: Station) -> list[tuple[str, str]]:
    found = []
    if station.give_up_s < station.stable_s:
        found.append(("give_up_s", "is shorter than stable_s"))
    if station.batch_timeout_s < station.stable_s:
        found.append(("batch_timeout_s", "is shorter than stable_s"))
    if (station.done == "ready_file") != (station.ready_file is not None):
        found.append(("ready_file", 'goes with done = "ready_file", and only with that'))
    if station.done == "sidecar" and station.sidecar is None:
        found.append(("sidecar", 'done = "sidecar" needs a [scan.station.sidecar]'))
    for key, name in (
        ("ready_file", station.ready_file),
        ("sidecar.name", station.sidecar.name if station.sidecar is not None else None),
    ):
        if name is None:
            continue
        if station.batches == "off" and not is_placed(name):
            found.append((key, "must have {name} or {stem}: which document it belongs to"))
        if station.batches == "off" and "{batch}" in name:
            found.append((key, '{batch} needs batches = "folders"'))
        if name.strip("*") in {"{name}", "{stem}", "{batch}"}:
            found.append((key, "must differ from its document's name"))
    return found


def _covers(earlier: Route, later: Route) -> bool:
    """Whether nothing is left for the later one."""
    if (earlier.is_for_sheets, earlier.is_default) != (later.is_for_sheets, later.is_default):
        return False
    if later.folder is not None:
        return earlier.station in {None, later.station} and earlier.has_folder(later.folder)
    pairs = zip(_wanted(earlier), _wanted(later), strict=True)
    return all(first in {None, second} for first, second in pairs)


def _alike(folder: str) -> str:
    return f"{unicodedata.normalize('NFC', folder)}/".casefold()


def _looks_into(station: AnyStation) -> bool:
    return isinstance(station, Station) and station.subfolder_depth > 0


def _wanted(route: Route) -> tuple[str | None, ...]:
    return route.station, route.department, route.class_


def _same(path: str, other: str) -> bool:
    return path.rstrip("/") == other.rstrip("/")
