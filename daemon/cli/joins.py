"""`torhaus devices joins`, `allow-join` and `rejoin`: who has tried to join lately, and what became of it."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.cli.show import UNKNOWN, table

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.lora.join_book import Attempt

HEAD = ("TIME (UTC)", "DEVICE", "DEVEUI", "JOINEUI", "DEVNONCE", "GATEWAY", "")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """The command's place beside the other ones of `devices`."""
    text = "who has tried to join lately, and what became of it"
    command = commands.add_parser("joins", parents=[common], help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--json", action="store_true", help="as JSON")
    text = "let a device that was reset join with DevNonces that it used before (mode standalone)"
    allow = commands.add_parser("allow-join", parents=[common], help=text, description=f"{text[0].upper()}{text[1:]}.")
    allow.add_argument("name", metavar="NAME")
    text = "have a LoRaWAN 1.1 device rejoin after its next uplink: new keys (mode standalone)"
    again = commands.add_parser("rejoin", parents=[common], help=text, description=f"{text[0].upper()}{text[1:]}.")
    again.add_argument("name", metavar="NAME")
    again.add_argument("--keys-only", action="store_true", help="its channels and receive windows stay (type 2)")


def run(args: argparse.Namespace) -> int:
    """0; 64 for a device that cannot join here, 69 when the daemon is not running, 78 for a faulty configuration."""
    import msgspec

    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.lora.join_book import Attempt

    try:
        loaded = configured(args.config)
        socket = Path(loaded.control.socket)
        if args.devices_command == "allow-join":
            ask_as(socket, f"/lora/joins/allow?device={quote(args.name)}", dict[str, str], "POST")
            print(f"{args.name} may join with any DevNonce, and from then on again with each but once")
            return 0
        if args.devices_command == "rejoin":
            kind = 2 if args.keys_only else 0
            ask_as(socket, f"/lora/joins/again?device={quote(args.name)}&type={kind}", dict[str, str], "POST")
            print(f"{args.name} is told so with the answer to its next uplink; see `torhaus devices radio`")
            return 0
        attempts = ask_as(socket, "/lora/joins", list[Attempt])
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running: joins are remembered, and allowed, while it runs", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e.words, file=sys.stderr)
        return EX_USAGE if e.status == 404 else EX_UNAVAILABLE
    print(msgspec.json.encode(attempts).decode() if args.json else render(attempts))
    return 0


def render(attempts: "list[Attempt]") -> str:
    """The table, oldest first."""
    if not attempts:
        return "nobody has tried to join since the daemon was started"
    return table(HEAD, [_row(a) for a in attempts])


def _row(a: "Attempt") -> tuple[object, ...]:
    at = datetime.fromtimestamp(a.at_ns / 1e9, UTC)
    times = f" ({a.times} times)" if a.times > 1 else ""
    nonce = UNKNOWN if a.dev_nonce is None else f"{a.dev_nonce:04x}"
    return (
        f"{at:%Y-%m-%d %H:%M:%S}",
        a.device or UNKNOWN,
        a.dev_eui,
        a.join_eui or UNKNOWN,
        nonce,
        a.gateway or UNKNOWN,
        a.text + times,
    )
