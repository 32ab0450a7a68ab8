"""`devices.toml`: the end devices that this site knows by name, and `devices.keys.toml`: their keys.

A LoRaWAN device has a DevEUI, a DevAddr or both; a meter or bus device has neither and is named by its driver.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import force_setattr

from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64, parse_dev_addr, parse_eui64
from torhaus.codecs.lorawan.keys import KeySet, Version, keys_1_0, keys_1_1
from torhaus.codecs.model import DecodeError
from torhaus.daemon.config.codec_names import LAYOUT, codec_fault
from torhaus.daemon.config.counters import Counters
from torhaus.daemon.config.document import Fault, Tree
from torhaus.daemon.config.expect import not_known, quote, show
from torhaus.daemon.config.keys_names import MUST_BE, WMBUS, keys_id_of, meter_name
from torhaus.daemon.config.lorawan import Adr
from torhaus.daemon.config.profiles import Battery, FPort, Interval, Line, Profile, Profiles
from torhaus.daemon.config.validate import Validator

SESSION_1_0: Final = ("nwk_s_key", "app_s_key")
SESSION_1_1: Final = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
ROOT_KEYS: Final = ("app_key", "nwk_key")
WMBUS_KEY: Final = "wmbus_key"
KEYS: Final = (*dict.fromkeys((*SESSION_1_0, *SESSION_1_1, *ROOT_KEYS, WMBUS_KEY)),)

MAX_NAME: Final = 64
_HEX_DIGITS: Final = 32
# what nearly all are spelled like: with thousands of devices the start is as long as it takes to read them
_EUI64: Final = re.compile("[0-9a-f]{16}")
_DEV_ADDR: Final = re.compile("[0-9a-f]{8}")
_KEY: Final = re.compile("[0-9a-fA-F]{32}")

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
            if self.dev_eui is not None and _EUI64.fullmatch(self.dev_eui) is None:
                force_setattr(self, key, format_eui64(parse_eui64(self.dev_eui)))
            key = "join_eui"
            if self.join_eui is not None and _EUI64.fullmatch(self.join_eui) is None:
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


class DeviceKeys(msgspec.Struct, frozen=True):
    """One device's keys. `session` as personalised; `app_key` and `nwk_key` are the roots of joins. Prints no key.

    `wmbus_key`: of a wireless meter.
    """

    session: KeySet | None = None
    app_key: bytes | None = None
    nwk_key: bytes | None = None
    wmbus_key: bytes | None = None

    def __repr__(self) -> str:
        return "DeviceKeys(…)"


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


def read_keys(tree: Tree, devices: Iterable[DeviceConfig]) -> tuple[dict[str, DeviceKeys], list[Fault], list[str]]:
    """Keys by device name, what is wrong, and what is merely odd. No text holds a key."""
    faults: list[Fault] = []

    def fault(path: tuple[str, ...], text: str) -> None:
        faults.append(tree.fault(path, text))

    tables = _tables(tree, fault)
    found: dict[str, DeviceKeys] = {}
    for device in devices:
        if device.keys_id not in tables:
            continue
        table_name, raw = tables.pop(device.keys_id)
        if raw is None:
            continue
        try:
            found[device.name] = _device_keys(device, raw)
        except ValueError as e:
            fault((table_name,), str(e))
    notes = [f"{tree.name((name,))}: keys of no device in the list" for name, _ in tables.values()]
    return found, faults, notes


def _tables(
    tree: Tree, fault: Callable[[tuple[str, ...], str], None]
) -> dict[str, tuple[str, dict[str, bytes] | None]]:
    """Normalised id to the table's name and its keys, None where one of them has a fault."""
    tables: dict[str, tuple[str, dict[str, bytes] | None]] = {}
    for name, table in tree.data.items():
        id_ = name if _EUI64.fullmatch(name) else keys_id_of(name)
        if id_ is None:
            fault((name,), MUST_BE)
            continue
        if not isinstance(table, dict):
            fault((name,), f"must be a table with some of {', '.join(KEYS)}")
            continue
        raw: dict[str, bytes] = {}
        for key, value in table.items():
            if key not in KEYS:
                fault((name, key), not_known(key, KEYS))
            elif (parsed := parse_key(value)) is None:
                fault((name, key), f"must be text of {_HEX_DIGITS} hex digits{_wrong_length(value)}")
            else:
                raw[key] = parsed
        if id_ in tables:
            fault((name,), "has its keys in another table too")
        tables[id_] = (name, raw if len(raw) == len(table) else None)
    return tables


def parse_key(value: object) -> bytes | None:
    """The 16 bytes of 32 hex digits; None when it is anything else. Blanks, ':' and '-' may stand between."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    if _KEY.fullmatch(value):
        return bytes.fromhex(value)
    digits = value.strip().translate({ord(c): None for c in " :-"})
    if len(digits) != _HEX_DIGITS or not set(digits) <= set("0123456789abcdefABCDEF"):
        return None
    return bytes.fromhex(digits)


def _wrong_length(value: object) -> str:
    return f", has {len(value)} characters" if isinstance(value, str) else f", is {show(value)}"


def _device_keys(device: DeviceConfig, raw: dict[str, bytes]) -> DeviceKeys:
    wanted = SESSION_1_1 if device.version is Version.V1_1 else SESSION_1_0
    have = [k for k in (*SESSION_1_0, *SESSION_1_1) if k in raw]
    session = None
    if have:
        missing = [k for k in wanted if k not in raw]
        extra = [k for k in have if k not in wanted]
        if missing or extra:
            odd = f", not {', '.join(dict.fromkeys(extra))}" if extra else ""
            raise ValueError(f"a device with LoRaWAN {device.lorawan} needs {', '.join(wanted)}{odd}")
        make = keys_1_1 if device.version is Version.V1_1 else keys_1_0
        session = make(*(raw[k] for k in wanted))
    return DeviceKeys(session, raw.get("app_key"), raw.get("nwk_key"), raw.get(WMBUS_KEY))


def cross_faults(tree: Tree, devices: list[DeviceConfig], keys: dict[str, DeviceKeys], keys_shown: str) -> list[Fault]:
    """What is wrong between devices and keys: addresses without keys, keys without address, twins."""
    faults = []
    twins: dict[tuple[str, KeySet], int] = {}
    places = {d["name"]: i for i, d in enumerate(tree.data.get("device", ())) if isinstance(d, dict) and "name" in d}
    for device in devices:
        i = places[device.name]
        session = keys[device.name].session if device.name in keys else None
        if device.keys == "chirpstack" and device.name in keys:
            faults.append(tree.fault(("device", i, "keys"), f'is "chirpstack", but {keys_shown} has keys of it'))
        elif device.dev_addr is None:
            if session is not None:
                faults.append(tree.fault(("device", i, "dev_addr"), f"is missing: {keys_shown} has session keys"))
        elif session is None:
            text = f"has no session keys: add [{device.keys_id}] to {keys_shown}"
            faults.append(tree.fault(("device", i, "dev_addr"), text))
        else:
            first = twins.setdefault((device.dev_addr, session), i)
            if first != i:
                file, line = tree.locate(("device", first, "dev_addr"))
                text = f"is {quote(device.dev_addr)} with the same keys as another device ({file}:{line})"
                faults.append(tree.fault(("device", i, "dev_addr"), text))
    return faults
