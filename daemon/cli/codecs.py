"""`torhaus codecs list` and `torhaus codecs test`: which codecs there are, and whether they do what a file says."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.registry import CODECS, FAMILIES, names

EX_NOINPUT: Final = 66
MAX_LINE: Final = 1 << 20
QUIET_S: Final = 1.0
"""After so long progress is shown."""


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

    for name in names():
        family = name.partition(":")[0]
        doc = (import_module(CODECS.get(family) or FAMILIES[family]).__doc__ or "").strip().splitlines()
        print(f"{name:24} {doc[0] if doc else ''}")
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Print every failure, and `N passed, N failed` last; 1 when any failed."""
    try:
        lines = args.file.read_bytes().splitlines()
    except OSError as e:
        print(f"{args.file}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    passed, failed = asyncio.run(_test(args.file, lines, args.codec, args.base))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


async def _test(file: Path, lines: list[bytes], codec: str | None, base: Path) -> tuple[int, int]:
    from torhaus.daemon.vectors.base import Scripts, Tools
    from torhaus.daemon.vectors.forms import check_of

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    passed = failed = 0
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tools = Tools(base, codec, Scripts(base, group))
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            line: dict[str, Any] = {}
            try:
                line = decode(text[:MAX_LINE])
                fault = await check_of(line)(line, tools)
            except (msgspec.DecodeError, ValueError, OSError) as e:
                fault = f"unusable line: {e}"
            if fault is None:
                passed += 1
            else:
                failed += 1
                id_ = f" {line['id']}:" if isinstance(line.get("id"), str) else ""
                print(f"{file}:{number}:{id_} {fault}")
            if sys.stderr.isatty() and time.monotonic() - began > QUIET_S:
                print(f"\r{number}/{len(lines)}", end="\n" if number == len(lines) else "", file=sys.stderr, flush=True)
        tools.scripts.close()
    return passed, failed
