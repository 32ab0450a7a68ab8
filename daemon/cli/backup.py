"""`torhaus backup`: everything that waits, in one file, while the daemon runs or while it is down."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import Any

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.progress import Progress
from torhaus.daemon.cli.reach import EX_CANTCREAT, EX_CONFIG, EX_IOERR, configured
from torhaus.daemon.cli.show import plain, size
from torhaus.daemon.main import add_config


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser(
        "backup",
        help="copy what waits, and who has what, into one file",
        description="Copies the outbox and the configuration into one tar archive with checksums, while the daemon "
        "runs or while it is down. Left out are the devices' keys (keep a copy of your own in a safe place) and scans.",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="must not be there yet")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the archive. 73 when it is there already or cannot be made, 74 when something cannot be read."""
    from torhaus.daemon.backup.take import Backup
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.outbox.migrate import RefusedError

    try:
        loaded = configured(args.config)
        with Progress("backing up", size) as progress:
            done = Backup(loaded, args.config, args.file, SystemClock(), progress.told).take()
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except RefusedError as e:
        print(f"{loaded.store.path}: {e}", file=sys.stderr)
        return EX_CONFIG
    except OSError as e:
        is_target = _is_about(e, args.file)
        print(f"{args.file if is_target else e.filename}: {e.strerror or e}", file=sys.stderr)
        return EX_CANTCREAT if is_target else EX_IOERR
    except sqlite3.Error as e:
        print(f"{loaded.store.path}: {e}", file=sys.stderr)
        return EX_IOERR
    for note in done.notes:
        print(f"note: {plain(note)}", file=sys.stderr)
    print(f"{args.file}: {done.files} files, {size(done.bytes)}")
    for part in done.left_out:
        print(f"left out: {plain(part)}")
    return 0


def _is_about(error: OSError, target: Path) -> bool:
    """Whether the archive cannot be made, rather than the store read."""
    return not isinstance(error.filename, str | Path) or Path(error.filename).parent == target.parent
