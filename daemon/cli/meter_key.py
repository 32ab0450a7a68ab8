"""A meter's key on the command line: read from a file, or given itself, where others may see it."""

import argparse
from pathlib import Path

_READ = 200


def add_key_file(command: argparse.ArgumentParser) -> None:
    """`--key-file`."""
    command.add_argument("--key-file", type=Path, metavar="FILE", help="the meter's key: 32 hex digits")


def read_key_file(path: Path) -> bytes:
    """The key. OSError; ValueError, with what is wrong, when there is none in it. No text holds a key."""
    from torhaus.daemon.config.device_keys import parse_key

    with path.open(encoding="utf-8", errors="replace") as file:
        key = parse_key(file.read(_READ))
    if key is None:
        raise ValueError(f"{path}: must have 32 hex digits")
    return key


def key_of(args: argparse.Namespace) -> bytes | None:
    """The key of `--key` or `--key-file`, None where neither is given. Raises as read_key_file."""
    from torhaus.daemon.config.device_keys import parse_key

    if args.key_file is not None:
        return read_key_file(args.key_file)
    if args.key is None:
        return None
    key = parse_key(args.key)
    if key is None:
        raise ValueError("--key: must have 32 hex digits")
    return key
