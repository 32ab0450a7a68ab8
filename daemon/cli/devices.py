"""`torhaus devices`: the devices that this site knows by name. Keys are read from files, never shown."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torhaus.daemon.cli import device_radio, devices_keys, joins
from torhaus.daemon.main import add_config

if TYPE_CHECKING:  # imported by the commands: `torhaus --help` needs none of it
    from torhaus.daemon.config.devices import DeviceConfig
    from torhaus.daemon.config.devices_edit import New
    from torhaus.daemon.config.load import DeviceFiles, DeviceSet

_COLUMNS: Final = {
    "name": "NAME",
    "dev_eui": "DEVEUI",
    "dev_addr": "DEVADDR",
    "wmbus": "WMBUS",
    "codec": "CODEC",
    "place": "PLACE",
}
_MAX_KEYS_BYTES: Final = 64 << 10
_MAX_CSV_BYTES: Final = 16 << 20
_OPTIONS: Final = (
    "name",
    "dev_eui",
    "dev_addr",
    "join_eui",
    "codec",
    "place",
    "lorawan",
    "address",
    "wmbus",
    "class",
    "adr",
)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its own commands."""
    parser = subparsers.add_parser(
        "devices", help="list, add, check and import devices; see their joins", description=__doc__
    )
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="devices_command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    add_config(common)
    listing = commands.add_parser("list", parents=[common], help="show all devices")
    listing.add_argument("--json", action="store_true", help="as JSON")
    one = commands.add_parser("add", parents=[common], help="add one device to the list")
    for option in _OPTIONS:
        one.add_argument(f"--{option.replace('_', '-')}", required=option == "name")
    one.add_argument("--tag", action="append", default=[], dest="tags", help="may be given more than once")
    one.add_argument("--key", metavar="KEY", help="a wireless meter's key (--wmbus), seen by all on this machine")
    one.add_argument("--keys-from", metavar="FILE", help="lines such as nwk_s_key = 00112233…; - reads standard input")
    one.add_argument("--qr", metavar="TEXT", help="the QR code on the device (LW:D0:…): JoinEUI and DevEUI")
    commands.add_parser("check", parents=[common], help="check devices and keys: 0 or 78")
    whole = commands.add_parser("import", parents=[common], help="add all devices of a CSV file, or none")
    whole.add_argument("file", metavar="FILE.csv", help='"-": what is typed or pasted, up to Ctrl-D')
    devices_keys.add(commands, common)
    joins.add(commands, common)
    device_radio.add(commands, common)


def run(args: argparse.Namespace) -> int:
    """0; 78 with every fault on standard output; 73 when a list cannot be written, 74 when a file cannot be read."""
    from torhaus.daemon.config.document import ConfigFaults

    if args.devices_command in {"joins", "allow-join", "rejoin"}:
        return joins.run(args)
    if args.devices_command == "radio":
        return device_radio.run(args)
    try:
        return _run(args, args.config)
    except ConfigFaults as e:
        for fault in e.faults:
            print(fault)
        return os.EX_CONFIG


def _run(args: argparse.Namespace, path: Path) -> int:
    from torhaus.daemon.config.load import ConfigFaults, device_files, read_files

    _, tree, faults = read_files(path)
    if faults:
        raise ConfigFaults(faults)
    files = device_files(path, tree)
    match args.devices_command:
        case "list":
            return _list(files, path.parent, as_json=args.json)
        case "add":
            return _add(args, files, path.parent)
        case "export" | "seal" | "unseal":
            return devices_keys.run(args, files, path.parent)
        case "import":
            return _import(args.file, files, path.parent)
        case _:
            return _check(files, path.parent)


def _read_lists(files: "DeviceFiles", base: Path) -> "DeviceSet":
    from torhaus.daemon.config.load import ConfigFaults, read_device_set

    found = read_device_set(files, base, check_only=True)
    if found.faults:
        raise ConfigFaults(sorted(found.faults))
    return found


def _list(files: "DeviceFiles", base: Path, *, as_json: bool) -> int:
    import msgspec

    found = _read_lists(files, base)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found.devices)).decode())
    else:
        _print_table(found.devices)
    return os.EX_OK


def _print_table(devices: "list[DeviceConfig]") -> None:
    columns = {k: text for k, text in _COLUMNS.items() if k != "wmbus" or any(d.wmbus for d in devices)}
    rows = [list(columns.values()), *([getattr(d, c) or "-" for c in columns] for d in devices)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _check(files: "DeviceFiles", base: Path) -> int:
    found = _read_lists(files, base)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    count = len(found.devices)
    print(f"OK: {count} device{'' if count == 1 else 's'}, {len(found.keys)} with keys")
    return os.EX_OK


def _add(args: argparse.Namespace, files: "DeviceFiles", base: Path) -> int:
    from torhaus.daemon.config.devices_csv import read_keys_text
    from torhaus.daemon.config.devices_edit import New
    from torhaus.daemon.config.document import ConfigFaults, Fault

    table: dict[str, Any] = {key: getattr(args, key) for key in _OPTIONS if getattr(args, key) is not None}
    if args.qr is not None:
        table |= _read_qr(args.qr, table)
    if args.tags:
        table["tags"] = args.tags
    keys: dict[str, str] = {}
    if args.wmbus is not None:
        table.setdefault("codec", "wmbus")
    if args.key is not None:
        if args.wmbus is None:
            raise ConfigFaults([Fault("arguments", 1, "key", "is a wireless meter's: others' keys go by --keys-from")])
        keys["wmbus_key"] = args.key
        print("note: everybody on this machine can see a key on a command line; --keys-from hides it", file=sys.stderr)
    if args.keys_from is not None:
        raw = _read(args.keys_from, _MAX_KEYS_BYTES)
        if raw is None:
            return os.EX_IOERR
        keys |= read_keys_text(raw.decode("utf-8-sig", "replace"), args.keys_from)
        if not {"dev_eui", "dev_addr", "wmbus"} & table.keys():
            raise ConfigFaults([Fault("arguments", 1, "dev_eui", "is missing: there are keys")])
    return _write(files, base, [New(table, keys)], "arguments")


def _read_qr(text: str, table: dict[str, Any]) -> dict[str, Any]:
    """What the label says; what was said on the command line, too, must be the same. Raises ConfigFaults."""
    from torhaus.codecs.lorawan.eui import format_eui64
    from torhaus.codecs.lorawan.qr import parse_qr
    from torhaus.codecs.model import DecodeError
    from torhaus.daemon.config.document import ConfigFaults, Fault

    try:
        label = parse_qr(text)
    except DecodeError as e:
        raise ConfigFaults([Fault("arguments", 1, "qr", f"cannot be read: {e.detail}")]) from None
    found = {"dev_eui": format_eui64(label.dev_eui), "join_eui": format_eui64(label.join_eui)}
    faults = [
        Fault("arguments", 1, key, f"is another one than on the QR code, which has {value}")
        for key, value in found.items()
        if key in table and "".join(c for c in table[key].lower().removeprefix("0x") if c.isalnum()) != value
    ]
    if faults:
        raise ConfigFaults(faults)
    return found


def _import(file: str, files: "DeviceFiles", base: Path) -> int:
    from torhaus.daemon.config.devices_csv import read_csv

    raw = _read(file, _MAX_CSV_BYTES)
    if raw is None:
        return os.EX_IOERR
    return _write(files, base, read_csv(raw, file), file)


def _read(file: str, limit: int) -> bytes | None:
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(limit + 1)
    except OSError as e:
        print(f"torhaus devices: {file} cannot be read: {e.strerror}", file=sys.stderr)
        return None
    if len(raw) > limit:
        print(f"torhaus devices: {file} is longer than {limit} bytes", file=sys.stderr)
        return None
    return raw


def _write(files: "DeviceFiles", base: Path, new: "list[New]", source: str) -> int:
    from torhaus.daemon.config.devices_edit import add_devices
    from torhaus.daemon.config.document import is_there

    made = any(device.keys for device in new) and not is_there(files.keys)
    try:
        added = add_devices(files, base, new, source)
    except OSError as e:
        print(f"torhaus devices: {e.filename or files.devices} cannot be written: {e.strerror}", file=sys.stderr)
        return os.EX_CANTCREAT
    count = len(added)
    print(f"added {count} device{'' if count == 1 else 's'} to {files.devices}")
    if made and os.geteuid() == 0:
        print(f"note: {files.keys} is new and yours: chown it to the service's user", file=sys.stderr)
    return os.EX_OK
