"""Every driver by type: one line each. Modules are imported when a driver of the type is configured.

Third parties add theirs as an entry point of the group `torhaus.drivers`: type = module. They cannot replace one of
ours.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import msgspec

from torhaus.drivers.base import Driver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

GROUP: Final = "torhaus.drivers"

DRIVERS: Final[dict[str, str]] = {
    "barcode": "torhaus.drivers.barcode",
    "basics_station": "torhaus.drivers.basics_station",
    "chirpstack_app": "torhaus.drivers.chirpstack_app",
    "concentratord": "torhaus.drivers.concentratord",
    "dsmr": "torhaus.drivers.dsmr",
    "iec62056": "torhaus.drivers.iec62056",
    "line": "torhaus.drivers.line",
    "mbus": "torhaus.drivers.mbus",
    "modbus": "torhaus.drivers.modbus",
    "nmea": "torhaus.drivers.nmea",
    "semtech_udp": "torhaus.drivers.semtech_udp",
    "sml": "torhaus.drivers.sml",
    "tts_app": "torhaus.drivers.tts_app",
    "wmbus": "torhaus.drivers.wmbus",
}
"""Type to module. Each has a sample in `config/drivers/<type>.toml`."""


class DriverModule(Protocol):
    """What a driver module has."""

    Config: type[msgspec.Struct]

    def open(self, config: Any, /) -> Driver:  # noqa: ANN401 - each module takes its own Config
        """The driver; the device is touched when it is run."""
        ...


def entry_points(*, group: str, name: str | None = None) -> "Iterable[EntryPoint]":
    """What third parties have declared. Their library is loaded where one is asked for: it takes 1 MB."""
    from importlib import metadata

    found = metadata.entry_points(group=group)
    return found if name is None else found.select(name=name)


def names() -> list[str]:
    """Every type there is, third parties' included."""
    return sorted({*DRIVERS, *(point.name for point in entry_points(group=GROUP))})


def load(type_: str) -> DriverModule:
    """The module of a type.

    KeyError when there is no such type, ImportError when a third party's cannot be used: missing parts, or one type
    claimed by two packages.
    """
    if type_ in DRIVERS:
        return cast("DriverModule", import_module(DRIVERS[type_]))
    points = list(entry_points(group=GROUP, name=type_))
    if not points:
        raise KeyError(type_)
    if len(points) > 1:
        raise ImportError(f"driver {type_!r} is claimed by {', '.join(sorted(point.value for point in points))}")
    module = points[0].load()
    if not (callable(getattr(module, "open", None)) and _is_config(getattr(module, "Config", None))):
        raise ImportError(f"driver {type_!r}: {points[0].value} has no Config struct and open()")
    return cast("DriverModule", module)


def _is_config(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, msgspec.Struct)
