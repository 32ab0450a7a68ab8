"""Checks what `torhaus evidence export SCAN-ID` wrote, the ZIP file or its unpacked folder: all of it, and only that.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from torhaus.daemon.evidence.chain import Fault, parse_entry
from torhaus.daemon.evidence.proofs import leaf_hash, root_by_path, sha256, signature_good
from torhaus.daemon.evidence.report import LINE, Report, is_signed, parsed
from torhaus.daemon.evidence.stamped import check_export_stamps

MEMBER = re.compile(
    r"note\.json|note\.xml|entries\.jsonl|roots\.jsonl|key\.txt|verify\.py|README\.txt|root-[0-9]+\.(json|tsr)"
)
MAX_MEMBER_BYTES = 64 << 20
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
"""What zipfile raises for bytes that are not those of a ZIP, or not any more."""


class Contents(NamedTuple):
    """The files of an export but for the document, of which only the SHA-256 is wanted (empty: there is none)."""

    files: dict[str, bytes]
    document: str
    faults: list[Fault]
    facts: list[str]


def check_export_file(path: Path, key: str = "") -> Report:
    """A ZIP file or a folder. `key`: hex, as it was written down before. Raises OSError if it cannot be opened."""
    contents = read_export(path)
    report = check_export(contents.files, key, contents.document)
    report.faults[:0] = contents.faults
    report.facts += contents.facts
    return report


def read_export(path: Path) -> Contents:
    """What can be read of it; what cannot is a fault that names the file. Raises OSError if it cannot be opened."""
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if each.is_file())
        return _read([(name, partial(_open_file, path / name)) for name in names])
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read([(info.filename, partial(_open, archive, info)) for info in archive.infolist()])
        except DAMAGE as error:
            return Contents({}, "", [Fault(0, "file", f"the ZIP is damaged or cut off: {error}")], [])


def _open_file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} or info.flag_bits & 1:
        raise ValueError("it is packed in a way in which no export is")
    return archive.open(info)


def _read(members: list[tuple[str, Callable[[], IO[bytes]]]]) -> Contents:
    files: dict[str, bytes] = {}
    documents: dict[str, str] = {}
    faults, others = [], []
    for name, opened in members:
        is_document = name.partition(".")[0] == "document"
        if not is_document and not MEMBER.fullmatch(name):
            others.append(name)
            continue
        if name in files or name in documents:
            faults.append(Fault(0, "file", f"{name} is in it twice"))
        try:
            with opened() as file:
                if is_document:
                    documents[name] = _sha256_of(file)
                else:
                    files[name] = _all_of(file)
        except DAMAGE as error:
            faults.append(Fault(0, "file", f"{name} cannot be read: {error or 'it is cut off'}"))
    if len(documents) > 1:
        faults.append(Fault(0, "file", f"there are {len(documents)} documents: {', '.join(sorted(documents))}"))
    facts = [f"no part of an export, and not looked at: {', '.join(sorted(others))}"] if others else []
    return Contents(files, next(iter(documents.values()), ""), faults, facts)


def _all_of(file: IO[bytes]) -> bytes:
    data = file.read(MAX_MEMBER_BYTES + 1)
    if len(data) > MAX_MEMBER_BYTES:
        raise ValueError("it is larger than any export's")
    return data


def _sha256_of(file: IO[bytes]) -> str:
    sha = hashlib.sha256()
    for chunk in iter(lambda: file.read(1 << 20), b""):
        sha.update(chunk)
    return sha.hexdigest()


def check_export(files: dict[str, bytes], key: str = "", document_hash: str = "") -> Report:
    """The files but for the document, and the SHA-256 that it has."""
    report = Report()
    try:
        note = parsed(files["note.json"])
        named = files["key.txt"].decode().strip()
        roots = {each["seq"]: each for each in map(parsed, files["roots.jsonl"].splitlines()) if is_signed(each)}
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
    entries = list(_entries(lines, scan, roots, report))
    seen: dict[str, Any] = {entry["event"]: entry["data"] for entry in entries}
    report.faults += _complete(note, entries)
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


def _entries(lines: list[bytes], scan: str, roots: dict[int, Any], report: Report) -> Iterator[dict[str, Any]]:
    """Those that can be read, in the order in which they lie there."""
    last = 0
    for number, line in enumerate(lines, 1):
        found = LINE.fullmatch(line)
        entry = parse_entry(found[1]) if found else None
        if found is None or entry is None or found[5] is None:
            report.wrong("syntax", f"line {number} of entries.jsonl is no entry with its proof")
            continue
        seq = entry["seq"]
        if sha256(found[1]) != found[2].decode():
            report.faults.append(Fault(seq, "changed", f"entry {seq} was changed: its bytes do not have its hash"))
        if not _is_proved(found, seq, roots.get(int(found[5]), {})):
            report.faults.append(Fault(seq, "proof", f"entry {seq} is not proved by a signed root"))
        if entry["scan"] != scan:
            report.faults.append(Fault(seq, "scan", f"entry {seq} is of another document"))
        if seq <= last:
            report.faults.append(Fault(seq, "order", f"entry {seq} lies behind entry {last}"))
        last = seq
        yield entry


def _is_proved(found: re.Match[bytes], seq: int, root: dict[str, Any]) -> bool:
    """Whether the entry is where its root says, by the path beside it."""
    if not {"first", "last"} <= set(root):
        return False
    try:
        path = [bytes.fromhex(step) for step in parsed(found[4])]
    except (ValueError, TypeError):
        return False
    index, size = int(found[3]), root["last"] - root["first"] + 1
    computed = root_by_path(leaf_hash(found[1]), index, size, path)
    return computed is not None and computed.hex() == root["hash"] and seq == root["first"] + index


def _complete(note: dict[str, Any], entries: list[dict[str, Any]]) -> Iterator[Fault]:
    """All entries that the note names and, as the last one, that it was exported."""
    named = _named(note)
    if named is None:
        yield Fault(0, "note", "note.json does not say which entries belong to it")
        return
    there = {entry["seq"] for entry in entries}
    for seq in sorted(named - there):
        yield Fault(seq, "removed", f"entry {seq} was removed")
    end = max(there | {0})
    if not any(entry["event"] == "use.exported" and entry["seq"] not in named for entry in entries):
        last = max(named, default=0)
        yield Fault(last, "removed", f"the entry of the export itself, behind entry {last}, was removed")
    for entry in entries:
        if entry["seq"] in named or (entry["seq"] == end and entry["event"] == "use.exported"):
            continue
        if entry["event"] != "use.stated" or "entries" in note["journal"]:  # older notes name the last statements only
            yield Fault(entry["seq"], "more", f"entry {entry['seq']} is none of those that note.json names")


def _named(note: dict[str, Any]) -> set[int] | None:
    """Numbers of the entries that were there when the note was made; None if it does not say."""
    try:
        numbers = note["journal"].get("entries")
        if numbers is None:
            said = [note[field] for field in ("creator", "quality", "completeness", "match")]
            steps = [*note["steps"], *note["processing"], *(each for each in said if each != "open")]
            numbers = [step["entry"] for step in steps]
        return set(numbers) if all(type(n) is int for n in numbers) else None
    except (KeyError, TypeError, AttributeError):
        return None


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
