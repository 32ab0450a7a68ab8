"""`[scan]`: the queue's own struct, and its targets, each with its type's."""

import msgspec

from torhaus.daemon.config import plugins
from torhaus.daemon.config.expect import show
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.targets.base import TargetConfig

HERE: KeyPath = ("scan",)


def read_scan(value: object, check: Validator) -> ScanConfig | None:
    """The table, or None when there are faults in it."""
    if not isinstance(value, dict):
        check.fault(HERE, f"is {show(value)}, must be a table")
        return None
    rest = {key: v for key, v in value.items() if key != "target"}
    found = check.struct(rest, ScanConfig, HERE)
    targets = _targets(value.get("target", []), check)
    return None if found is None or targets is None else msgspec.structs.replace(found, target=targets)


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
