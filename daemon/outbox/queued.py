"""What state.db keeps of downlinks: those that wait for their devices, and the last ones that are done with.

Payloads are kept in clear, as records are, and no key. Synchronous; used on the writer thread only.
"""

import sqlite3
import zlib
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from torhaus.codecs.model import Stamp

ID_DIGITS: Final = 12
"""Of an item's id, hexadecimal: shorter than a DevEUI, by which rows of a damaged file are told apart."""
MAX_FACTS: Final = 8192
OUTDATED: Final = "the state is from an earlier time (restored, or damaged): it may have been sent since"
"""Why all that waited in an older state has failed: what was done since is not known, and must not be repeated."""

Outcome = Literal["sent", "acknowledged", "failed", "expired", "cancelled"]
Place = Literal["waiting", "under_way", "unacknowledged", "done"]
"""Waiting for a window; being sent, or so it was when the daemon was killed; sent, and its ACK is to come; over."""


class Report(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing that happened to an item, of which central services are still to be told."""

    state: Literal["queued"] | Outcome
    detail: str = ""
    fcnt: int | None = None
    tries: int = 0


class Queued(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One downlink. `number` gives the order within a priority (the higher one first).

    `ref` is the caller's own name for it, unique within the device's last items. `source`: who asked for it. `at` is
    of the boot `boot`. `tries`: how often it has been sent; `refused`: how often no gateway could send it; `passed`:
    windows that were too small for it. `why`: what it waits for, or how it ended, in words. `untold` is still to be
    put to the outbox; if it was before a crash, it lies there from position `since` on.
    """

    id: str
    number: int
    dev_eui: str
    fport: int
    payload: bytes
    confirmed: bool = False
    priority: int = 0
    ref: str = ""
    source: str = ""
    at: Stamp
    boot: str
    expires_s: float
    place: Place = "waiting"
    outcome: Outcome | None = None
    tries: int = 0
    refused: int = 0
    passed: int = 0
    fcnt: int | None = None
    why: str = ""
    untold: tuple[Report, ...] = ()
    since: int | None = None


Changes = Mapping[str, Queued | None]
"""By id; None: it is to be forgotten."""

_decode: Final = msgspec.json.Decoder(Queued).decode


def save(conn: sqlite3.Connection, changes: Changes) -> None:
    """Write these, within the caller's transaction."""
    for id_, item in changes.items():
        if item is None:
            conn.execute("DELETE FROM downlink WHERE id = ?", (id_,))
        else:
            conn.execute("INSERT OR REPLACE INTO downlink VALUES (?, ?, ?)", row(item))


def load(conn: sqlite3.Connection) -> tuple[list[Queued], list[str]]:
    """All, in the order in which they were queued; and the ids of those that were changed on disk."""
    found: list[Queued] = []
    damaged: list[str] = []
    for id_, text, crc in conn.execute("SELECT id, facts, crc FROM downlink"):
        item = checked(id_, text, crc)
        if item is None:
            damaged.append(id_)
        else:
            found.append(item)
    return sorted(found, key=lambda q: q.number), damaged


def skip_ahead(conn: sqlite3.Connection) -> None:
    """This is an older state than there has been: what waits in it has failed, and is not sent. Caller's transaction.

    Nobody is told of anything else of that time, since it may have been told.
    """
    for item in load(conn)[0]:
        if item.place != "done":
            report = Report("failed", OUTDATED, item.fcnt, item.tries)
            changed = msgspec.structs.replace(
                item, place="done", outcome="failed", why=OUTDATED, untold=(report,), since=None
            )
        else:
            changed = msgspec.structs.replace(item, untold=(), since=None)
        save(conn, {item.id: changed})


def checked(id_: str, text: str, crc: int) -> Queued | None:
    """The facts as they were written; None when they were changed on disk."""
    if len(text) > MAX_FACTS or _crc(id_, text) != crc:
        return None
    try:
        item = _decode(text)
    except (msgspec.DecodeError, ValueError):
        return None
    return item if item.id == id_ else None


def row(item: Queued) -> tuple[str, str, int]:
    """A row of the table."""
    text = msgspec.json.encode(item).decode()
    return item.id, text, _crc(item.id, text)


def _crc(id_: str, text: str) -> int:
    return zlib.crc32(f"{id_}/{text}".encode())
