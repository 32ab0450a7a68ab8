"""`torhaus link open`: talk by hand to what is at the end of a link."""

import argparse
import asyncio
import codecs
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO

from torhaus.daemon.cli.chosen_link import chosen, left_alone
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_UNAVAILABLE, EX_USAGE
from torhaus.daemon.main import add_config
from torhaus.drivers.base import DriverGone
from torhaus.drivers.link import Link, LinkSpec, open_link


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("link", help="serial lines and buses: talk to a device by hand")
    below = command.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=type(command))
    opened = below.add_parser(
        "open", help="send what is typed, show what comes; the running daemon leaves the line alone"
    )
    opened.add_argument(
        "link", metavar="LINK", help="a [[driver]] of the configuration, or a link such as serial:///dev/ttyUSB0"
    )
    opened.add_argument(
        "--hex", action="store_true", help="what is typed is hex digits; else text with \\r, \\n, \\x02"
    )
    opened.add_argument("--end", default="\\r\\n", metavar="TEXT", help="sent behind each line of text (\\r\\n)")
    opened.add_argument(
        "--wait", type=float, default=1.0, metavar="S", help="seconds to listen after the last line (1)"
    )
    add_config(opened)
    opened.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Talk until the input ends. 69 when the link cannot be had, or is lost."""
    from torhaus.daemon.control import Refused

    try:
        line = chosen(args.link, args.config)
        escaped(args.end)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    try:
        with left_alone(line):
            asyncio.run(Terminal(args, sys.stdin, sys.stdout).talk(line.spec))
    except (DriverGone, Refused) as e:
        print(e, file=sys.stderr)
        return EX_UNAVAILABLE
    except KeyboardInterrupt:
        return 0
    return 0


def escaped(text: str) -> bytes:
    r"""Text with `\r`, `\n`, `\x02` and the like as bytes. ValueError for what is none."""
    try:
        return codecs.escape_decode(text.encode("latin-1"))[0]
    except (ValueError, UnicodeEncodeError) as error:
        raise ValueError(f"{text!r} cannot be sent: {error}") from None


class Terminal:
    """What is typed goes out, what comes is shown with its time, as hex digits and as text."""

    def __init__(
        self, args: argparse.Namespace, typed: TextIO, shown: TextIO, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._args = args
        self._typed = typed
        self._shown = shown
        self._now = now

    async def talk(self, spec: LinkSpec) -> None:
        """Until the input has ended and `--wait` is over. Raises DriverGone."""
        async with await open_link(spec) as link:
            lines: asyncio.Queue[str | None] = asyncio.Queue()
            loop = asyncio.get_running_loop()

            def read() -> None:
                for line in self._typed:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
                loop.call_soon_threadsafe(lines.put_nowait, None)

            threading.Thread(target=read, daemon=True).start()
            lost: Exception | None = None
            try:
                await self._both_ways(link, lines)
            except* DriverGone as gone:
                lost = gone.exceptions[0]
        if lost is not None:
            raise lost

    async def _both_ways(self, link: Link, lines: "asyncio.Queue[str | None]") -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(link))
            while (line := await lines.get()) is not None:
                await self._send(link, line.rstrip("\r\n"))
            await asyncio.sleep(self._args.wait)
            listening.cancel()

    async def _send(self, link: Link, line: str) -> None:
        try:
            data = bytes.fromhex(line) if self._args.hex else escaped(line) + escaped(self._args.end)
        except ValueError as error:
            print(f"not sent: {error}", file=sys.stderr)
            return
        if data:
            self._show(">", data)
            await link.write(data)

    async def _listen(self, link: Link) -> None:
        while True:
            self._show("<", await link.read())

    def _show(self, way: str, data: bytes) -> None:
        text = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in data)
        at = self._now().strftime("%H:%M:%S.%f")[:-3]
        print(f"{at} {way} {data.hex(' ')}  |{text}|", file=self._shown, flush=True)
