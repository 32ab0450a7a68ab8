"""`devices.keys.toml`: the keys of the devices that this site knows by name."""

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from torhaus.codecs.lorawan.keys import KeySet, Version, keys_1_0, keys_1_1
from torhaus.daemon.config.devices import EUI64, DeviceConfig
from torhaus.daemon.config.document import Fault, Tree
from torhaus.daemon.config.expect import not_known, quote, show
from torhaus.daemon.config.keys_names import MUST_BE, keys_id_of

SESSION_1_0: Final = ("nwk_s_key", "app_s_key")
SESSION_1_1: Final = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")
ROOT_KEYS: Final = ("app_key", "nwk_key")
WMBUS_KEY: Final = "wmbus_key"
KEYS: Final = (*dict.fromkeys((*SESSION_1_0, *SESSION_1_1, *ROOT_KEYS, WMBUS_KEY)),)

_HEX_DIGITS: Final = 32
_KEY: Final = re.compile("[0-9a-fA-F]{32}")


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
        id_ = name if EUI64.fullmatch(name) else keys_id_of(name)
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
