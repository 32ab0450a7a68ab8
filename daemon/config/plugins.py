"""Drivers, forwarders, scan targets: each type brings its own struct; its module is imported when it is configured."""

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from torhaus.daemon.config.expect import did_you_mean, quote, show
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.model import DriverCommon, ForwarderCommon
from torhaus.daemon.config.validate import Validator
from torhaus.daemon.forward import registry as forwarders
from torhaus.drivers import registry as drivers

if TYPE_CHECKING:
    from torhaus.daemon.scans.targets.base import TargetConfig

M = TypeVar("M")
C = TypeVar("C", bound=msgspec.Struct)

_RELAY_KINDS: Final = ("frame", "event")
_RELAY_FAULTS: Final = {
    "kinds": "does not belong here: what this type sends is said by [forwarder.filter]",
    "order": 'is "live_first", must be "device" or "strict": network servers drop frames that others have overtaken',
    "backfill_windows": "do not belong here: nothing of the backlog goes beside the rest",
}
_SHARED: Final = ("name", "type")
_REQUIREMENT: Final = re.compile(r"""([A-Za-z0-9._-]+).*extra == ['"]([A-Za-z0-9._-]+)['"]""")
_DISTRIBUTIONS: Final = {"pil": "pillow", "zmq": "pyzmq", "google": "protobuf"}


def driver(table: dict[str, Any], path: KeyPath, check: Validator) -> tuple[Any, DriverCommon, msgspec.Struct] | None:
    """The driver's module, its common keys and its config; None when there are faults."""
    return _plugin(
        table, path, check, _module(table, path, check, drivers.DRIVERS, drivers.load, drivers.names), DriverCommon
    )


def forwarder(
    table: dict[str, Any], path: KeyPath, check: Validator
) -> tuple[Any, ForwarderCommon, msgspec.Struct] | None:
    """The forwarder's module, its common keys and its config; None when there are faults."""
    module = _module(table, path, check, sorted(forwarders.FORWARDERS), forwarders.load)
    if module is None or not forwarders.is_relay(module):
        return _plugin(table, path, check, module, ForwarderCommon)
    for key, fault in _RELAY_FAULTS.items():
        if key in table and (key != "order" or table[key] == "live_first"):
            check.fault((*path, key), fault)
    return _plugin({"order": "device", **table, "kinds": _RELAY_KINDS}, path, check, module, ForwarderCommon)


def scan_target(table: dict[str, Any], path: KeyPath, check: Validator) -> "TargetConfig | None":
    """The target's config; None when there are faults."""
    from torhaus.daemon.scans.targets import registry as targets
    from torhaus.daemon.scans.targets.base import TargetConfig

    module = _module(table, path, check, sorted(targets.TARGETS), targets.load)
    found = None if module is None else check.struct(table, module.Config, path)
    return found if isinstance(found, TargetConfig) else None


def _plugin(
    table: dict[str, Any],
    path: KeyPath,
    check: Validator,
    module: Any,  # noqa: ANN401 - a module
    shared: type[C],
) -> tuple[Any, C, msgspec.Struct] | None:
    """What all plug-ins of a kind have is read apart from what this type has."""
    keys = shared.__struct_fields__
    common = check.struct({k: v for k, v in table.items() if k in keys}, shared, path)
    own = {k: v for k, v in table.items() if k not in keys or k in _SHARED}
    config = None if module is None else check.struct(own, module.Config, path, also=keys)
    return None if module is None or common is None or config is None else (module, common, config)


def _module(
    table: dict[str, Any],
    path: KeyPath,
    check: Validator,
    names: Collection[str],
    load: Callable[[str], M],
    more: Callable[[], Collection[str]] | None = None,
) -> M | None:
    """`more`: the names with third parties' among them, looked for when it is none of ours."""
    here = (*path, "type")
    type_ = table.get("type")
    if more is not None and not (isinstance(type_, str) and type_ in names):
        names = more()
    types = ", ".join(map(quote, names))
    if type_ is None:
        check.fault(here, f"is missing (must be one of {types})")
    elif not isinstance(type_, str) or type_ not in names:
        near = did_you_mean(type_, names) if isinstance(type_, str) else ""
        check.fault(here, f"is {show(type_)}, must be one of {types}{near}")
    else:
        try:
            return load(type_)
        except ImportError as e:
            check.fault(here, not_installed(type_, e))
    return None


def not_installed(what: str, error: ImportError) -> str:
    """What to install when a plug-in's library is not there."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is None:
        return f"{quote(what)} cannot be used: {' '.join(str(error).split())[:200]}"
    extra = extra_of(missing)
    if extra is None:
        return f"{quote(what)} needs the library {missing}, which is not installed"
    return f"{quote(what)} needs the library {missing}, which is not installed: pip install 'torhaus[{extra}]'"


def extra_of(module: str) -> str | None:
    """The optional extra of torhaus that brings this module; None when there is none."""
    wanted = module.partition(".")[0].lower().replace("_", "-")
    wanted = _DISTRIBUTIONS.get(wanted, wanted)
    from importlib import metadata

    for requirement in metadata.requires("torhaus") or ():
        match = _REQUIREMENT.match(requirement)
        if match is not None and match[1].lower().replace("_", "-") == wanted:
            return match[2]
    return None
