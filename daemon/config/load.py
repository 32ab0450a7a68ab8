"""`load`: the whole configuration, checked, or every fault. Reads files only: no device, no network, no far side."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from torhaus.daemon.config import named_files, plugins
from torhaus.daemon.config.device_keys import DeviceKeys, cross_faults, read_keys
from torhaus.daemon.config.devices import DeviceConfig, read_devices
from torhaus.daemon.config.document import ConfigFaults, Document, Fault, Tree, is_there, parse, read_text
from torhaus.daemon.config.keys_file import is_in_clear, read_keys_file
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.loaded import Loaded
from torhaus.daemon.config.lorawan import rate_fault
from torhaus.daemon.config.map_files import map_faults
from torhaus.daemon.config.model import (
    Devices,
    Root,
    Scripts,
)
from torhaus.daemon.config.names import Names
from torhaus.daemon.config.validate import Validator
from torhaus.drivers.secret import is_credential

if TYPE_CHECKING:  # a site without scan stations starts without their rooms
    from torhaus.daemon.scans.config import ScanConfig

__all__ = ["ConfigFaults", "DeviceFiles", "DeviceSet", "Fault", "Loaded", "device_files", "load", "read_device_set"]
__all__ += ["read_files", "shown"]

_PART: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def load(path: Path, *, check_only: bool = False, named: bool = False) -> Loaded:
    """Read `path`, `conf.d/*.toml` beside it, and the lists of devices and keys. Raises ConfigFaults with every fault.

    `check_only`: keys that only the service can read (its credential, or the mode says so) are a note and no fault.
    `named`: look also at the passwords, tokens and certificates that plug-ins will read when they need them.
    """
    files, tree, faults = read_files(path)
    loading = _Loading(path, tree, faults)
    loading.files = files
    return loading.load(check_only=check_only, named=named)


def read_files(path: Path) -> tuple[list[Path], Tree, list[Fault]]:
    """The main file and `conf.d/*.toml` in the order of their names. ConfigFaults when the main one is no TOML."""
    tree = Tree()
    tree.add(parse(read_text(path, str(path)), str(path)))
    files, faults = [path], []
    try:
        more = sorted(
            p for p in (path.parent / "conf.d").iterdir() if p.suffix == ".toml" and not p.name.startswith(".")
        )
    except FileNotFoundError:
        more = []
    except OSError as e:
        more = []
        faults.append(Fault(str(path.parent / "conf.d"), 1, "file", f"cannot be read: {e.strerror}"))
    for file in more:
        try:
            tree.add(parse(read_text(file, str(file)), str(file)))
        except ConfigFaults as e:
            faults += e.faults
        files.append(file)
    return files, tree, faults + tree.clashes


class DeviceFiles(msgspec.Struct, frozen=True):
    """Where devices, keys and scripts are; what the device commands need of the configuration."""

    devices: Path
    devices_optional: bool
    keys: Path
    keys_optional: bool
    scripts: Path
    passphrase: Path | None = None  # where the keys are sealed


def device_files(path: Path, tree: Tree) -> DeviceFiles:
    """Where the lists are. ConfigFaults for what is wrong in `[devices]` and `[scripts]`; looks at nothing else."""
    check = Validator(path.parent.absolute())
    files = check.struct(tree.data.get("devices", {}), Devices, ("devices",))
    scripts = check.struct(tree.data.get("scripts", {}), Scripts, ("scripts",))
    if files is None or scripts is None:
        raise ConfigFaults([tree.fault(p, text) for p, text in check.faults.items()])
    base, given = check.base, tree.data.get("devices", {})
    words = None if files.keys_passphrase_file is None else base / files.keys_passphrase_file
    lists = base / files.file, "file" not in given, base / files.keys_file, "keys_file" not in given
    return DeviceFiles(*lists, base / scripts.dir, words)


class DeviceSet(msgspec.Struct):
    """What the two lists hold, and what is wrong with them."""

    devices: list[DeviceConfig] = []
    keys: dict[str, DeviceKeys] = {}
    faults: list[Fault] = []
    notes: list[str] = []
    files: list[Path] = []
    tree: Tree = msgspec.field(default_factory=Tree)  # where in the list of devices what stands


def read_device_set(
    files: DeviceFiles, base: Path, *, check_only: bool = False, more: tuple[Document, Document] | None = None
) -> DeviceSet:
    """Read and check both lists. `base` shortens file names in messages; `more` are devices and keys to be added."""
    found = DeviceSet()
    tree, keys_tree, keys_shown = Tree(), Tree(), shown(files.keys, base)
    try:
        if not files.devices_optional or is_there(files.devices):
            name = shown(files.devices, base)
            found.files.append(files.devices)
            tree.add(parse(read_text(files.devices, name), name))
    except ConfigFaults as e:
        found.faults += e.faults
        return found
    if more is not None:
        tree.add(more[0])
    found.tree = tree
    found.devices, faults = read_devices(tree, files.scripts)
    found.faults += faults + tree.clashes
    try:
        if not files.keys_optional or is_there(files.keys):
            keys_tree.add(read_keys_file(files.keys, keys_shown, files.passphrase))
            found.files.append(files.keys)
    except ConfigFaults as e:
        if check_only and (is_credential(files.keys) or _is_closed(files.keys)):
            found.notes.append(f"{keys_shown}: not checked, only the service can read it")
        else:
            found.faults += e.faults
        return found
    if more is not None:
        keys_tree.add(more[1])
    found.keys, faults, found.notes = read_keys(keys_tree, found.devices)
    if files.passphrase is not None and files.keys in found.files and is_in_clear(files.keys):
        found.notes.append(
            f"{keys_shown}: is in clear, though there is a passphrase: `torhaus devices seal` encrypts it"
        )
    found.faults += faults + keys_tree.clashes
    if not found.faults:
        found.faults += cross_faults(tree, found.devices, found.keys, keys_shown)
    return found


def _is_closed(path: Path) -> bool:
    """Whether a file is there that this user may not read, as the keys are for those who only ask the daemon."""
    return is_there(path) and not os.access(path, os.R_OK)


def shown(path: Path, base: Path) -> str:
    """A file's name in messages: as the configuration was named, where it is in the same folder."""
    here = base.absolute()
    return str(base / path.relative_to(here)) if path.is_relative_to(here) else str(path)


class _Loading:
    """One run of `load`."""

    def __init__(self, path: Path, tree: Tree, faults: list[Fault]) -> None:
        self.path = path
        self.tree = tree
        self.faults = faults
        self.files: list[Path] = []
        self.check = Validator(path.parent.absolute())

    def load(self, *, check_only: bool, named: bool) -> Loaded:
        check, data = self.check, self.tree.data
        root = check.struct(data, Root)
        lists = DeviceSet()
        try:
            found = device_files(self.path, self.tree)
            lists = read_device_set(found, self.path.parent, check_only=check_only)
            self.faults += lists.faults
        except ConfigFaults:
            pass  # the same faults as above
        drivers = [plugins.driver(t, ("driver", i), check) for i, t in self._tables("driver")]
        self.faults += map_faults(self._tables("driver"), check.base)
        forwarders = [plugins.forwarder(t, ("forwarder", i), check) for i, t in self._tables("forwarder")]
        known_drivers = [d for d in drivers if d is not None]
        scans = self._scans(data["scan"], [c for _, _, c in known_drivers], check_only) if "scan" in data else None
        names = Names(self.tree, check, {kind: self._tables(kind) for kind in ("driver", "forwarder", "alarm")})
        names.look()
        if not lists.faults:
            names.known([f for f in forwarders if f is not None], [(m, c) for m, _, c in known_drivers], lists.devices)
        if root is not None and not lists.faults:
            rates = [(i, rate_fault(d.adr, root.lorawan.region)) for i, d in enumerate(lists.devices)]
            self.faults += [lists.tree.fault(("device", i, "adr"), f[5:]) for i, f in rates if f is not None]
            if root.lorawan.chirpstack is None:
                found_at = [("device", i, "keys") for i, d in enumerate(lists.devices) if d.keys == "chirpstack"]
                self.faults += [lists.tree.fault(at, 'needs [lorawan.chirpstack] with "url"') for at in found_at]
        if named:
            self._named(lists)
        self.faults += [self.tree.fault(p, text) for p, text in check.faults.items()]
        if self.faults or root is None:
            raise ConfigFaults(self._sorted(lists.files))
        absolute = check.base
        return Loaded(
            site=root.site,
            store=msgspec.structs.replace(root.store, path=str(absolute / root.store.path)),
            http=msgspec.structs.replace(root.http, users_file=str(absolute / root.http.users_file)),
            control=msgspec.structs.replace(root.control, socket=str(absolute / root.control.socket)),
            lorawan=root.lorawan,
            common_names=root.devices.common_names,
            scripts=msgspec.structs.replace(root.scripts, dir=str(absolute / root.scripts.dir)),
            log=root.log,
            drivers=[(module, config) for module, _, config in known_drivers],
            windows_s={common.name: common.commit_window_s for _, common, _ in known_drivers},
            forwarders=[f for f in forwarders if f is not None],
            alarms=root.alarm,
            scans=scans,
            devices=lists.devices,
            keys=lists.keys,
            files=[*self.files, *lists.files],
            notes=lists.notes,
        )

    def _tables(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        tables = self.tree.data.get(kind)
        return [(i, t) for i, t in enumerate(tables) if isinstance(t, dict)] if isinstance(tables, list) else []

    def _scans(self, value: object, drivers: list[Any], check_only: bool) -> "ScanConfig | None":
        from torhaus.daemon.config.scans import check_beside, read_scan
        from torhaus.daemon.scans.config import faults

        scan = read_scan(value, self.check)
        if scan is not None:
            for key, text in faults(scan):
                self.check.fault(_key_path(key), text)
            check_beside(scan, self.check, drivers, check_only=check_only)
        return scan

    def _named(self, lists: DeviceSet) -> None:
        """Files that plug-ins will read, but not those of a forwarder that is not enabled."""
        off = {("forwarder", i) for i, table in self._tables("forwarder") if table.get("enabled") is False}
        files = {k: p for k, p in self.check.files.items() if k[0] != "devices" and k[:2] not in off}
        faults, notes = named_files.look_at(files)
        for key, text in faults.items():
            self.check.fault(key, text)
        lists.notes += notes

    def _sorted(self, more: list[Path]) -> list[Fault]:
        order = {shown(p.absolute(), self.path.parent): n for n, p in enumerate([*self.files, *more])}
        return sorted(set(self.faults), key=lambda f: (order.get(f.file, len(order)), f.file, f.line, f.key))


def _key_path(key: str) -> KeyPath:
    """`scan.station[0].name` to its parts."""
    return tuple(int(index) if index else word for word, index in _PART.findall(key))
