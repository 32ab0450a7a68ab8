"""`torhaus queue export`: records as the messages that central systems receive, one JSON object a line."""

import argparse
import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.moment import add_span
from torhaus.daemon.cli.progress import Progress
from torhaus.daemon.cli.reach import EX_CANTCREAT, EX_IOERR, EX_USAGE, configured
from torhaus.daemon.cli.show import records
from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.outbox.record import Damaged


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `queue`."""
    command = commands.add_parser(
        "export",
        help="write what the log has, or what waits for a forwarder, as JSON lines",
        description="Writes records as the messages that central systems receive, one JSON object a line, oldest "
        "first. Reads the files, beside the running daemon or while it is down, and changes nothing. Exit code 74 when "
        "something was damaged or could not be read: all the rest is written all the same. Records set "
        "aside and dead letters of a forwarder are listed by their own commands.",
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--forwarder", metavar="NAME", help="only what still waits for this one, and is meant for it")
    which.add_argument("--log", choices=("main", "strangers", "relay"), default="main", help="default: main")
    add_span(command, required=False)
    command.add_argument("--format", choices=("jsonl",), default="jsonl", help="default: jsonl")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    add_config(command, again=True)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the records."""
    from torhaus.daemon.extract import Choice, Extract, UnknownForwarder
    from torhaus.daemon.outbox.migrate import SchemaError

    try:
        loaded = configured(args.config)
        choice = Choice(log=args.log, forwarder=args.forwarder, since_ns=args.since, until_ns=args.until)
        extract = Extract(loaded, choice)
        with _output(args.output) as out, Progress("exporting, records looked at") as progress:
            line = msgspec.json.Encoder()
            for message in extract.messages(progress.told, _say_lost):
                out.write(line.encode(message) + b"\n")
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except UnknownForwarder as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    except BrokenPipeError:
        raise
    except (OSError, sqlite3.Error, SchemaError) as e:
        said: object = f"{loaded.store.path}: {e}" if isinstance(e, sqlite3.Error) else e
        if isinstance(e, OSError) and e.strerror:
            said = f"{e.filename}: {e.strerror}" if e.filename else e.strerror
        print(said, file=sys.stderr)
        return EX_IOERR
    if extract.damaged:
        print(f"damaged on disk and missing here: {records(extract.damaged)}", file=sys.stderr)
        return EX_IOERR
    return 0


def _say_lost(lost: "Damaged") -> None:
    print(f"damaged: {records(lost.count)} from position {lost.pos} on: {lost.detail}", file=sys.stderr)


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that has its name only when it is whole and on disk."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as e:
        raise Unreadable(f"{path}: {e.strerror}", EX_CANTCREAT) from None
    try:
        with os.fdopen(opened, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
