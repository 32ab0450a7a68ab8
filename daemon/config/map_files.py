"""Maps of Modbus registers in one's own files: every fault with its line, beside the driver's that names the file."""

from pathlib import Path
from typing import Any

from torhaus.daemon.config.document import ConfigFaults, Fault, Tree, parse, read_text
from torhaus.daemon.config.validate import Validator


def map_faults(tables: list[tuple[int, dict[str, Any]]], base: Path) -> list[Fault]:
    """What is wrong in the files that `[[driver]]` tables name. `base`: where relative paths start."""
    found: list[Fault] = []
    for path in dict.fromkeys(base / name for _, table in tables for name in _named(table)):
        found += _faults(path)
    return found


def _named(table: dict[str, Any]) -> list[str]:
    devices = table.get("devices")
    if table.get("type") != "modbus" or not isinstance(devices, list):
        return []
    names = [device.get("map_file") for device in devices if isinstance(device, dict)]
    return [name for name in names if isinstance(name, str) and name]


def _faults(path: Path) -> list[Fault]:
    from torhaus.codecs.meter.modbus_map import Map

    shown, tree, check = str(path), Tree(), Validator(path.parent)
    try:
        tree.add(parse(read_text(path, shown), shown))
    except ConfigFaults as e:
        return [] if not path.is_file() else e.faults  # the driver says that it is not there
    check.struct(tree.data, Map)
    # what is said of the file as a whole follows from the others, or the driver says it
    return [tree.fault(place, text) for place, text in check.faults.items() if place]
