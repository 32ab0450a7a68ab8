"""`torhaus restore`: a backup into an empty store, or only a look at whether it is whole."""

import argparse
import sqlite3
import sys
from pathlib import Path
from typing import Any

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.progress import Progress
from torhaus.daemon.cli.reach import EX_CONFIG, EX_DATAERR, EX_IOERR, EX_NOINPUT, configured
from torhaus.daemon.cli.show import plain, records, size
from torhaus.daemon.main import add_config


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser(
        "restore",
        help="put a backup into an empty store",
        description="Verifies every checksum, then puts the backup into the configured store, which must be empty, "
        "while no daemon runs. What was settled after the backup is sent again, under the same ids; new records get a "
        "new store id. The configuration that is there is left alone: the one of the backup can be taken out with "
        "`tar -xf FILE config`.",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="what torhaus backup has written")
    command.add_argument("--verify", "--dry-run", action="store_true", help="only verify; touches no store")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """65 when the archive is damaged, 66 when it is not there, 73 when the store is in use or not empty."""
    from torhaus.daemon.backup.archive import ArchiveError
    from torhaus.daemon.backup.put_back import NotRestored, Restore, check
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.outbox.migrate import SchemaError

    try:
        if args.verify:
            with Progress("verifying", size) as progress:
                m = check(args.file, progress.told)
            total = size(sum(x.bytes for x in m.members))
            print(
                f"{args.file}: whole; site {plain(m.site)}, {plain(m.created)}, torhaus {plain(m.torhaus)}, "
                f"{len(m.members)} files, {total}"
            )
            return 0
        loaded = configured(args.config)
        with Progress("restoring", size) as progress:
            done = Restore(loaded, args.file, SystemClock()).run(progress.told)
    except (Unreadable, NotRestored) as e:
        print(plain(e) if isinstance(e, NotRestored) else e, file=sys.stderr)
        return e.code
    except ArchiveError as e:
        print(f"{args.file}: {plain(e)}", file=sys.stderr)
        return EX_DATAERR
    except SchemaError as e:  # of a newer torhaus
        print(f"{args.file}: {plain(e)}", file=sys.stderr)
        return EX_CONFIG
    except (FileNotFoundError, PermissionError, IsADirectoryError) as e:
        print(f"{e.filename or args.file}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT if e.filename == str(args.file) else EX_IOERR
    except (OSError, sqlite3.Error) as e:
        print(f"{args.file}: {e}", file=sys.stderr)
        return EX_IOERR
    for name in done.set_aside:
        print(f"note: {plain(name)} was damaged when it was backed up", file=sys.stderr)
    print(f"{loaded.store.path}: {records(done.records['main'])}, {done.records['strangers']} of strangers")
    return 0
