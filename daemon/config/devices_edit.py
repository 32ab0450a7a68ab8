"""Adding to `devices.toml` and `devices.keys.toml`: what is there stays as it is, and nothing is half written."""

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.document import ConfigFaults, Document, Fault, parse, read_text
from torhaus.daemon.config.keys_file import keys_text
from torhaus.daemon.config.keys_names import WMBUS, keys_id_of
from torhaus.daemon.config.lines import KeyPath
from torhaus.daemon.config.load import DeviceFiles, read_device_set, shown
from torhaus.daemon.config.sealed import SealError, seal
from torhaus.drivers.secret import SecretError, is_credential, read_secret

DEVICES_MODE: Final = 0o640
KEYS_MODE: Final = 0o600


class New(msgspec.Struct, frozen=True):
    """A device to be added: its keys in `devices.toml`, its keys in `devices.keys.toml`, and the line it comes from."""

    table: dict[str, Any]
    keys: dict[str, str] = {}
    line: int = 1

    def __repr__(self) -> str:
        return f"New({self.table.get('name')!r}, …)"


class _Given(Document):
    """What is to be added, with the lines that it comes from instead of a text."""

    def __init__(self, source: str, data: dict[str, Any], lines: dict[KeyPath, int]) -> None:
        super().__init__(source, "", data, secret=True)
        self.__dict__["lines"] = lines


def add_devices(files: DeviceFiles, base: Path, new: list[New], source: str) -> list[DeviceConfig]:
    """Add all of them or none; `source` names where they come from in messages.

    Raises ConfigFaults for what is wrong with them or with what is there already, OSError when it cannot be written.
    """
    with _only_one(files.devices.parent):
        return _add(files, base, new, source)


def _add(files: DeviceFiles, base: Path, new: list[New], source: str) -> list[DeviceConfig]:
    devices, keys = _documents(new, source)
    found = read_device_set(files, base, check_only=True, more=(devices, keys))
    if keys.data and is_credential(files.keys):
        found.faults.append(Fault(source, 1, "keys", "cannot be added to a credential: add them where it is made"))
    if found.faults:
        raise ConfigFaults(sorted(found.faults))
    added = found.devices[-len(new) :] if new else []
    whole = _extended(files.devices, base, "".join(map(_device_block, added)))
    after = parse(whole, shown(files.devices, base)).data["device"] if added else []
    if len(after) != len(found.devices) and added:
        raise ConfigFaults(
            [Fault(shown(files.devices, base), 1, "device", "cannot be added to: write [[device]] tables")]
        )
    if keys.data:  # first: keys without a device are harmless, a device without its keys is a fault
        blocks = "".join(_keys_block(id_, table) for id_, table in keys.data.items())
        old = keys_text(files.keys, shown(files.keys, base), files.passphrase) if files.keys.exists() else ""
        text = _joined(old, blocks)
        parse(text, shown(files.keys, base), secret=True)
        write_keys(files, base, text)
    if added:
        replace_file(files.devices, whole, DEVICES_MODE)
    return added


def _documents(new: list[New], source: str) -> tuple[Document, Document]:
    devices: list[dict[str, Any]] = []
    keys: dict[str, dict[str, str]] = {}
    lines: dict[KeyPath, int] = {}
    key_lines: dict[KeyPath, int] = {}
    for i, device in enumerate(new):
        devices.append(device.table)
        lines[("device", i)] = device.line
        lines.update({("device", i, key): device.line for key in device.table})
        id_ = device.table.get("dev_eui") or device.table.get("dev_addr")
        if id_:
            id_ = "".join(c for c in str(id_).strip().lower().removeprefix("0x") if c.isalnum())
        elif "wmbus" in device.table:
            id_ = keys_id_of(f"{WMBUS}{device.table['wmbus']}")  # None: a fault of the device itself
        if device.keys and id_:
            keys.setdefault(id_, device.keys)
            key_lines[(id_,)] = device.line
            key_lines.update({(id_, key): device.line for key in device.keys})
    return _Given(source, {"device": devices} if devices else {}, lines), _Given(source, dict(keys), key_lines)


def _device_block(device: DeviceConfig) -> str:
    """`[[device]]` with what differs from the defaults."""
    lines = ["", "[[device]]"]
    for field in msgspec.structs.fields(DeviceConfig):
        value = getattr(device, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if field.required or value != default:
            lines.append(f"{field.encode_name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _keys_block(id_: str, keys: dict[str, str]) -> str:
    plain = {k: "".join(c for c in v if c.isalnum()).lower() for k, v in keys.items()}
    name = id_ if id_.isalnum() else _toml(id_)
    return "\n".join(["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in plain.items())]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, msgspec.Struct):
        value = {key: each for key, each in msgspec.structs.asdict(value).items() if each is not None}
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value), ensure_ascii=False)  # a basic string of TOML, as long as there is no DEL in it


def _extended(path: Path, base: Path, blocks: str) -> str:
    return _joined(read_text(path, shown(path, base)) if path.exists() else "", blocks)


def write_keys(files: DeviceFiles, base: Path, text: str) -> None:
    """Replace the keys file; sealed where there is a passphrase. Raises ConfigFaults, OSError."""
    if files.passphrase is not None:
        try:
            text = seal(text, read_secret(str(files.passphrase)))
        except (SecretError, SealError) as e:
            raise ConfigFaults([Fault(shown(files.keys, base), 1, "file", f"cannot be sealed: {e}")]) from None
    replace_file(files.keys, text, KEYS_MODE)


def _joined(text: str, blocks: str) -> str:
    if not text:
        return blocks.lstrip("\n")
    return text + ("" if text.endswith("\n") else "\n") + blocks


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write beside it, fsync, rename, fsync the folder. Mode and owner stay; `mode` is for a new file. OSError."""
    path = path.resolve()
    old = path.stat() if path.exists() else None
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            if old is not None and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), mode if old is None else stat.S_IMODE(old.st_mode))
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two of these at once would lose one's devices. OSError when there is no such folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
