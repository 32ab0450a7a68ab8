"""`torhaus scans note` and `scans state`: a document's transfer note, and what a person says for it."""

import argparse
import sys
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from torhaus.daemon.main import add_config

EX_USAGE: Final = 64


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """Their place below `torhaus scans`."""
    note = actions.add_parser("note", help="the transfer note of a document or a batch, as JSON")
    note.add_argument("--xml", action="store_true", help="as XML")
    note.set_defaults(run=run_note)
    state = actions.add_parser("state", help="say of a document or a batch what only a person can say")
    state.add_argument(
        "--field", action="append", required=True, metavar="FIELD=VALUE",
        help="creator=self, quality=passed|failed, completeness=complete|incomplete, match=yes|no; repeatable",
    )  # fmt: skip
    state.add_argument("--by", required=True, metavar="PSEUDONYM", help="who says it: a pseudonym, never a name")
    state.set_defaults(run=run_state)
    for action in (note, state):
        add_config(action)
        action.add_argument("id", nargs="?", metavar="SCAN-ID")
        action.add_argument("--batch", metavar="NAME", help="all documents of a batch instead")


def run_note(args: argparse.Namespace) -> int:
    """Print it."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.evidence.note import BatchNote, Note
    from torhaus.daemon.evidence.note_xml import note_xml

    which = _which(args)
    if which is None:
        return EX_USAGE
    found = ask(args.config, "/scans/note?" + urlencode(which), Note | BatchNote)
    if isinstance(found, int):
        return found
    text = note_xml(found) if args.xml else msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    sys.stdout.write(text.decode())
    return 0


def run_state(args: argparse.Namespace) -> int:
    """Have it entered, and say what is still open."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.evidence.note import FIELDS, BatchNote, Note

    which = _which(args)
    if which is None:
        return EX_USAGE
    query = [*which.items(), ("by", args.by), *(("field", field) for field in args.field)]
    found = ask(args.config, "/scans/state?" + urlencode(query), Note | BatchNote, "POST")
    if isinstance(found, int):
        return found
    for note in found.documents if isinstance(found, BatchNote) else [found]:
        left = [field for field in FIELDS if getattr(note, field) == "open"]
        print(f"{note.id}: " + (f"open: {', '.join(left)}" if left else "nothing is open"))
    return 0


def _which(args: argparse.Namespace) -> dict[str, str] | None:
    if (args.id is None) == (args.batch is None):
        print("name a document (SCAN-ID) or a batch (--batch NAME)", file=sys.stderr)
        return None
    return {"id": args.id} if args.id is not None else {"batch": args.batch}
