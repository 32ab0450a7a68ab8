"""One document's story in words, and how far those of a list have come."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from torhaus.daemon.cli.show import plain, size
from torhaus.daemon.scans.states import State

if TYPE_CHECKING:
    from torhaus.daemon.scans.pages import Row, Shown

EVENTS: Final = {
    "arrived": "noticed, and finished",
    "spooled": "on our own disk, and hashed",
    "source_removed": "removed from where it came from",
    "sealed": "checked; where it goes is settled",
    "delivering": "on its way to its target",
    "transferred": "its target said yes",
    "verified": "its target has the same bytes",
    "filed": "its target has told what it made of it",
    "lot_closed": "its batch is closed, and the sample drawn",
    "received": "came from another torhaus, with where its journal stands",
    "split": "became documents of their own at its cover sheets",
    "released": "its paper may be destroyed",
    "paper_released": "its paper may be destroyed; our copy has gone before",
    "release_withdrawn": "its release is taken back: keep its paper",
    "purged": "our copy is deleted",
    "quarantined": "put into quarantine: its bytes are kept, not sent",
    "held": "waits for a person",
    "checked_again": "checked again, and not found good",
    "post.split": "split at its cover sheets",
    "use.retried": "somebody wants it to go on",
    "use.opened": "somebody has opened it on the page",
    "use.quality": "somebody has looked at it",
    "use.feedback": "its department has looked at it",
    "use.replaced": "somebody says that it was bad and was scanned again",
    "use.replaces": "somebody says that it was scanned in place of a bad one, and is to be looked at",
    "use.settled": "somebody says that what was wrong with it is settled",
    "lot_redrawn": "drawn to be looked at, as another one of its batch has gone or come",
    "use.stated": "somebody has stated something of it",
    "use.exported": "exported with its proofs",
}
_KEYS: Final = {"sampled": "in the sample", "drawn_from": "in the draw"}
_SAID_ALREADY: Final = frozenset({"state", "sha256", "bytes", "station", "media_type", "flags"})


def story(shown: "Shown") -> str:
    """What it is, where it stands, and everything that happened to it."""
    s = shown.scan
    standing = s.state + (f" ({s.reason})" if s.reason else "") + (f", target {s.target}" if s.target else "")
    facts = [
        ("id", s.id),
        ("name", s.name or "(deleted with the document)"),
        ("stands", standing),
        ("came by", s.station + (f", in batch {s.batch}" if s.batch else "")),
        ("is", f"{s.media_type}, {s.pages or 'unknown'} pages, {size(s.size_bytes)}"),
        ("sha256", s.sha256),
    ]
    if s.duplicate_of:
        facts.append(("same as", s.duplicate_of))
    if stack := shown.stack:
        pages = _pages(stack.first_page, stack.last_page)
        facts.append(("part", f"{stack.part} of {stack.parts} of {stack.id}, its {pages}"))
    for part in shown.parts:
        standing = part.state + (f" ({part.reason})" if part.reason else "")
        pages = _pages(part.first_page, part.last_page)
        facts.append(("became", f"{part.id}, {pages}: {standing}" + (f", target {part.target}" if part.target else "")))
    lines = [f"{name:<8}{plain(value)}" for name, value in facts]
    lines.append("")
    for entry in shown.entries:
        told = ", ".join(
            f"{_KEYS.get(key, key.replace('_', ' '))} {_value(value)}"
            for key, value in entry.data.items()
            if key not in _SAID_ALREADY and value not in (None, "")
        )
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at // 1_000_000_000))
        words = EVENTS.get(entry.event, entry.event)
        lines.append(plain(f"{at}  {words}" + (f": {told}" if told else "")))
    return "\n".join(lines)


def _value(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _pages(first: int, last: int) -> str:
    return f"page {first}" if first == last else f"pages {first} to {last}"


def progress(rows: Sequence["Row"]) -> str:
    """`12 documents: 2 delivering, 10 verified`, in the order of a document's life."""
    counts = Counter(row.state for row in rows)
    parts = [f"{counts[state.value]} {state.value}" for state in State if counts[state.value]]
    head = f"{len(rows)} {'document' if len(rows) == 1 else 'documents'}"
    return f"{head}: {', '.join(parts)}" if parts else "no documents"
