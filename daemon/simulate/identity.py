"""Who a simulated end device is: EUIs, root keys, version, payload format; and the lists by which a daemon knows it."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.lorawan.eui import format_eui64, parse_eui64
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig

DEV_EUI_BASE: Final = 0x0274_6F72_0000_0000
JOIN_EUI: Final = 0x0274_6F72_FFFF_FFFF
"""Locally administered (the second bit of the first byte): no vendor has such EUIs."""
VERSIONS: Final = ("1.0.2", "1.0.3", "1.0.4", "1.1")
CODECS: Final = ("elsys", "cayenne_lpp")
"""Payload formats that are simulated: torhaus.daemon.demo.sensors."""
_MAX_DEVICES: Final = 1 << 16


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """One device. `nwk_key` belongs to 1.1 alone. Prints no key."""

    name: str
    dev_eui: int
    app_key: bytes
    nwk_key: bytes | None = None
    join_eui: int = JOIN_EUI
    version: str = "1.0.3"
    codec: str = "elsys"

    @property
    def eui(self) -> str:
        """DevEUI as 16 hex digits."""
        return format_eui64(self.dev_eui)

    @property
    def is_1_1(self) -> bool:
        """Whether it speaks 1.1 with a server that does."""
        return self.nwk_key is not None

    @property
    def join_key(self) -> bytes:
        """What it asks to join with: NwkKey in 1.1, else AppKey."""
        return self.nwk_key or self.app_key

    @property
    def counts_nonces(self) -> bool:
        """Whether its DevNonces rise (1.0.4 and 1.1) or are random."""
        return self.version in {"1.0.4", "1.1"}

    def __repr__(self) -> str:
        return f"Identity({self.name}, {self.eui})"

    def config(self, more: str = "") -> str:
        """Its `[[device]]`."""
        return (
            f'[[device]]\nname = "{self.name}"\ndev_eui = "{self.eui}"\njoin_eui = "{format_eui64(self.join_eui)}"\n'
            f'codec = "{self.codec}"\nlorawan = "{self.version}"\n{more}\n'
        )

    def key_table(self) -> str:
        """Its table of devices.keys.toml."""
        nwk = f'nwk_key = "{self.nwk_key.hex()}"\n' if self.nwk_key is not None else ""
        return f'["{self.eui}"]\napp_key = "{self.app_key.hex()}"\n{nwk}\n'


def identities(count: int, versions: Sequence[str] = ("1.0.3",), seed: int | None = None) -> list[Identity]:
    """So many devices, versions and codecs in turn. Keys are of the system's random source, or made of `seed`.

    Keys made of a seed can be made by everybody: for devices that are heard on loopback only.
    """
    key = _random_key if seed is None else _seeded(seed)
    found = []
    for n in range(min(count, _MAX_DEVICES)):
        version = versions[n % len(versions)]
        found.append(
            Identity(
                name=f"simulated-{n:04}",
                dev_eui=DEV_EUI_BASE + n,
                app_key=key(f"app {n}"),
                nwk_key=key(f"nwk {n}") if version == "1.1" else None,
                version=version,
                codec=CODECS[n % len(CODECS)],
            )
        )
    return found


def from_lists(devices: Sequence[DeviceConfig], keys: dict[str, DeviceKeys]) -> tuple[list[Identity], list[str]]:
    """The devices of a daemon's lists that can be simulated, and the names of those that cannot (no root keys)."""
    found, left = [], []
    for device in devices:
        have = keys.get(device.name)
        is_1_1 = device.lorawan == "1.1"
        if have is None or device.dev_eui is None or have.app_key is None or (is_1_1 and have.nwk_key is None):
            left.append(device.name)
            continue
        join_eui = parse_eui64(device.join_eui) if device.join_eui is not None else JOIN_EUI
        found.append(
            Identity(
                name=device.name,
                dev_eui=parse_eui64(device.dev_eui),
                app_key=have.app_key,
                nwk_key=have.nwk_key if is_1_1 else None,
                join_eui=join_eui,
                version=device.lorawan,
                codec=device.codec if device.codec in CODECS else CODECS[0],
            )
        )
    return found, left


def write_registry(folder: Path, known: Sequence[Identity]) -> tuple[Path, Path]:
    """devices.toml and devices.keys.toml (mode 0600) in a folder; neither may be there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    devices, keys = folder / "devices.toml", folder / "devices.keys.toml"
    with devices.open("x", encoding="utf-8") as file:
        file.write("".join(one.config() for one in known))
    keys.touch(mode=0o600, exist_ok=False)
    keys.write_text("".join(one.key_table() for one in known), encoding="utf-8")
    return devices, keys


def _random_key(_: str) -> bytes:
    return secrets.token_bytes(16)


def _seeded(seed: int) -> Callable[[str], bytes]:
    return lambda text: hashlib.sha256(f"simulated {seed} {text}".encode()).digest()[:16]
