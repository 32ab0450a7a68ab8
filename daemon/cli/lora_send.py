"""`torhaus lora send`: a downlink for a device; it waits in the queue until the device can hear it."""

import argparse
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.number import whole
from torhaus.daemon.cli.reach import EX_DATAERR, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.main import add_config

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.lora.order_pages import Shown

LOOK_S: Final = 1.0
NOT_RUNNING: Final = "the daemon is not running: nothing was queued"
OVER: Final = frozenset({"acknowledged", "failed", "expired", "cancelled"})
_TIME: Final = re.compile(r"([0-9]{1,6}) ?(s|min|h|d|w)")
_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `lora`."""
    command = commands.add_parser(
        "send",
        help="a downlink for a device, which waits until the device can hear it",
        description="Queue a downlink (mode standalone). It is on disk when this returns, and goes out after the "
        "device's next uplink. A confirmed one is repeated until the device acknowledges it, eight times at most.",
    )
    command.add_argument("device", metavar="DEVICE", help="name or DevEUI")
    command.add_argument("--fport", type=int, metavar="N", help="1 to 223; may be left out where the script names it")
    payload = command.add_mutually_exclusive_group(required=True)
    payload.add_argument("--hex", metavar="HEX", help="the payload in hexadecimal")
    payload.add_argument("--base64", metavar="TEXT", help="the payload in base64")
    payload.add_argument("--json", metavar="JSON", help="what the device's script is to encode; - reads standard input")
    command.add_argument("--confirmed", action="store_true", help="the device is to acknowledge it")
    command.add_argument(
        "--priority", type=whole(0, 9), default=0, metavar="N", help="0 to 9, the higher one first (0)"
    )
    command.add_argument("--expires", type=_seconds, metavar="T", help="let go of it after 30min, 6h, 2d … (1w)")
    command.add_argument("--ref", default="", metavar="TEXT", help="your own name for it; it is queued once")
    command.add_argument("--follow", action="store_true", help="wait, and show what becomes of it")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace, pause: Callable[[float], None] = time.sleep) -> int:
    """0 when it is queued, with --follow when it was sent, or acknowledged.

    64 for an unknown device or a faulty order, 65 for a payload that is refused, 69 when it cannot be queued (daemon
    down, mode passive, queue full) or came to nothing, 78 for a faulty configuration.
    """
    import msgspec

    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.lora.order_pages import Shown

    try:
        body = msgspec.json.encode(_order(args))
        socket = Path(configured(args.config).control.socket)
        shown: Shown = ask_as(socket, "/lora/downlinks", Shown, "POST", body)
        _tell(shown)
        return _follow(socket, shown, pause) if args.follow else 0
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print(NOT_RUNNING, file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e.words, file=sys.stderr)
        return {404: EX_USAGE, 400: EX_DATAERR}.get(e.status, EX_UNAVAILABLE)
    except KeyboardInterrupt:
        print("it stays in the queue: see `torhaus lora queue`", file=sys.stderr)
        return 0


def _order(args: argparse.Namespace) -> dict[str, Any]:
    """As the daemon takes it; what is wrong in it, the daemon says. Raises Unreadable where JSON is none."""
    import msgspec

    order: dict[str, Any] = {"device": args.device, "confirmed": args.confirmed, "priority": args.priority}
    given = {"fport": args.fport, "hex": args.hex, "base64": args.base64, "expires_s": args.expires}
    order |= {key: value for key, value in given.items() if value is not None}
    if args.hex is not None:
        order["hex"] = "".join(args.hex.split()).removeprefix("0x")
    if args.ref:
        order["ref"] = args.ref
    if args.json is not None:
        text = sys.stdin.read(1 << 20) if args.json == "-" else args.json
        try:
            order["json"] = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as e:
            raise Unreadable(f"--json: not JSON: {e}", EX_USAGE) from None
    return order


def _tell(shown: "Shown") -> None:
    for warning in shown.warnings:
        print(f"the script warns: {warning}", file=sys.stderr)
    if not shown.is_new:
        print(f"{shown.id}: queued before with this ref: {shown.state}{_why(shown)}")
        return
    ahead = f" behind {shown.ahead}" if shown.ahead else ""
    print(f"{shown.id}: queued for {shown.device}{ahead}, goes out after its next uplink")


def _follow(socket: Path, shown: "Shown", pause: Callable[[float], None]) -> int:
    from torhaus.daemon.control import ask_as
    from torhaus.daemon.lora.order_pages import Shown

    last, now = (shown.state, shown.why), shown
    while not (now.state in OVER or (now.state == "sent" and not now.confirmed)):
        pause(LOOK_S)
        now = ask_as(socket, f"/lora/downlinks/{shown.id}", Shown)
        if (now.state, now.why) != last:
            last = (now.state, now.why)
            print(f"{now.id}: {now.state.replace('_', ' ')}{_why(now)}", flush=True)
    return 0 if now.state in {"sent", "acknowledged"} else EX_UNAVAILABLE


def _why(shown: "Shown") -> str:
    from torhaus.daemon.cli.show import plain

    return f" ({plain(shown.why)})" if shown.why else ""


def _seconds(text: str) -> int:
    """`30min`, `6h`, `2d`. ValueError when it is none."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError("must be a time such as 30min, 6h, 2d or 1w")
    return int(found[1]) * _UNITS[found[2]]
