"""`torhaus evidence`: what the journal proves, here and for others."""

import argparse
import contextlib
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.reach import EX_CANTCREAT, EX_IOERR, EX_NOINPUT, EX_USAGE, configured
from torhaus.daemon.main import add_config

if TYPE_CHECKING:
    from torhaus.daemon.evidence.stamped import Judge
    from torhaus.daemon.scans.evidence import Head

STORE: Final = "scans"
_KEY: Final = re.compile("[0-9a-fA-F]{64}")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("evidence", help="check the evidence journal, export what proves a document")
    actions = command.add_subparsers(metavar="verify|export|key|verifier", required=True)
    verify = actions.add_parser("verify", help="check the journal on this box")
    verify.add_argument("--since", metavar="TIME", help="only what was written since, such as 2026-11-25")
    verify.add_argument("--head", type=Path, action="append", default=[], metavar="FILE",
                        help="heads or roots that were kept elsewhere, one a line; repeatable")  # fmt: skip
    verify.add_argument("--key", default="", metavar="HEX", help="the key as it was written down before")
    verify.set_defaults(run=run_verify)
    export = actions.add_parser("export", help="a document with its note and its proofs, or the whole journal")
    export.add_argument("id", nargs="?", metavar="SCAN-ID")
    export.add_argument("--journal", type=Path, metavar="FILE.jsonl", help="the journal instead of a document")
    export.add_argument("-o", "--output", type=Path, metavar="FILE.zip", help="default: the document's id")
    export.set_defaults(run=run_export)
    key = actions.add_parser("key", help="the public key: write it down, and keep it elsewhere")
    key.set_defaults(run=run_key)
    printed = actions.add_parser("verifier", help="print a program that checks exports and journals on other machines")
    printed.set_defaults(run=run_verifier)
    for action in (verify, export, key):
        add_config(action)


def run_verify(args: argparse.Namespace) -> int:
    """Say what is wrong, or that all is proved."""
    from torhaus.daemon.cli.progress import Progress
    from torhaus.daemon.config.model import START_WORDS, parse_time
    from torhaus.daemon.evidence.journal import verify
    from torhaus.daemon.evidence.report import say
    from torhaus.daemon.evidence.verifier import parse_heads

    since_ns = parse_time(args.since) if args.since else None
    if args.since and since_ns is None:
        print(f"--since: must be {START_WORDS.rpartition(' or ')[2]}", file=sys.stderr)
        return EX_USAGE
    try:
        kept = [head for path in args.head for head in parse_heads(path.read_text(encoding="utf-8"))]
    except OSError as e:
        print(f"--head: {e.filename}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    except UnicodeError:
        print("--head: is no UTF-8 text", file=sys.stderr)
        return EX_NOINPUT
    except ValueError as e:
        print(f"--head: {e}", file=sys.stderr)
        return EX_NOINPUT
    if args.key and not _KEY.fullmatch(args.key):
        print("--key: must be the 64 hex digits that `torhaus evidence key` shows", file=sys.stderr)
        return EX_USAGE
    try:
        with _store(args.config) as (conn, head), Progress("entries checked") as progress:
            key = args.key.lower()
            judge = _judge(args.config)
            report = verify(conn, head, since_ns=since_ns, key=key, kept=kept, tell=progress.told, judge=judge)
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except sqlite3.Error as e:
        print(f"the journal cannot be read: {e}", file=sys.stderr)
        return EX_IOERR
    return say(report, trusted=bool(args.key))


def run_export(args: argparse.Namespace) -> int:
    """Write it, and check what was written."""
    if (args.id is None) == (args.journal is None):
        print("name a document (SCAN-ID) or a file for the journal (--journal)", file=sys.stderr)
        return EX_USAGE
    return _export_journal(args) if args.journal is not None else _export_document(args)


def _export_journal(args: argparse.Namespace) -> int:
    from torhaus.daemon.evidence.journal import journal_lines, public_key

    try:
        with _store(args.config) as (conn, head), _new(args.journal) as out:
            count = sum(out.write(line) > 0 for line in journal_lines(conn, head, public_key(conn)))
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    except OSError as e:
        print(f"{args.journal}: {e.strerror or e}", file=sys.stderr)
        return EX_CANTCREAT
    except sqlite3.Error as e:
        print(f"the journal cannot be read: {e}", file=sys.stderr)
        return EX_IOERR
    print(f"{args.journal}: {count} lines")
    return 0


def _export_document(args: argparse.Namespace) -> int:
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.evidence.bundle import NoDocument, write_bundle
    from torhaus.daemon.evidence.export import Exported
    from torhaus.daemon.evidence.export_check import check_export_file
    from torhaus.daemon.evidence.report import say

    found = ask(args.config, f"/evidence/export?id={quote(args.id)}", Exported, "POST")
    if isinstance(found, int):
        return found
    output = args.output or Path(args.id.replace("/", "-") + ".zip")
    try:
        with _new(output) as out:
            loaded = configured(args.config)
            write_bundle(out, found, Path(loaded.store.path).absolute() / STORE, loaded.scan.spool_key_files)
        report = check_export_file(output)
    except (NoDocument, Unreadable) as e:
        output.unlink(missing_ok=True)
        print(e, file=sys.stderr)
        return EX_NOINPUT
    except OSError as e:
        print(f"{output}: {e.strerror or e}", file=sys.stderr)
        return EX_CANTCREAT
    print(output)
    return say(report, trusted=True)


def run_key(args: argparse.Namespace) -> int:
    """The daemon's answer, or what the store has."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.evidence.journal import public_key

    def offline(path: Path) -> dict[str, str]:
        if not path.exists():
            raise FileNotFoundError("there is no key yet: one is made when torhaus starts with a scan station")
        with contextlib.closing(_open(path)) as conn:
            return {"key": public_key(conn)}

    found = ask(args.config, "/evidence/key", dict[str, str], offline=offline)
    if isinstance(found, int):
        return found
    print(found["key"])
    return 0


def run_verifier(_: argparse.Namespace) -> int:
    """The program's text."""
    from torhaus.daemon.evidence.standalone import standalone

    sys.stdout.write(standalone())
    return 0


def _judge(config: Path) -> "Judge | None":
    """Of time stamps, where the configuration names an authority's certificates. Raises Unreadable."""
    from torhaus.daemon.evidence.config import is_installed
    from torhaus.daemon.evidence.tsa import NoStamp, judge_by

    ca_file = configured(config).scan.evidence.tsa_ca_file
    if ca_file is None or not is_installed():
        return None
    try:
        return judge_by(Path(ca_file))
    except NoStamp as e:
        raise Unreadable(f"tsa_ca_file: {e}", EX_NOINPUT) from None


@contextlib.contextmanager
def _store(config: Path) -> "Iterator[tuple[sqlite3.Connection, Head | None]]":
    """The journal as it is at one moment, and the head that was recorded last. Raises Unreadable."""
    from torhaus.daemon.scans.evidence import recorded_head

    folder = Path(configured(config).store.path) / STORE
    try:
        conn = _open(folder / "scans.db")
        head = recorded_head(folder)
    except (OSError, ValueError, sqlite3.Error) as e:
        hint = "" if os.access(folder, os.R_OK | os.X_OK) else " (be root, or the user torhaus)"
        raise Unreadable(f"{folder}: no journal can be read: {e}{hint}", EX_NOINPUT) from None
    with contextlib.closing(conn):
        conn.execute("BEGIN")
        yield conn, head


def _open(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    conn.execute("SELECT count(*) FROM store").fetchone()
    return conn


def _new(path: Path) -> Any:  # noqa: ANN401 - a binary file
    """For us alone, and never over another one. Raises OSError."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")
