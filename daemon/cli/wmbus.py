"""`torhaus wmbus`: which wireless meters are heard, and what one telegram says."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torhaus.daemon.cli.decode import EX_DATAERR
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.meter_key import add_key_file, read_key_file
from torhaus.daemon.cli.reach import EX_NOINPUT, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.cli.show import UNKNOWN, table
from torhaus.daemon.main import add_config

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.wmbus.book import Entry

HEAD: Final = ("DEVICE", "METER", "MEDIUM", "SECURITY", "RSSI", "TELEGRAMS", "LAST (UTC)", "")
HINT: Final = (
    "A meter of yours: torhaus devices add --name NAME --wmbus METER --keys-from FILE, then start the service anew."
)


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("wmbus", help="wireless M-Bus: who is heard, and what a telegram says")
    below = command.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(command))
    text = "the meters heard since the daemon was started, own ones first"
    listing = below.add_parser("list", help=text, description=f"{text[0].upper()}{text[1:]}.")
    listing.add_argument("--unknown", action="store_true", help="only those that are not in the list of devices")
    listing.add_argument("--json", action="store_true", help="as JSON")
    add_config(listing)
    listing.set_defaults(run=run_list)
    text = "one telegram in words: whose it is, and its values"
    one = below.add_parser("decode", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add_key_file(one)
    one.add_argument(
        "line", metavar="LINE", help="hexadecimal, or a line of rtl_wmbus, rtl_433 or wmbusmeters; - reads it"
    )
    one.set_defaults(run=run_decode)


def run_list(args: argparse.Namespace) -> int:
    """0; 69 when the daemon is not running, or has no receiver."""
    import msgspec

    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.wmbus.book import Entry

    try:
        loaded = configured(args.config)
        entries = ask_as(Path(loaded.control.socket), "/wmbus/meters", list[Entry])
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running: meters are heard while it runs", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print("no receiver for wireless M-Bus is configured" if e.status == 404 else e, file=sys.stderr)
        return EX_UNAVAILABLE
    if args.unknown:
        entries = [entry for entry in entries if entry.device is None]
    print(msgspec.json.encode(entries).decode() if args.json else render(entries))
    return 0


def render(entries: "list[Entry]") -> str:
    """The table."""
    if not entries:
        return "no meter has been heard since the daemon was started"
    text = table(HEAD, [_row(entry) for entry in entries])
    return f"{text}\n{HINT}" if any(entry.device is None for entry in entries) else text


def _row(e: "Entry") -> tuple[object, ...]:
    last = datetime.fromtimestamp(e.last_ns / 1e9, UTC)
    rssi = UNKNOWN if e.rssi_dbm is None else f"{e.rssi_dbm:.0f} dBm"
    return (
        e.device or UNKNOWN,
        e.address,
        e.medium,
        e.security,
        rssi,
        e.telegrams,
        f"{last:%Y-%m-%d %H:%M:%S}",
        e.trouble or "",
    )


def run_decode(args: argparse.Namespace) -> int:
    """Print the fields as JSON. 65 for a telegram that is refused, and whose it is on standard error."""
    import msgspec

    from torhaus.codecs.framing.wmbus_lines import MAX_LINE, parse_line
    from torhaus.codecs.meter.wmbus.telegram import decode, identity_of
    from torhaus.codecs.model import DecodeError

    line = sys.stdin.read(MAX_LINE) if args.line == "-" else args.line
    key = None
    if args.key_file is not None:
        try:
            key = read_key_file(args.key_file)
        except OSError as e:
            print(f"{args.key_file}: {e.strerror}", file=sys.stderr)
            return EX_NOINPUT
        except ValueError as e:
            print(e, file=sys.stderr)
            return EX_USAGE
    try:
        heard = parse_line(line.encode("utf-8", "replace"))
        if heard is None:
            print("no telegram in this line", file=sys.stderr)
            return EX_DATAERR
        identity = identity_of(heard.telegram)
        print(f"{identity.meter} ({identity.meter.medium}), security: {identity.security}", file=sys.stderr)
        fields = decode(heard.telegram, key=key)
    except DecodeError as e:
        print(f"refused: {e}", file=sys.stderr)
        return EX_DATAERR
    print(msgspec.json.format(msgspec.json.encode(fields), indent=2).decode())
    return 0
