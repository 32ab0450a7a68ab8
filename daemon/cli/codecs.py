"""`torhaus codecs list` and `torhaus codecs test`: which codecs there are, and whether they do what a file says."""

import argparse
import math
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields
from torhaus.codecs.registry import CODECS, load

EX_NOINPUT: Final = 66
EX_DATAERR: Final = 65
TOLERANCE: Final = 1e-9
MAX_LINE: Final = 1 << 20


class Vector(msgspec.Struct, kw_only=True):
    """One line of a test file: `codec` (or the option's), `hex`, `fport`, and `expect` (name to value) or `reject`."""

    hex: str
    codec: str | None = None
    fport: int | None = None
    expect: dict[str, Any] | None = None
    reject: str | None = None


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("codecs", help="list the codecs, or test them against a file")
    actions = command.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the codecs there are")
    listing.set_defaults(run=run_list)
    test = actions.add_parser("test", help="compare with the expected values of a file")
    test.add_argument("file", type=Path, metavar="FILE.jsonl")
    test.add_argument("--codec", help="for lines that name none")
    test.add_argument("--base", type=Path, default=Path(), metavar="DIR", help="where scripts (FILE.js) are looked for")
    test.set_defaults(run=run_test)


def run_list(args: argparse.Namespace) -> int:
    """One codec a line, with the first line of what it says of itself."""
    del args
    from importlib import import_module

    for name in sorted(CODECS):
        doc = (import_module(CODECS[name]).__doc__ or "").strip().splitlines()
        print(f"{name:16} {doc[0] if doc else ''}")
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Print every failure, and `N passed, N failed` last; 1 when any failed."""
    decoder = msgspec.json.Decoder(Vector)
    passed = failed = 0
    try:
        lines = args.file.read_bytes().splitlines()
    except OSError as e:
        print(f"{args.file}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fault = _check(decoder.decode(line[:MAX_LINE]), args.codec, args.base)
        except (msgspec.DecodeError, ValueError, KeyError, OSError) as e:
            fault = f"unusable line: {e}"
        if fault is None:
            passed += 1
        else:
            failed += 1
            print(f"{args.file}:{number}: {fault}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _check(v: Vector, default: str | None, base: Path) -> str | None:
    codec = v.codec or default
    if codec is None:
        return "no codec: neither in the line nor by --codec"
    payload = bytes.fromhex(v.hex)
    try:
        if codec.endswith(".js"):
            from torhaus.daemon.scripts.once import decode_once

            fields = decode_once(base / codec, payload, v.fport)
        else:
            fields = load(codec)(payload, v.fport)
    except DecodeError as e:
        return None if v.reject == e.reason.value else f"refused: {e}"
    if v.reject is not None:
        return f"decoded, but must be refused as {v.reject}"
    return _differences(fields, v.expect or {})


def _differences(fields: Fields, expect: dict[str, Any]) -> str | None:
    found = []
    for name in sorted(fields.keys() | expect.keys()):
        want = expect.get(name, "nothing")
        have = fields[name].value if name in fields else "nothing"
        unit = None
        if isinstance(want, dict):
            unit, want = want.get("unit"), want.get("value")
        same = _same(have, want) and (unit is None or name not in fields or fields[name].unit == unit)
        if not same:
            found.append(f"{name} is {have!r}, must be {want!r}")
    return "; ".join(found) or None


def _same(a: object, b: object) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return a == b
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
