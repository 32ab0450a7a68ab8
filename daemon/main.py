"""The command line: arguments, exit codes, and nothing else. Each command is a module in cli/."""

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

EX_USAGE: Final = 64
EX_DATAERR: Final = 65
EX_IOERR: Final = 74
EX_INTERRUPTED: Final = 130
COMMANDS: Final = (
    "run", "receive", "demo", "check", "sample", "schema", "decode", "codecs", "devices", "lora", "link", "mbus",
    "wmbus", "status", "queue", "backup", "restore", "scans", "coversheet", "page", "evidence", "doctor", "simulate",
)  # fmt: skip
"""In the order of `--help`. Each is `torhaus.daemon.cli.<name>` with `add(subparsers)` and `run(args) -> int`."""
STAY: Final = frozenset({"run", "receive", "demo", "simulate"})
"""Those that go on until they are told to end, and have event loops that hear it."""
SERVICES: Final = ("run", "receive")
"""Their journal has the whole of an error that nobody expected."""


class Parser(argparse.ArgumentParser):
    """Ends with sysexits' EX_USAGE instead of 2."""

    def error(self, message: str) -> NoReturn:
        """A wrong command line."""
        self.print_usage(sys.stderr)
        self.exit(EX_USAGE, f"{self.prog}: {message}\n")


class Version(argparse.Action):
    """`--version`: looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Say it and end."""
        from torhaus.daemon.version import torhaus_version

        sys.stdout.write(f"torhaus {torhaus_version()}\n")
        parser.exit()


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The command line: the whole of it, or what there is of one command (all others stay unread on the disk)."""
    top = Parser(prog="torhaus", description="Edge gateway: receives, decodes, keeps, forwards, and proves it.")
    top.add_argument("--version", action=Version, nargs=0, help="show program's version number and exit")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name in COMMANDS if only is None else (only,):
        import_module(f"torhaus.daemon.cli.{name}").add(subparsers)
    return top


def add_config(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """`--config FILE`, for every command that has one; `again` below a command that has it, whose word holds then."""
    path = os.environ.get("TORHAUS_CONFIG", "/etc/torhaus/torhaus.toml")
    default = argparse.SUPPRESS if again else Path(path)
    command.add_argument("--config", type=Path, default=default, metavar="FILE", help=f"default: {path}")


@contextmanager
def _ends_at_once() -> Iterator[None]:
    """Ctrl-C ends the process, as SIGTERM does, until an event loop takes both over.

    While modules are loaded an exception from anywhere would be lost in one of them, or crash it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    only = words[0] if words and words[0] in COMMANDS else None
    who = "torhaus" if only is None else f"torhaus {only}"
    _take_any_text()
    try:
        with _ends_at_once():
            args = parser(only).parse_args(words)
            code: int | None = args.run(args) if only in STAY else None
        if code is None:
            code = int(args.run(args))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough, as `head` has
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return EX_INTERRUPTED
    except OSError as e:  # such as a full disk behind `>`
        if only in SERVICES:
            raise
        _drop_output()
        where = "" if e.filename is None else f"{e.filename}: "
        sys.stderr.write(f"{who}: {where}{e.strerror or e}\n")
        return EX_IOERR
    except (UnicodeEncodeError, UnicodeDecodeError):
        if only in SERVICES:
            raise
        sys.stderr.write(f"{who}: an argument or the input is no UTF-8 text\n")
        return EX_DATAERR
    return code


def _take_any_text() -> None:
    """A character that the terminal does not have is written as its number; output that is closed goes nowhere."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (as long as the process lives)
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """What is still in the buffer goes nowhere, so that the end of the process does not stumble over it again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
