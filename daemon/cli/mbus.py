"""`torhaus mbus`: find the meters on a wired M-Bus, read one, and reset it."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec

from torhaus.codecs.framing.mbus_address import BROADCAST, MAX_PRIMARY, Address, Secondary, parse_address
from torhaus.codecs.meter.mbus.telegram import decode
from torhaus.codecs.meter.mbus.words import manufacturer, medium
from torhaus.codecs.model import DecodeError
from torhaus.daemon.cli.chosen_link import Chosen, chosen, left_alone
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.number import seconds, whole
from torhaus.daemon.cli.progress import Progress
from torhaus.daemon.cli.reach import EX_DATAERR, EX_UNAVAILABLE, EX_USAGE
from torhaus.daemon.main import add_config
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, open_link
from torhaus.drivers.mbus import LINE
from torhaus.drivers.mbus_scan import Found, primary, secondary
from torhaus.drivers.mbus_talk import Heard, Talk
from torhaus.drivers.polling import NoAnswer

RATES: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400)
PAUSE_S: Final = 0.05
EVERYBODY: Final = "FFFFFFFFFFFFFFFF"

Work = Callable[[Link], Awaitable[int]]


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("mbus", help="meters on a wired M-Bus: find, read and reset them")
    below = command.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(command))
    scan = below.add_parser("scan", help="who is there; the running daemon leaves the bus alone meanwhile")
    _add_link(scan, timeout_s=0.5)
    how = scan.add_mutually_exclusive_group()
    how.add_argument("--primary", action="store_true", help="try the addresses from --first to --last (the default)")
    how.add_argument("--secondary", action="store_true", help="search by the meters' numbers, digit by digit")
    scan.add_argument("--first", type=whole(0, MAX_PRIMARY), default=0, metavar="N", help="first primary address (0)")
    scan.add_argument(
        "--last", type=whole(0, MAX_PRIMARY), default=MAX_PRIMARY, metavar="N", help=f"the last ({MAX_PRIMARY})"
    )
    scan.add_argument("--mask", default=EVERYBODY, metavar="ADDRESS", help="only these secondary addresses (F for any)")
    scan.add_argument(
        "--baud", type=int, choices=RATES, action="append", metavar="RATE", help="a rate to try, may be repeated"
    )
    scan.add_argument("--toml", action="store_true", help="as [[driver.meter]] tables for the configuration")
    scan.set_defaults(run=run_scan)
    read = below.add_parser("read", help="what one meter says, as JSON; the daemon leaves the bus alone meanwhile")
    _add_link(read, timeout_s=2.0)
    read.add_argument("address", metavar="ADDRESS", help="primary (0 to 250, 254: the only one) or secondary")
    read.add_argument("--hex", action="store_true", help="the telegrams as they came, one a line")
    read.add_argument("--max-telegrams", type=int, default=16, metavar="N", help="no more than so many (16)")
    read.set_defaults(run=run_read)
    reset = below.add_parser("reset", help="begin the conversation anew (SND_NKE); no value is lost by it")
    _add_link(reset, timeout_s=1.0)
    reset.add_argument("address", nargs="?", metavar="ADDRESS", help="a primary address; everybody if left out")
    reset.set_defaults(run=run_reset)


def _add_link(command: argparse.ArgumentParser, timeout_s: float) -> None:
    command.add_argument(
        "link", metavar="LINK", help="a [[driver]] of the configuration, or a link such as serial:///dev/ttyUSB0"
    )
    command.add_argument(
        "--timeout",
        type=seconds(0.05, 60),
        default=timeout_s,
        metavar="S",
        help=f"seconds for an answer ({timeout_s:g})",
    )
    add_config(command)


def run_scan(args: argparse.Namespace) -> int:
    """Print who was found, one a line. 69 when nobody was."""
    try:
        mask = Secondary.parse(args.mask)
    except ValueError as e:
        print(f"--mask: {e}", file=sys.stderr)
        return EX_USAGE
    if args.first > args.last:
        print(f"--first {args.first} is above --last {args.last}", file=sys.stderr)
        return EX_USAGE
    return _on_link(args, lambda link: _scan(args, mask, link))


async def _scan(args: argparse.Namespace, mask: Secondary, link: Link) -> int:
    if args.baud and not link.sets_baud:
        raise ValueError("--baud: the rate cannot be set over this link; set it at the converter")
    count = 0
    for baud in args.baud or (0,):
        if baud:
            await link.set_baud(baud)
        where = f" at {baud} baud" if baud else ""
        with Progress(f"{args.link}{where}: addresses tried") as progress:
            talk = Talk(link, args.timeout, 1, PAUSE_S)
            everybody: AsyncIterator[Found] = (
                secondary(talk, mask, progress.told)
                if args.secondary
                else primary(talk, args.first, args.last, progress.told)
            )
            async for found in everybody:
                count += 1
                print(as_toml(found, baud) if args.toml else as_line(found, baud), flush=True)
    print(f"{count} found", file=sys.stderr)
    return 0 if count else EX_UNAVAILABLE


def as_line(found: Found, baud: int) -> str:
    """Address, who it is, and at which rate where several were tried."""
    who = found.secondary
    words = [f"{found.address!s:>16}"]
    if who is not None:
        words += [str(who), manufacturer(int.from_bytes(who.manufacturer, "little")), medium(who.medium)]
    elif not found.detail:
        words.append("answers without saying who it is")
    words += [f"{baud} baud"] if baud else []
    words += [found.detail] if found.detail else []
    return "  ".join(words)


def as_toml(found: Found, baud: int) -> str:
    """A table for the configuration; somebody unclear is a comment."""
    if found.detail:
        return f"# {found.address}: {found.detail}"
    who = found.secondary
    name = f"meter-{who.number}" if who is not None else f"meter-{found.address}"
    address = found.address if isinstance(found.address, int) else f'"{found.address}"'
    kind = f"  # {medium(who.medium)}" if who is not None else ""
    rate = f"baud = {baud}\n" if baud else ""
    return f'[[driver.meter]]\ndevice = "{name}"{kind}\naddress = {address}\n{rate}'


def run_read(args: argparse.Namespace) -> int:
    """Print each telegram's fields. 65 when one means nothing, 69 when the meter does not answer."""
    try:
        address = parse_address(args.address)
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    return _on_link(args, lambda link: _read(args, address, link))


async def _read(args: argparse.Namespace, address: Address, link: Link) -> int:
    code = 0
    async for frame in Talk(link, args.timeout, 2, PAUSE_S).read(address, args.max_telegrams):
        if args.hex:
            print(frame.hex(), flush=True)
            continue
        try:
            fields = decode(frame)
        except DecodeError as e:
            print(f"refused: {e}: {frame.hex()}", file=sys.stderr)
            code = EX_DATAERR
        else:
            print(msgspec.json.format(msgspec.json.encode(fields), indent=2).decode(), flush=True)
    return code


def run_reset(args: argparse.Namespace) -> int:
    """Send it. 69 when a meter that was named does not acknowledge."""
    try:
        address = BROADCAST if args.address is None else parse_address(args.address)
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    if isinstance(address, Secondary):
        print("a reset goes to a primary address, or to everybody when none is given", file=sys.stderr)
        return EX_USAGE
    return _on_link(args, lambda link: _reset(args, address, link))


async def _reset(args: argparse.Namespace, address: int, link: Link) -> int:
    heard = await Talk(link, args.timeout, 0, PAUSE_S).reset(address)
    if address != BROADCAST and heard is not Heard.ACK:
        raise NoAnswer(f"address {address}: no acknowledgement")
    return 0


def _on_link(args: argparse.Namespace, work: Work) -> int:
    """Open the link, which the daemon leaves alone, and work. Says what is wrong."""
    from torhaus.daemon.control import Refused

    async def opened(line: Chosen) -> int:
        async with await open_link(line.spec) as link:
            return await work(link)

    try:
        line = chosen(args.link, args.config, LINE)
        with left_alone(line):
            return asyncio.run(opened(line))
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    except (DriverGone, NoAnswer, Refused) as e:
        print(e, file=sys.stderr)
        return EX_UNAVAILABLE
