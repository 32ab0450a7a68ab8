"""Checks an evidence journal of torhaus, or the export of one document. Needs Python 3.9 or newer and nothing else.

    python3 verify.py JOURNAL.jsonl | EXPORT.zip | FOLDER [--key HEX] [--head FILE]...

--key: the box's public key as it was written down when the box was set up (`torhaus evidence key`). --head: what
central services kept of the journal's heads, a line each: NUMBER:HASH as deliveries carry it, or a signed head or root
(JSON). The more of them, the less can have been rewritten: who is root on the box can make a new chain and sign it, but
cannot change what others have written down. Exit code 0: all is proved; 1: something is wrong; 66: no such file.

The journal is a chain: each entry has the SHA-256 of the one before. Roots are hash trees over all entries since the
root before (leaf SHA-256(00 entry), node SHA-256(01 left right), RFC 6962 section 2.1). Heads and roots are signed with
Ed25519 (RFC 8032) over their own JSON with an empty signature, keys sorted, without spaces.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from torhaus.daemon.evidence.chain import Chain, Fault, parse_entry
from torhaus.daemon.evidence.proofs import leaf_hash, root_by_path, sha256, signature_good
from torhaus.daemon.evidence.stamped import Judge, check_export_stamps, check_stamps, parse_stamp_line

MAX_LINE = 1 << 20
LINE = re.compile(
    rb'\{"entry":(.*),"hash":"([0-9a-f]{64})"(?:,"index":([0-9]{1,18}),"path":(\[[^\]]*\]),"root":([0-9]{1,18}))?\}'
)


class Report:
    """What a verification came to."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.facts: list[str] = []
        self.chain: Chain | None = None

    @property
    def entries(self) -> int:
        """How many were read."""
        return self.chain.count if self.chain is not None else 0

    @property
    def last_hash(self) -> str:
        """Of the last entry, hex."""
        return self.chain.last_hash if self.chain is not None else ""

    def wrong(self, what: str, text: str) -> None:
        """Something that belongs to no entry in particular."""
        self.faults.append(Fault(0, what, text))


def parse_heads(text: str) -> list[dict[str, Any]]:
    """Heads and roots that were kept elsewhere, one a line. Raises ValueError."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", line.strip())
        if plain:
            found.append({"seq": int(plain[1]), "hash": plain[2]})
        elif line.strip():
            try:
                said = json.loads(line)
            except ValueError:
                said = None
            if not is_signed(said):
                raise ValueError(f"line {number} is no head: NUMBER:HASH or JSON")
            found.append(said)
    return found


def is_signed(each: Any) -> bool:  # noqa: ANN401 - whatever was in the file
    """Whether it has the members of a head or a root, each of its own type."""
    if not isinstance(each, dict) or not {"seq", "hash", "key", "signature"} <= set(each):
        return False
    numbers = [each[name] for name in ("seq", "first", "last") if name in each]
    return all(type(n) is int and 0 <= n < 1 << 62 for n in numbers) and isinstance(each["hash"], str)


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
        top = json.loads(next(rest, b""))
        first, named = int(top["first"]), str(top["key"])
    except (ValueError, KeyError, TypeError):
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
        said = json.loads(line)
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


def check_export(files: dict[str, bytes], key: str = "", document_hash: str = "") -> Report:
    """What `torhaus evidence export SCAN-ID` wrote, but for the document, of which only the hash is wanted."""
    report = Report()
    try:
        note = json.loads(files["note.json"])
        named = files["key.txt"].decode().strip()
        roots = {each["seq"]: each for each in map(json.loads, files["roots.jsonl"].splitlines()) if is_signed(each)}
        lines = files["entries.jsonl"].splitlines()
        scan, said_hash = str(note["id"]), str(note["sha256"])
    except (KeyError, ValueError, TypeError) as error:
        report.wrong("syntax", f"the export is not whole: {error}")
        return report
    key = key or named
    if key != named:
        report.wrong("key", f"the export names another key ({named}): it is another box's, or was made anew")
    for seq, root in roots.items():
        if not signature_good(root, key):
            report.wrong("signature", f"the signature of root {seq} is not good")
    seen: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        found = LINE.fullmatch(line)
        entry = parse_entry(found[1]) if found else None
        if found is None or entry is None or found[5] is None:
            report.wrong("syntax", f"line {number} of entries.jsonl is no entry with its proof")
            continue
        if not _is_proved(found, entry["seq"], roots.get(int(found[5]), {})):
            report.faults.append(Fault(entry["seq"], "proof", f"entry {entry['seq']} is not proved by a signed root"))
        if entry["scan"] != scan:
            report.faults.append(Fault(entry["seq"], "scan", f"entry {entry['seq']} is of another document"))
        seen[entry["event"]] = entry["data"]
    purged = "" if document_hash else str(seen.get("purged", {}).get("sha256"))
    report.faults += _compare(files, said_hash, document_hash or purged, seen)
    if purged == said_hash:
        report.facts.append("the document was deleted on the box, as its journal says, and is not in the export")
    faults, facts = check_export_stamps(files, roots)
    report.faults += faults
    report.facts.append(f"document {scan}, SHA-256 {said_hash}, {len(lines)} entries, {len(roots)} signed roots")
    report.facts += facts
    report.facts.append(f"key {key}")
    return report


def _is_proved(found: re.Match[bytes], seq: int, root: dict[str, Any]) -> bool:
    """Whether the entry is where its root says, by the path beside it."""
    if not {"first", "last"} <= set(root):
        return False
    try:
        path = [bytes.fromhex(step) for step in json.loads(found[4])]
    except (ValueError, TypeError):
        return False
    index, size = int(found[3]), root["last"] - root["first"] + 1
    computed = root_by_path(leaf_hash(found[1]), index, size, path)
    return computed is not None and computed.hex() == root["hash"] and seq == root["first"] + index


def _compare(files: dict[str, bytes], said: str, document: str, seen: dict[str, Any]) -> Iterator[Fault]:
    """The document and its notes with what the journal says of them."""
    if document != said:
        yield Fault(0, "document", f"the document has SHA-256 {document or '(none)'}, its note says {said}")
    if seen.get("spooled", {}).get("sha256") != said:
        yield Fault(0, "document", "the journal has no entry that a document with this SHA-256 was taken in")
    exported = seen.get("use.exported", {})
    for name, field in (("note.json", "note_sha256"), ("note.xml", "note_xml_sha256")):
        if name not in files or exported.get(field) != sha256(files[name]):
            yield Fault(0, "note", f"{name} is not the one that the journal says was exported")


def read_export(path: Path) -> tuple[dict[str, bytes], str]:
    """The files of an export, a folder or a ZIP, and the document's SHA-256. Raises OSError, ValueError."""
    import hashlib

    small, digest = {}, ""
    if path.is_dir():
        names = [each.name for each in path.iterdir() if each.is_file()]
        opened: Any = lambda name: (path / name).open("rb")  # noqa: E731 - two ways to the same
    else:
        archive = zipfile.ZipFile(path)
        names, opened = archive.namelist(), archive.open
    for name in names:
        with opened(name) as file:
            if name.partition(".")[0] == "document":
                sha = hashlib.sha256()
                for chunk in iter(lambda f=file: f.read(1 << 20), b""):  # type: ignore[misc]
                    sha.update(chunk)
                digest = sha.hexdigest()
            else:
                small[name] = file.read(64 << 20)
    return small, digest


def main(words: list[str] | None = None) -> int:
    """The command line of the printed file."""
    parser = argparse.ArgumentParser(description="Checks an evidence journal or an export of torhaus.")
    parser.add_argument("file", type=Path, help="JOURNAL.jsonl, EXPORT.zip, or an export's folder")
    parser.add_argument("--key", default="", help="the box's public key (hex), written down before")
    parser.add_argument("--head", type=Path, action="append", default=[], help="heads or roots kept elsewhere")
    args = parser.parse_args(words)
    try:
        kept = [head for path in args.head for head in parse_heads(path.read_text(encoding="utf-8"))]
        if args.file.is_dir() or zipfile.is_zipfile(args.file):
            report = check_export(*_with_key(read_export(args.file), args.key))
        else:
            with args.file.open("rb") as file:
                report = check_journal(iter(lambda: file.readline(MAX_LINE), b""), args.key.lower(), kept)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"{error}\n")
        return 66
    return say(report, trusted=bool(args.key))


def _with_key(read: tuple[dict[str, bytes], str], key: str) -> tuple[dict[str, bytes], str, str]:
    return read[0], key.lower(), read[1]


def say(report: Report, *, trusted: bool) -> int:
    """Print it; the exit code."""
    out = [f"{fault.text}  [{fault.what}]" for fault in report.faults]
    out += report.facts
    if not trusted:
        out.append("the key was taken from the file itself: compare it with the one that was written down")
    out.append("NOT PROVED" if report.faults else "proved")
    sys.stdout.write("\n".join(out) + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
