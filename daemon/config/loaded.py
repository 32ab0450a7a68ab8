"""What `load` makes of the files: the whole configuration as the daemon uses it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.model import (
    AlarmRule,
    Control,
    ForwarderCommon,
    Http,
    Log,
    Lorawan,
    Scripts,
    Site,
    Store,
)
from torhaus.daemon.forward.registry import is_relay

if TYPE_CHECKING:  # a site without scan stations starts without their rooms
    from torhaus.daemon.scans.config import ScanConfig


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration as the daemon uses it. All paths are absolute.

    `drivers`: (module, config); `windows_s`: by driver, how long its frames may wait for a commit; `forwarders`:
    (module, common keys, config), also those that are not enabled; `keys` by device name; `files`: what was read;
    `scans`: `[scan]`, None where the file has none; `notes`: what is odd but no fault.
    """

    site: Site
    store: Store
    http: Http
    control: Control
    lorawan: Lorawan
    scripts: Scripts
    log: Log
    drivers: list[tuple[Any, Any]]
    windows_s: dict[str, float]
    forwarders: list[tuple[Any, ForwarderCommon, Any]]
    alarms: list[AlarmRule]
    scans: "ScanConfig | None"
    devices: list[DeviceConfig]
    common_names: bool = False
    keys: dict[str, DeviceKeys]
    files: list[Path]
    notes: list[str]

    @property
    def scan(self) -> "ScanConfig":
        """`[scan]`, or what holds without one."""
        from torhaus.daemon.scans.config import ScanConfig

        return ScanConfig() if self.scans is None else self.scans

    @property
    def has_scans(self) -> bool:
        """Whether this site scans documents."""
        return self.scans is not None and bool(self.scans.station or self.scans.target)

    def relays(self) -> list[str]:
        """The forwarders that pass raw frames on to a network server."""
        return [common.name for module, common, _ in self.forwarders if is_relay(module)]

    def log_of(self, forwarder: str) -> str:
        """The log that a forwarder reads."""
        return "relay" if forwarder in self.relays() else "main"

    def tagged(self) -> dict[str, set[str]]:
        """Devices by tag."""
        out: dict[str, set[str]] = {}
        for device in self.devices:
            for tag in device.tags:
                out.setdefault(tag, set()).add(device.name)
        return out
