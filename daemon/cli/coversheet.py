"""`torhaus coversheet`: cover sheets to print, one, a series, or a list of them."""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from torhaus.daemon.main import add_config

EX_USAGE: Final = 64
EX_NOINPUT: Final = 66
EX_UNAVAILABLE: Final = 69
EX_CANTCREAT: Final = 73
COLUMNS: Final = ("department", "class", "pages", "batch", "count")
MAX_LINES: Final = 1000


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("coversheet", help="cover sheets to print, as a PDF")
    command.add_argument("--department", metavar="NAME", help="where the pages behind it go")
    command.add_argument("--class", dest="class_", metavar="NAME", help="what they are")
    command.add_argument("--pages", type=int, metavar="N", help="how many lie behind it; left out: not counted")
    command.add_argument("--batch", metavar="NAME", help="what they belong to")
    command.add_argument("--count", type=int, default=1, metavar="N", help="so many sheets that say the same")
    command.add_argument("--csv", type=Path, metavar="FILE", help=f"a line for each, columns: {', '.join(COLUMNS)}")
    command.add_argument("--duplex", action="store_true", help="print both sides alike")
    command.add_argument("-o", "--output", type=Path, metavar="FILE.pdf", help="default: standard output")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Order the sheets' numbers from the daemon, draw them, write the file."""
    try:
        orders = _orders(args)
    except OSError as e:
        print(f"{args.csv}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    if isinstance(orders, str):
        print(orders, file=sys.stderr)
        return EX_USAGE
    if args.output is None and sys.stdout.isatty():
        print("name a file with --output, or send the PDF on to another program", file=sys.stderr)
        return EX_USAGE
    try:
        from torhaus.daemon.scans.sheets.paper import draw
    except ImportError:
        print("needs the extra 'scans'", file=sys.stderr)
        return EX_UNAVAILABLE
    from torhaus.codecs.cover_sheet import CoverSheet, read
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.config.load import load

    sheets: list[tuple[CoverSheet, str]] = []
    for order in orders:
        texts = ask(args.config, f"/scans/sheets?{urlencode(order)}", list[str], "POST")
        if isinstance(texts, int):
            return texts
        sheets += [(read(text), text) for text in texts]
    pdf = draw(sheets, load(args.config, check_only=True).site.name or "", duplex=args.duplex)
    try:
        if args.output is None:
            sys.stdout.buffer.write(pdf)
        else:
            args.output.write_bytes(pdf)
            print(f"{args.output}: {len(sheets)} {'cover sheet' if len(sheets) == 1 else 'cover sheets'}")
    except OSError as e:
        print(f"{args.output}: {e.strerror or e}", file=sys.stderr)
        return EX_CANTCREAT
    return 0


def _orders(args: argparse.Namespace) -> list[dict[str, str]] | str:
    """What to ask for, or what is wrong with the command line. Raises OSError."""
    one = dict(zip(COLUMNS, (args.department, args.class_, args.pages, args.batch, args.count), strict=True))
    if args.csv is None:
        if args.department is None:
            return "--department or --csv is needed"
        return [{name: str(value) for name, value in one.items() if value is not None}]
    if any(one[name] is not None for name in COLUMNS[:-1]) or args.count != 1:
        return "--csv says all that a sheet says: no --department, --class, --pages, --batch or --count beside it"
    try:
        with args.csv.open(encoding="utf-8-sig", newline="") as file:
            return _lines(str(args.csv), file.read(1 << 20))
    except UnicodeError:
        return f"{args.csv}: is no UTF-8 text"


def _lines(name: str, text: str) -> list[dict[str, str]] | str:
    """Each line's order. Columns may be divided by commas or, as German spreadsheets do, by semicolons."""
    first = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in first else ",")
    unknown = [f for f in rows.fieldnames or () if f not in COLUMNS]
    if unknown or "department" not in (rows.fieldnames or ()):
        return f"{name}:1: the first line names columns: department, and any of {', '.join(COLUMNS[1:])}"
    found = []
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            return f"{name}:{number}: has another number of columns than the first line"
        found.append({column: value.strip() for column, value in row.items() if value.strip()})
    return found if 0 < len(found) <= MAX_LINES else f"{name}: has {len(found)} lines: 1 to {MAX_LINES} are possible"
