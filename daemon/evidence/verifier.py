"""Checks an evidence journal of torhaus, or the export of one document. Needs Python 3.9 or newer and nothing else.

    python3 verify.py JOURNAL.jsonl | EXPORT.zip | FOLDER [--key HEX] [--head FILE]...

--key: the box's public key as it was written down when the box was set up (`torhaus evidence key`). --head: what
central services kept of the journal's heads, a line each: NUMBER:HASH as deliveries carry it, or a signed head or root
(JSON). The more of them, the less can have been rewritten: who is root on the box can make a new chain and sign it, but
cannot change what others have written down. Exit code 0: all is proved; 1: something is wrong, and each line says with
which entry or file; 66: no such file.

The journal is a chain: each entry has the SHA-256 of the one before. Roots are hash trees over all entries since the
root before (leaf SHA-256(00 entry), node SHA-256(01 left right), RFC 6962 section 2.1). Heads and roots are signed with
Ed25519 (RFC 8032) over their own JSON with an empty signature, keys sorted, without spaces.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from torhaus.daemon.evidence.chain import Chain
from torhaus.daemon.evidence.export_check import check_export_file
from torhaus.daemon.evidence.proofs import signature_good
from torhaus.daemon.evidence.report import LINE, Report, is_signed, parsed, say, showable
from torhaus.daemon.evidence.stamped import Judge, check_stamps, parse_stamp_line

MAX_LINE = 1 << 20


def parse_heads(text: str) -> list[dict[str, Any]]:
    """Heads and roots that were kept elsewhere, one a line. Raises ValueError."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", line.strip())
        if plain:
            found.append({"seq": int(plain[1]), "hash": plain[2]})
        elif line.strip():
            try:
                said = parsed(line)
            except ValueError:
                said = None
            if not is_signed(said):
                raise ValueError(f"line {number} is no head: NUMBER:HASH or JSON")
            found.append(said)
    return found


def check_journal(
    lines: Iterable[bytes],
    key: str = "",
    kept: Iterable[dict[str, Any]] = (),
    tell: Callable[[int], None] | None = None,
    judge: Judge | None = None,
) -> Report:
    """A journal as `torhaus evidence export --journal` writes it: a first line, entries, signed roots, a signed head.

    `kept`: heads and roots from elsewhere. `tell`: called with the number of entries read, now and then.
    `judge`: of time stamps; without it only what they are about is compared.
    """
    report, rest = Report(), iter(lines)
    try:
        top = parsed(next(rest, b""))
        first, named = top["first"], str(top["key"])
    except (ValueError, KeyError, TypeError):
        first, named = None, ""
    if type(first) is not int or not 0 < first < 1 << 62:
        report.wrong("syntax", "the first line is not that of an evidence journal")
        return report
    key = key or named
    if key != named:
        report.wrong("key", f"the journal names another key ({named}): it is another box's, or was made anew")
    kept = list(kept)
    signed: list[dict[str, Any]] = []
    stamps: dict[int, bytes] = {}
    line = next(rest, b"")
    while line and not LINE.fullmatch(line.rstrip(b"\r\n")):
        signed += _signed(line, report, stamps)
        line = next(rest, b"")
    known, roots = [], []
    for each in [*signed, *kept]:
        name = "root" if "last" in each else "head"
        if "signature" in each and not signature_good(each, key):
            report.wrong("signature", f"the signature of {name} {each['seq']} is not good")
        elif name == "root":
            roots.append(each)
        else:
            known.append((each["seq"], str(each["hash"])))
    chain = report.chain = Chain(first, known, roots)
    while line:
        found = LINE.fullmatch(line.rstrip(b"\r\n"))
        if found:
            chain.add(found[1], found[2].decode())
            if tell is not None and chain.count % 1000 == 0:
                tell(chain.count)
        else:
            report.wrong("syntax", f"a line behind entry {chain.last} is no entry")
        line = next(rest, b"")
    chain.end()
    report.faults += chain.faults
    own = [each for each in signed if "last" in each]
    faults, facts = check_stamps(stamps, own, chain.stamped, first, judge)
    report.faults += faults
    if first > 1:
        report.facts.append(f"entries before {first} are not in it")
    report.facts.append(f"{chain.count} entries to {chain.last}, {len(signed)} signed roots and heads in the file")
    report.facts.append(f"{len(kept)} from elsewhere")
    report.facts += facts
    report.facts.append(f"last hash {chain.last_hash}")
    report.facts.append(f"key {key}")
    return report


def _signed(line: bytes, report: Report, stamps: dict[int, bytes]) -> list[dict[str, Any]]:
    try:
        said = parsed(line)
        (kind,) = said
        each = said[kind]
        if kind == "stamp":
            seq, response = parse_stamp_line(each)
            stamps[seq] = response
            return []
        if kind in {"root", "head"} and is_signed(each):
            return [each]
    except (ValueError, KeyError, TypeError):
        pass
    report.wrong("syntax", f"a line that is neither an entry, a root, a stamp nor a head: {line[:60]!r}")
    return []


def is_zip(path: Path) -> bool:
    """Whether it is meant to be one, whole or not. Raises OSError."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def main(words: list[str] | None = None) -> int:
    """The command line of the printed file."""
    parser = argparse.ArgumentParser(description="Checks an evidence journal or an export of torhaus.")
    parser.add_argument("file", type=Path, help="JOURNAL.jsonl, EXPORT.zip, or an export's folder")
    parser.add_argument("--key", default="", help="the box's public key (hex), written down before")
    parser.add_argument("--head", type=Path, action="append", default=[], help="heads or roots kept elsewhere")
    args = parser.parse_args(words)
    try:
        kept = [head for path in args.head for head in parse_heads(path.read_text(encoding="utf-8"))]
        if args.file.is_dir() or is_zip(args.file):
            report = check_export_file(args.file, args.key.lower())
        else:
            with args.file.open("rb") as file:
                report = check_journal(iter(lambda: file.readline(MAX_LINE), b""), args.key.lower(), kept)
    except (OSError, ValueError) as error:
        sys.stderr.write(showable(str(error)) + "\n")
        return 66
    return say(report, trusted=bool(args.key))


if __name__ == "__main__":
    sys.exit(main())
