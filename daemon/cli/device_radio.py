"""`torhaus devices radio`: how devices are heard, and, where they are answered here, what they say of themselves."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_UNAVAILABLE, configured
from torhaus.daemon.cli.show import UNKNOWN, table

if TYPE_CHECKING:  # imported by the command: `torhaus --help` needs none of it
    from torhaus.daemon.lora.radio_link import RadioView

HEAD: Final = (
    "DEVICE",
    "CLASS",
    "LAST (UTC)",
    "NEXT",
    "RATE",
    "SNR",
    "MARGIN",
    "LOST",
    "POWER",
    "BATTERY",
    "GATEWAY",
    "",
)
_EMPTY: Final = 1
_FULL: Final = 254


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    """The command's place beside the other ones of `devices`."""
    text = "how devices are heard; in mode standalone also their batteries and power"
    command = commands.add_parser("radio", parents=[common], help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """0; 69 when the daemon is not running or cannot read its log now, 78 for a faulty configuration."""
    import msgspec

    from torhaus.daemon.control import NotRunning, Refused, ask_as
    from torhaus.daemon.lora.radio_link import RadioView

    try:
        views = ask_as(Path(configured(args.config).control.socket), "/lora/radio", list[RadioView])
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except NotRunning:
        print("the daemon is not running: how devices are heard is known while it runs", file=sys.stderr)
        return EX_UNAVAILABLE
    except Refused as e:
        print(e.words, file=sys.stderr)
        return EX_UNAVAILABLE
    print(msgspec.json.encode(views).decode() if args.json else render(views))
    return 0


def render(views: "list[RadioView]") -> str:
    """The table, by name."""
    if not views:
        return "no device has been heard lately"
    return table(HEAD, [_row(v) for v in sorted(views, key=lambda v: v.device)])


def _row(v: "RadioView") -> tuple[object, ...]:
    expected = UNKNOWN if v.expected_at_ns is None else f"{_at(v.expected_at_ns):%H:%M}"
    refused = f"refuses {len(v.refused)} of what it was asked" if v.refused else ""
    return (
        v.device,
        v.device_class or UNKNOWN,
        f"{_at(v.last_at_ns):%Y-%m-%d %H:%M:%S}",
        expected,
        v.datarate or UNKNOWN,
        UNKNOWN if v.snr_db is None else f"{v.snr_db:g}",
        UNKNOWN if v.margin_db is None else f"{v.margin_db:g}",
        f"{v.loss:.0%}",
        UNKNOWN if v.tx_power is None else v.tx_power,
        _battery(v.battery),
        v.gateways[0] if v.gateways else UNKNOWN,
        "waits for an answer" if v.pending and not refused else refused,
    )


def _battery(level: int | None) -> str:
    if level is None or level > _FULL:
        return UNKNOWN
    return "mains" if level < _EMPTY else f"{round((level - _EMPTY) / (_FULL - _EMPTY) * 100)} %"


def _at(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)
