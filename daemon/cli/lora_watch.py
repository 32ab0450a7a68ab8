"""`torhaus lora watch`: the frames in the air, as they come."""

import argparse
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import urlencode

import msgspec

from torhaus.codecs.lorawan.eui import format_eui64, parse_eui64
from torhaus.codecs.model import DecodeError
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.number import whole
from torhaus.daemon.cli.reach import EX_IOERR, EX_UNAVAILABLE, EX_USAGE, configured
from torhaus.daemon.main import add_config

MAX_PAST: Final = 1000
_BACK: Final = 10_000
"""Records of each log that are looked through for frames when the daemon is not running."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `lora`."""
    command = commands.add_parser("watch", help="the frames in the air, as they come, until Ctrl-C")
    command.add_argument("--gateway", metavar="EUI", help="only what this gateway heard or sent")
    command.add_argument("--device", metavar="NAME", help="only this device's uplinks")
    command.add_argument(
        "--past", type=whole(0, MAX_PAST), default=20, metavar="N", help="begin with the last N frames (20)"
    )
    command.add_argument("--once", action="store_true", help="end after those")
    command.add_argument("--by-gateway", action="store_true", help="a table of gateways instead of lines")
    command.add_argument("--json", action="store_true", help="JSON lines")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show them. 69 when the daemon is not running: then what is on disk is shown."""
    from torhaus.daemon.control import NotRunning, Refused

    try:
        if args.gateway is not None:
            args.gateway = format_eui64(parse_eui64(args.gateway))
        loaded = configured(args.config)
    except DecodeError as e:
        print(f"--gateway: {e.detail}", file=sys.stderr)
        return EX_USAGE
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    if args.device is not None and args.device not in {d.name for d in loaded.devices}:
        print(f"--device: there is no device {args.device!r}", file=sys.stderr)
        return EX_USAGE
    screen = Screen(args, sys.stdout)
    try:
        for line in _lines(Path(loaded.control.socket), args):
            screen.show(line)
    except NotRunning as e:
        if screen.shown:
            print("the daemon has ended", file=sys.stderr)
            return EX_UNAVAILABLE
        return _from_disk(loaded, args, screen, str(e))
    except Refused as e:
        print(e.words, file=sys.stderr)
        return EX_UNAVAILABLE
    except KeyboardInterrupt:
        screen.end()
        return 0
    screen.end()
    return 0 if args.once else EX_UNAVAILABLE


def _lines(socket: Path, args: argparse.Namespace) -> Iterator[bytes]:
    from torhaus.daemon.control import follow

    query = {"count": args.past, "gateway": args.gateway, "device": args.device, "follow": None if args.once else 1}
    return follow(socket, "/lora/frames?" + urlencode({k: v for k, v in query.items() if v is not None}))


class Screen:
    """What is shown of the daemon's lines, and counted for the table of gateways."""

    def __init__(self, args: argparse.Namespace, out: TextIO) -> None:
        from torhaus.daemon.cli.lora_lines import Gateways

        self._json = args.json
        self._by_gateway = args.by_gateway
        self._out = out
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self._gateways = Gateways()
        self.shown = 0

    def show(self, line: bytes) -> None:
        """A line of JSON; an empty one is the daemon's sign of life, and a time to draw."""
        if not line.strip():
            if self._by_gateway and not self._json:
                self._draw()
            return
        found = _parse(line)
        if isinstance(found, int):
            print(f"{found} frames skipped: too many for this viewer", file=sys.stderr)
            return
        self.shown += 1
        self._gateways.add(found)
        if self._json:
            self._out.write(line.decode())
        elif not self._by_gateway:
            from torhaus.daemon.cli.lora_lines import line as as_line

            self._out.write(as_line(found, colour=self._colour) + "\n")
        self._out.flush()

    def end(self) -> None:
        """The table of gateways, for people."""
        if not self._json:
            self._out.write(("" if self._by_gateway else "\n") + self._gateways.text() + "\n")
            self._out.flush()

    def _draw(self) -> None:
        from torhaus.daemon.cli.live import placed

        text = self._gateways.text()
        self._out.write(placed(text) if self._out.isatty() else text + "\n\n")
        self._out.flush()


def _parse(line: bytes) -> Any:  # noqa: ANN401 - a Seen, or how many were skipped
    from torhaus.daemon.control import Refused
    from torhaus.daemon.lora.seen import Seen

    try:
        if line.startswith(b'{"skipped"'):
            return msgspec.json.decode(line, type=dict[str, int])["skipped"]
        return msgspec.json.decode(line, type=Seen)
    except msgspec.DecodeError as e:
        raise Refused(f"a daemon of another version answers ({e})") from e


def _from_disk(loaded: Any, args: argparse.Namespace, screen: Screen, why: str) -> int:  # noqa: ANN401 - Loaded
    """The last frames of both logs."""
    from torhaus.daemon.lora.frame_log import Viewer
    from torhaus.daemon.lora.seen import is_frame, seen_record
    from torhaus.daemon.outbox.migrate import SchemaError
    from torhaus.daemon.outbox.record import Stored
    from torhaus.daemon.outbox.store import MAIN, STRANGERS
    from torhaus.daemon.outbox.view import FOLDERS, View

    print(f"the daemon is not running ({why}); the last frames on disk:", file=sys.stderr)
    viewer, found = Viewer(args.gateway, args.device), []
    try:
        for log in (MAIN, STRANGERS):
            with View(Path(loaded.store.path) / FOLDERS[log]) as view:
                found += [
                    seen_record(log, r, loaded.site.id)
                    for r in view.records(max(view.head, view.tail - _BACK))
                    if isinstance(r, Stored) and is_frame(log, r.record) and viewer.wants((log, r))
                ]
    except (OSError, sqlite3.Error, SchemaError) as e:
        print(f"{loaded.store.path}: {e}", file=sys.stderr)
        return EX_IOERR
    found.sort(key=lambda s: s.at_ns)
    for s in found[-args.past :] if args.past else []:
        screen.show(msgspec.json.encode(s) + b"\n")
    screen.end()
    return EX_UNAVAILABLE
