"""`torhaus devices export`, `seal` and `unseal`: the lists for elsewhere, and keys that are encrypted on the disk."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported by the commands: `torhaus --help` needs none of it
    from torhaus.daemon.config.load import DeviceFiles


def add(commands: "argparse._SubParsersAction[Any]", common: argparse.ArgumentParser) -> None:
    """The three commands' places in the command line."""
    export = commands.add_parser("export", parents=[common], help="all devices as CSV, as `import` takes it")
    export.add_argument("--with-keys", action="store_true", help="their keys, too, in clear: asks first")
    export.add_argument("--output", type=Path, metavar="FILE", help="a new file that only its owner can read")
    commands.add_parser("seal", parents=[common], help="encrypt the keys file (keys_passphrase_file in [devices])")
    unseal = commands.add_parser("unseal", parents=[common], help="have the keys file in clear again: asks first")
    for command in (export, unseal):
        command.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace, files: "DeviceFiles", base: Path) -> int:
    """0; 1 for no; 64 when it cannot ask or something is missing, 73 for what cannot be written. ConfigFaults."""
    if args.devices_command == "export":
        return _export(args, files, base)
    return _seal(files, base) if args.devices_command == "seal" else _unseal(args, files, base)


def _export(args: argparse.Namespace, files: "DeviceFiles", base: Path) -> int:
    from torhaus.daemon.config.devices_csv import has_no_cell, write_csv
    from torhaus.daemon.config.load import ConfigFaults, read_device_set

    found = read_device_set(files, base, check_only=not args.with_keys)
    if found.faults:
        raise ConfigFaults(sorted(found.faults))
    if args.with_keys:
        where = args.output or "standard output"
        no = _ask(args, f"The keys of {len(found.keys)} devices go to {where} in clear. Whoever has them can read all "
                  "that the devices send, and send in their name.")  # fmt: skip
        if no is not None:
            return no
    text = write_csv(found.devices, found.keys if args.with_keys else None)
    for setting in has_no_cell(found.devices):
        print(f"note: {setting} is left out: a CSV cannot hold it", file=sys.stderr)
    if args.output is None:
        sys.stdout.write(text)
        return os.EX_OK
    try:
        descriptor = os.open(args.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as e:
        return _unwritten(args.output, e)
    print(f"{len(found.devices)} devices in {args.output}")
    return os.EX_OK


def _seal(files: "DeviceFiles", base: Path) -> int:
    from torhaus.daemon.config.devices_edit import write_keys
    from torhaus.daemon.config.keys_file import keys_text
    from torhaus.daemon.config.load import shown

    if files.passphrase is None:
        print(
            "torhaus devices: say in [devices] where the passphrase is, such as keys_passphrase_file = "
            '"credential:keys-passphrase", or a file with mode 0600 that is not beside the keys',
            file=sys.stderr,
        )
        return os.EX_USAGE
    text = keys_text(files.keys, shown(files.keys, base), files.passphrase)
    try:
        write_keys(files, base, text)
    except OSError as e:
        return _unwritten(files.keys, e)
    print(f"{files.keys} is sealed; without the passphrase nobody can open it, so keep a copy of that elsewhere")
    return os.EX_OK


def _unseal(args: argparse.Namespace, files: "DeviceFiles", base: Path) -> int:
    import msgspec

    from torhaus.daemon.config.devices_edit import write_keys
    from torhaus.daemon.config.keys_file import keys_text
    from torhaus.daemon.config.load import shown

    text = keys_text(files.keys, shown(files.keys, base), files.passphrase)
    no = _ask(args, f"{files.keys} will hold all keys in clear.")
    if no is not None:
        return no
    try:
        write_keys(msgspec.structs.replace(files, passphrase=None), base, text)
    except OSError as e:
        return _unwritten(files.keys, e)
    print(f"{files.keys} is in clear; keys_passphrase_file can be taken out of [devices]")
    return os.EX_OK


def _ask(args: argparse.Namespace, text: str) -> int | None:
    """None for yes; else the exit code."""
    if args.yes:
        return None
    if not sys.stdin.isatty():
        print("torhaus devices: there is no terminal to ask on: say --yes", file=sys.stderr)
        return os.EX_USAGE
    print(f"{text} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return None if sys.stdin.readline().strip().lower() in {"y", "yes"} else 1


def _unwritten(path: Path, error: OSError) -> int:
    print(f"torhaus devices: {path} cannot be written: {error.strerror}", file=sys.stderr)
    return os.EX_CANTCREAT
