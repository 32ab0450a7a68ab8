"""The transfer note of a document, as far as a machine can write it (BSI TR-03138 V1.5, A.NB.4: Transfervermerk).

What it knows is in it: surroundings, anomalies, times, hash, pages. What only a person can say (who scanned it, what
quality control found, whether it is complete, whether the image matches the paper) is "open" until a person has said
it, by `torhaus scans state`, under a pseudonym. Members are added, never changed.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from torhaus.daemon.evidence.config import Procedure
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.scans.db import Scan
from torhaus.daemon.scans.evidence import Data, Entry
from torhaus.daemon.scans.names import display_name

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "creator": ("self",),
    "quality": ("passed", "failed"),
    "completeness": ("complete", "incomplete"),
    "match": ("yes", "no"),
}
"""What a person can state, and how. creator=self: whoever states it has scanned the paper."""


_SHEET: Final = frozenset({"sheet", "department", "class", "pages_expected", "pages_behind"})


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said: `by` is a pseudonym, `account` the system account from which it was said."""

    value: str
    by: str
    account: str
    at: str
    entry: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the document, with the number of the journal's entry."""

    step: str
    at: str
    entry: int
    said: Data = {}


class Software(msgspec.Struct, frozen=True, kw_only=True):
    """What took the document in."""

    name: str = "torhaus"
    version: str = ""


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """Where the journal says all this: in these entries of it, oldest first."""

    first_entry: int
    last_entry: int
    entries: list[int]


Statement = Stated | Literal["open"]


class Note(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="torhaus-transfer-note/1"):
    """One document's note. Times are RFC 3339, UTC; `pages` null: not counted; sha256 is that of the bytes as taken."""

    id: str
    site: str
    station: str
    batch: str | None
    original_name: str
    media_type: str
    bytes: int
    sha256: str
    pages: int | None
    received_at: str
    clock: Literal["synced", "unsynced"]
    cover_sheet: Data | None
    state: str
    target: str | None
    duplicate_of: str | None
    anomalies: list[str]
    processing: list[Step]
    steps: list[Step]
    creator: Statement
    quality: Statement
    completeness: Statement
    match: Statement
    procedure: Procedure
    software: Software
    journal: Journal


class BatchNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag="torhaus-batch-note/1"):
    """The notes of documents that came together, in the order in which they came."""

    batch: str
    site: str
    count: int
    documents: list[Note]


class Unstatable(ValueError):  # noqa: N818 - a fact
    """What was to be stated is none of the things that can be. The text says which can."""


def parse_statement(text: str) -> tuple[str, str]:
    """`quality=passed` to its parts. Raises Unstatable."""
    field, _, value = text.partition("=")
    if field not in FIELDS:
        raise Unstatable(f"{field!r} cannot be stated: {', '.join(FIELDS)}")
    if not value and len(FIELDS[field]) == 1:
        value = FIELDS[field][0]
    if value not in FIELDS[field]:
        raise Unstatable(f"{field} is {' or '.join(FIELDS[field])}")
    return field, value


def make_note(
    scan: Scan, site: str, batch: str | None, entries: Sequence[Entry], procedure: Procedure, version: str
) -> Note:
    """From the document's row and its entries, oldest first."""
    stated: dict[str, Statement] = dict.fromkeys(FIELDS, "open")
    steps: list[Step] = []
    processing: list[Step] = []
    numbers = [entry.seq for entry in entries]
    anomalies, sheet, synced = [f"flag:{flag}" for flag in scan.flags], None, False
    for entry in entries:
        data = entry.data
        step = Step(step=entry.event, at=rfc3339(entry.at), entry=entry.seq, said=data)
        if entry.event == "use.stated":
            stated[str(data["field"])] = Stated(
                value=str(data["value"]), by=str(data["by"]), account=str(data["account"]), at=step.at, entry=entry.seq
            )
            continue
        (processing if entry.event.startswith("post.") else steps).append(step)
        if entry.event in {"held", "quarantined"} or "reason" in data:
            anomalies.append(f"{entry.event}:{data.get('reason')}")
        if "sheet" in data:
            sheet = {key: value for key, value in data.items() if key in _SHEET}
        synced = bool(data.get("synced", synced))
    if scan.duplicate_of is not None:
        anomalies.append(f"duplicate_of:{scan.duplicate_of}")
    return Note(
        id=scan.id, site=site, station=scan.station, batch=batch, original_name=display_name(scan.name),
        media_type=scan.media_type, bytes=scan.size_bytes, sha256=scan.sha256, pages=scan.pages or None,
        received_at=rfc3339(scan.arrived_ns), clock="synced" if synced else "unsynced", cover_sheet=sheet,
        state=scan.state.value, target=scan.target, duplicate_of=scan.duplicate_of, anomalies=anomalies,
        processing=processing, steps=steps, procedure=procedure, software=Software(version=version),
        journal=Journal(first_entry=numbers[0], last_entry=numbers[-1], entries=numbers), **stated,
    )  # fmt: skip
