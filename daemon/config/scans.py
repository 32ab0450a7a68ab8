"""`[scan]`: the queue's own struct, and its targets, each with its type's."""

from collections.abc import Sequence
from typing import Final

import msgspec

from torhaus.daemon.config import plugins
from torhaus.daemon.config.expect import did_you_mean, quote, show
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.sealed import spool_key_fault
from torhaus.daemon.scans.stations import PulledStation
from torhaus.daemon.scans.targets.base import TargetConfig

HERE: KeyPath = ("scan",)
READERS: Final = frozenset({"barcode", "line"})
"""Types of drivers whose frames are codes that somebody read."""


def read_scan(value: object, check: Validator) -> ScanConfig | None:
    """The table, or None when there are faults in it."""
    if not isinstance(value, dict):
        check.fault(HERE, f"is {show(value)}, must be a table")
        return None
    rest = {key: v for key, v in value.items() if key != "target"}
    found = check.struct(rest, ScanConfig, HERE)
    targets = _targets(value.get("target", []), check)
    return None if found is None or targets is None else msgspec.structs.replace(found, target=targets)


def check_beside(scan: ScanConfig, check: Validator, drivers: Sequence[object], *, check_only: bool) -> None:
    """What it names besides itself: key files, and the drivers that start jobs."""
    for i, spec in enumerate(scan.spool_key_files):
        wrong = spool_key_fault(spec, check_only=check_only)
        if wrong is not None:
            check.fault((*HERE, "spool_key_files", i), wrong)
    readers = [str(getattr(d, "name", "")) for d in drivers if getattr(d, "type", "") in READERS]
    for i, station in enumerate(scan.station):
        wanted = station.start_driver if isinstance(station, PulledStation) else None
        if wanted is not None and wanted not in readers:
            text = f"is {quote(wanted)}, but no [[driver]] of type barcode or line has this name"
            check.fault((*HERE, "station", i, "start_driver"), text + did_you_mean(wanted, readers))


def _targets(tables: object, check: Validator) -> tuple[TargetConfig, ...] | None:
    path = (*HERE, "target")
    if not isinstance(tables, list):
        check.fault(path, f"is {show(tables)}, must be tables: [[scan.target]]")
        return None
    made = []
    for i, table in enumerate(tables):
        if isinstance(table, dict):
            made.append(plugins.scan_target(table, (*path, i), check))
        else:
            check.fault((*path, i), f"is {show(table)}, must be a table")
            made.append(None)
    good = [target for target in made if target is not None]
    return tuple(good) if len(good) == len(made) else None
