"""`torhaus scans qc`, `feedback`, `lots`, `release` and others: what is looked at, and which paper may go."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

from torhaus.daemon.cli.show import ago, table
from torhaus.daemon.main import add_config
from torhaus.daemon.scans.release.papers import Paper, Result

if TYPE_CHECKING:
    pass

EX_USAGE: Final = 64
EX_UNAVAILABLE: Final = 69
EX_CANTCREAT: Final = 73
_RESULTS: Final = [r.value for r in Result]


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """Their place below `torhaus scans`."""
    lots = actions.add_parser("lots", help="closed batches and days: how many documents are to be looked at")
    lots.set_defaults(run=run_lots)
    quality = actions.add_parser("qc", help="say what quality control found of a document, or of the rest of a batch")
    quality.set_defaults(run=run_quality)
    quality.add_argument(
        "--batch", metavar="NAME", help="all of it at which nobody has looked, instead of one document"
    )
    quality.add_argument(
        "said",
        nargs="+",
        metavar="SCAN-ID|RESULT",
        help=f"a document and one of {', '.join(_RESULTS)}; or the result alone",
    )
    feedback = actions.add_parser("feedback", help="what the department says of a document that it got")
    feedback.set_defaults(run=run_feedback)
    feedback.add_argument("id", metavar="SCAN-ID")
    feedback.add_argument("result", metavar="RESULT", choices=_RESULTS, help=", ".join(_RESULTS))
    replaced = actions.add_parser("replaced", help="say that a bad document was scanned again, and as which one")
    replaced.set_defaults(run=run_replaced)
    replaced.add_argument("id", metavar="SCAN-ID", help="the bad one")
    replaced.add_argument("new", metavar="NEW-SCAN-ID", help="the one that was scanned later from the same paper")
    settled = actions.add_parser("settled", help="say that what was wrong with a document is settled in another way")
    settled.set_defaults(run=run_settled)
    settled.add_argument("id", metavar="SCAN-ID")
    listing = actions.add_parser(
        "release-list", help="which paper of a batch may be destroyed, and what the rest waits for"
    )
    listing.set_defaults(run=run_listing)
    listing.add_argument("-o", "--output", type=Path, metavar="FILE.pdf", help="as a PDF to print")
    listing.add_argument("--csv", action="store_true", help="as CSV")
    listing.add_argument("--lang", choices=["de", "en"], default="de", help="of the PDF and the CSV (default de)")
    discard = actions.add_parser("discard", help="delete a document that is held or in quarantine, for good")
    discard.set_defaults(run=run_discard)
    discard.add_argument("id", metavar="SCAN-ID")
    release = actions.add_parser("release", help="release all paper of a batch that may be destroyed")
    release.set_defaults(run=run_release)
    for action in (listing, release):
        action.add_argument("--batch", required=True, metavar="NAME", help="as `torhaus scans lots` names it")
    for action in (quality, feedback, replaced, settled, release, discard):
        action.add_argument("--by", required=True, metavar="PSEUDONYM", help="who says it: a pseudonym, never a name")
    for action in (lots, quality, feedback, replaced, settled, listing, release, discard):
        add_config(action)
        action.add_argument("--json", action="store_true", help="as JSON")


def run_lots(args: argparse.Namespace) -> int:
    """The newest first."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.clock import SystemClock
    from torhaus.daemon.scans.release.lots import Lot

    found: list[Lot] | int = ask(args.config, "/scans/lots", list[Lot])
    if isinstance(found, int):
        return found
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    now = SystemClock().wall_ns()
    rows = [(n.name, ago(n.drawn_ns, now), n.count, n.sampled, n.open, n.failed, n.settled, n.released) for n in found]
    print(table(("BATCH", "CLOSED", "DOCUMENTS", "SAMPLE", "TO LOOK AT", "BAD", "SETTLED", "RELEASED"), rows))
    return 0


def run_quality(args: argparse.Namespace) -> int:
    """Of one document or of the rest of a batch."""
    if len(args.said) != (1 if args.batch else 2):
        print("name a document and a result, or --batch NAME and a result", file=sys.stderr)
        return EX_USAGE
    which = {"batch": args.batch} if args.batch else {"id": args.said[0]}
    return _say(args, "quality", which | {"result": args.said[-1]}, args.said[-1])


def run_feedback(args: argparse.Namespace) -> int:
    """Of one document."""
    return _say(args, "feedback", {"id": args.id, "result": args.result}, args.result)


def run_replaced(args: argparse.Namespace) -> int:
    """Of one document."""
    return _say(args, "replaced", {"id": args.id, "new": args.new}, f"replaced by {args.new}")


def run_settled(args: argparse.Namespace) -> int:
    """Of one document."""
    return _say(args, "settled", {"id": args.id}, "settled")


def _say(args: argparse.Namespace, what: str, which: dict[str, str], said: str) -> int:
    from torhaus.daemon.cli.scans import ask

    query = urlencode(which | {"by": args.by})
    found = ask(args.config, f"/scans/{what}?{query}", dict[str, int], "POST")
    if isinstance(found, int):
        return found
    count = found["count"]
    documents = f"{count} {'document' if count == 1 else 'documents'}: {said}"
    print(msgspec.json.encode(found).decode() if args.json else documents)
    if found.get("withdrawn") and not args.json:
        print("Its paper had been released: that is taken back. If the paper is still there, keep it.")
    return 0


def run_listing(args: argparse.Namespace) -> int:
    """On the screen, as CSV, or as a PDF."""
    from torhaus.daemon.cli.scans import ask
    from torhaus.daemon.config.load import load
    from torhaus.daemon.scans.release.listing import csv_of

    found = ask(args.config, "/scans/release?" + urlencode({"batch": args.batch}), list[Paper])
    if isinstance(found, int):
        return found
    if args.output is not None:
        try:
            from torhaus.daemon.scans.release.paper_list import pdf_of
        except ImportError:
            print("a PDF needs the extra 'scans'", file=sys.stderr)
            return EX_UNAVAILABLE
        title = load(args.config, check_only=True).site.name or ""
        try:
            args.output.write_bytes(pdf_of(found, title, args.lang, datetime.now(UTC)))
        except OSError as e:
            print(f"{args.output}: {e.strerror or e}", file=sys.stderr)
            return EX_CANTCREAT
        return 0
    if args.csv:
        sys.stdout.write(csv_of(found, args.lang))
    else:
        _print(found, as_json=args.json)
    return 0


def run_release(args: argparse.Namespace) -> int:
    """Say what is released now, and what is not and why."""
    from torhaus.daemon.cli.scans import ask

    query = urlencode({"batch": args.batch, "by": args.by})
    found = ask(args.config, f"/scans/release?{query}", list[Paper], "POST")
    if isinstance(found, int):
        return found
    _print(found, as_json=args.json)
    return 0


def run_discard(args: argparse.Namespace) -> int:
    """Its bytes go, its journal stays."""
    from torhaus.daemon.cli.scans import ask

    query = urlencode({"id": args.id, "by": args.by})
    found = ask(args.config, f"/scans/discard?{query}", dict[str, str], "POST")
    if isinstance(found, int):
        return found
    print(msgspec.json.encode(found).decode() if args.json else f"{found['id']}: {found['state']}")
    return 0


def _print(papers: list[Paper], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(papers).decode())
        return
    from torhaus.daemon.scans.release.listing import day, word

    rows = [
        (p.place, p.id, p.class_ or "", p.pages, "yes" if p.sampled else "", p.quality or "", p.feedback or "",
         day(p.free_from_ns), word(p, "en"))
        for p in papers
    ]  # fmt: skip
    print(table(("NO", "ID", "CLASS", "PAGES", "SAMPLE", "QC", "FEEDBACK", "DESTROY FROM", "STANDING"), rows))
    print(f"{sum(p.released_ns is not None for p in papers)} of {len(papers)} released")
