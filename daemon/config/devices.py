"""`devices.toml`: the end devices that this site knows by name.

A LoRaWAN device has a DevEUI, a DevAddr or both; a meter or bus device has neither and is named by its driver.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import force_setattr

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64, parse_dev_addr, parse_eui64
from torhaus.codecs.lorawan.keys import Version
from torhaus.codecs.model import DecodeError
from torhaus.daemon.config.codec_names import LAYOUT, codec_fault
from torhaus.daemon.config.counters import Counters
from torhaus.daemon.config.document import Fault, Tree
from torhaus.daemon.config.expect import quote
from torhaus.daemon.config.keys_names import WMBUS, meter_name
from torhaus.daemon.config.lorawan import Adr
from torhaus.daemon.config.profiles import Battery, FPort, Interval, Line, Profile, Profiles
from torhaus.daemon.config.validate import Validator

MAX_NAME: Final = 64
# what nearly all are spelled like: with thousands of devices the start is as long as it takes to read them
EUI64: Final = re.compile("[0-9a-f]{16}")
_DEV_ADDR: Final = re.compile("[0-9a-f]{8}")

Label = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^/+#\x00-\x1f\x7f]{1,64}\Z",
        description="1 to 64 printable characters without '/', '+' and '#'",
    ),
]


class DeviceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[device]]`. EUIs and addresses are kept as lower-case hex digits without separators.

    `codec` is a registered codec, or a script or layout in the folder of scripts; None: its payload is not decoded.
    `profile`: a model's, "vendor/model", for what is not said here. `fports`: payloads on others are not decoded;
    empty: all are. `interval_s`: how often it sends. `encoder`: a script for downlinks, where it is another than the
    codec. `battery`: the field that says how it is; below `low` its readings are alarms. `address` is what a meter or
    bus calls itself (a server id, say); `wmbus` is the number of a wireless meter. `join_eui` is what a device has to
    ask for when it joins; None: whatever it likes. `class` and `adr` (None: as in `[lorawan.mac]`) count in mode
    "standalone" only. `counters`: fields of which torhaus works out what was counted. `keys`: at which server they
    are; None: in the file.
    """

    name: Label
    dev_eui: str | None = None
    dev_addr: str | None = None
    join_eui: str | None = None
    codec: Line | None = None
    profile: Line | None = None
    fports: tuple[FPort, ...] = ()
    interval_s: Interval | None = None
    encoder: Line | None = None
    battery: Battery | None = None
    place: Line = ""
    tags: tuple[Label, ...] = ()
    lorawan: Literal["1.0", "1.0.2", "1.0.3", "1.0.4", "1.1"] = "1.0"
    allow_fcnt_reset: bool = False
    allow_half_mic: bool = False
    address: Line | None = None
    device_class: Literal["A", "C"] = msgspec.field(default="A", name="class")
    adr: Adr | None = None
    counters: Counters = {}
    wmbus: str | None = None
    keys: Literal["chirpstack"] | None = None

    def __post_init__(self) -> None:
        if not self.name.isprintable() or self.name != self.name.strip():
            raise ValueError("name: must have printable characters only, and no spaces around")
        try:
            key = "dev_eui"
            if self.dev_eui is not None and EUI64.fullmatch(self.dev_eui) is None:
                force_setattr(self, key, format_eui64(parse_eui64(self.dev_eui)))
            key = "join_eui"
            if self.join_eui is not None and EUI64.fullmatch(self.join_eui) is None:
                force_setattr(self, key, format_eui64(parse_eui64(self.join_eui)))
            key = "dev_addr"
            if self.dev_addr is not None and _DEV_ADDR.fullmatch(self.dev_addr) is None:
                force_setattr(self, key, format_dev_addr(parse_dev_addr(self.dev_addr)))
        except DecodeError as e:
            raise ValueError(f"{key}: is {quote(getattr(self, key))}, but {e.detail}") from None
        if self.keys == "chirpstack" and (self.dev_eui is None or self.dev_addr is not None):
            raise ValueError('keys: "chirpstack" goes with a dev_eui, and without a dev_addr')
        if self.wmbus is not None:
            is_lorawan = self.dev_eui is not None or self.dev_addr is not None
            force_setattr(self, "wmbus", meter_name(self.wmbus, is_lorawan=is_lorawan))

    @property
    def version(self) -> Version:
        """Which security scheme its sessions use."""
        return Version.V1_1 if self.lorawan == "1.1" else Version.V1_0

    @property
    def keys_id(self) -> str | None:
        """The table of its keys: its DevEUI, or its DevAddr where it has no DevEUI, or its name as a wireless meter."""
        return self.dev_eui or self.dev_addr or (f"{WMBUS}{self.wmbus}" if self.wmbus else None)


_NO_ENCODER: Final = "must be a script (*.js) in the folder of decoders: only scripts encode downlinks"


class _File(msgspec.Struct, frozen=True):
    device: list[dict[str, Any]] = []


def read_devices(tree: Tree, scripts: Path) -> tuple[list[DeviceConfig], list[Fault]]:
    """The devices of a parsed `devices.toml`, and what is wrong with it."""
    check = Validator(scripts)
    tables = tree.data.get("device", [])
    plain = isinstance(tables, list) and all(isinstance(t, dict) for t in tables)
    if not plain or not tree.data.keys() <= {"device"}:
        check.struct(tree.data, _File)
    devices: list[DeviceConfig] = []
    first: dict[tuple[str, str | None], int] = {}
    codecs: dict[str, str | None] = {}
    layouts: list[Fault] = []
    profiles = Profiles(scripts)
    for i, table in enumerate(tables if isinstance(tables, list) else ()):
        codec = table.get("codec") if isinstance(table, dict) else None
        if isinstance(codec, str):
            if codec not in codecs:
                codecs[codec] = codec_fault(codec, scripts)
                if codec.endswith(LAYOUT) and codecs[codec] is None:
                    from torhaus.daemon.config.layouts import layout_faults

                    layouts += layout_faults(scripts / codec)
            text = codecs[codec]
            if text:
                check.fault(("device", i, "codec"), text)
        try:
            device = msgspec.convert(table, DeviceConfig)  # the fast way, for thousands of devices
        except (msgspec.ValidationError, OverflowError):
            check.struct(table, DeviceConfig, ("device", i))
            continue
        if device.encoder is not None:
            text = codec_fault(device.encoder, scripts) if device.encoder.endswith(".js") else _NO_ENCODER
            if text:
                check.fault(("device", i, "encoder"), text)
        if device.profile is not None:
            profile = profiles.get(device.profile)
            if isinstance(profile, str):
                check.fault(("device", i, "profile"), profile)
            elif profile is not None:
                device = _completed(device, profile)
        devices.append(device)
        alone = device.dev_addr if device.dev_eui is None else None  # what its counter is kept under
        unique = ("name", device.name), ("dev_eui", device.dev_eui), ("address", device.address), ("dev_addr", alone)
        for pair in (*unique, ("wmbus", device.wmbus)):
            key, value = pair
            if value and first.setdefault(pair, i) != i:
                file_, line = tree.locate(("device", first[pair], key))
                check.fault(("device", i, key), f"is {quote(value)}, as of another device ({file_}:{line})")
    return devices, [tree.fault(path, text) for path, text in check.faults.items()] + layouts + profiles.faults


def _completed(device: DeviceConfig, profile: Profile) -> DeviceConfig:
    """With what its profile says and itself does not."""
    return msgspec.structs.replace(
        device,
        codec=device.codec or profile.codec,
        fports=device.fports or profile.fports,
        interval_s=device.interval_s or profile.interval_s,
        encoder=device.encoder or profile.encoder,
        battery=device.battery or profile.battery,
    )
