"""The journal as lines for whoever checks it: from the store, without changing anything in it.

The first line says whose it is, `{"root": …}` and `{"head": …}` lines what was signed, `{"stamp": …}` lines what others
say of roots, and then there is one line an entry: `{"entry":<the very bytes that are hashed>,"hash":"<hex>"}`.
`verifier.py` reads that, here and elsewhere.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from torhaus.daemon.evidence.chain import Fault
from torhaus.daemon.evidence.report import Report
from torhaus.daemon.evidence.roots import parse_root
from torhaus.daemon.evidence.stamped import Judge, stamp_line
from torhaus.daemon.evidence.verifier import check_journal
from torhaus.daemon.scans import evidence

KEY: Final = "key/evidence"
"""The name in the table `seen` under which our public key is remembered."""


def public_key(conn: sqlite3.Connection) -> str:
    """The key that signed last, hex; empty before the first start has come that far."""
    row = conn.execute("SELECT sha256 FROM seen WHERE name = ?", (KEY,)).fetchone()
    return str(row[0]) if row else ""


def journal_lines(
    conn: sqlite3.Connection, head: evidence.Head | None, key: str, since_ns: int | None = None
) -> Iterator[bytes]:
    """All of it, or what is needed to check everything since a time: from the root before."""
    store = conn.execute("SELECT store FROM store").fetchone()[0]
    first, roots = 1, []
    for seq, signed, stamp in conn.execute("SELECT seq, signed, stamp FROM root ORDER BY seq"):
        roots.append((seq, signed, stamp))
        if since_ns is not None and (root := parse_root(signed)) is not None and root.at <= since_ns:
            first, roots = root.seq, roots[-1:]
    yield msgspec.json.encode({"torhaus_evidence": 1, "store": store, "first": first, "key": key}) + b"\n"
    for seq, signed, stamp in roots:
        yield b'{"root":' + signed.replace(b"\n", b" ") + b"}\n"
        if stamp is not None:
            yield stamp_line(seq, stamp)
    if head is not None:
        yield b'{"head":' + msgspec.json.encode(head, order="sorted") + b"}\n"
    rows = conn.execute("SELECT entry, hash FROM evidence WHERE seq >= ? ORDER BY seq", (first,))
    for entry, digest in rows:
        yield b'{"entry":' + entry.replace(b"\n", b" ") + b',"hash":"' + digest.hex().encode() + b'"}\n'


def verify(
    conn: sqlite3.Connection,
    head: evidence.Head | None,
    *,
    since_ns: int | None = None,
    key: str = "",
    kept: Iterable[dict[str, Any]] = (),
    tell: Callable[[int], None] | None = None,
    judge: Judge | None = None,
) -> Report:
    """Check it where it is; and whether each document stands where the journal says, so that neither is cut alone."""
    named = public_key(conn) or (head.key if head is not None else "")
    report = check_journal(journal_lines(conn, head, named, since_ns), key, kept, tell, judge)
    if report.chain is None or since_ns is not None or report.faults:
        return report
    states = dict(report.chain.states)
    for scan, state in conn.execute("SELECT id, state FROM scan ORDER BY seq"):
        said = states.pop(scan, None)
        if said != state:
            report.faults.append(Fault(0, "state", f"{scan} is {state} in the store, {said} in the journal"))
    for scan, said in states.items():
        report.faults.append(Fault(0, "state", f"{scan} is {said} in the journal, and not in the store"))
    return report
