"""The evidence journal's chain and the roots over it, read entry by entry: what is wrong is named with its number.

Only the standard library: this file is part of what `torhaus evidence verifier` prints for other machines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from torhaus.daemon.evidence.proofs import canonical, leaf_hash, sha256, tree_root

ZERO = "0" * 64
MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing wrong: the entry's number (0: none in particular), a word for it, and a sentence."""

    seq: int
    what: str
    text: str


class Chain:
    """Fed with entries in the order in which they lie there; `faults` says what is wrong with them."""

    def __init__(self, first: int, known: Iterable[tuple[int, str]] = (), roots: Iterable[dict[str, Any]] = ()) -> None:
        self.faults: list[Fault] = []
        self._roots = {int(root["seq"]): root for root in roots}
        self.states: dict[str, str] = {}  # by scan, as the last entry of it says
        self.stamped: dict[int, str] = {}  # by root, the SHA-256 of its stamp
        self.count = 0
        self._first = first
        self.last, self.last_hash = first - 1, ZERO if first == 1 else ""
        self._known: dict[int, list[str]] = {}
        for seq, digest in known:
            self._known.setdefault(seq, []).append(digest)
        self._sure = first - 1  # up to here somebody else has written down the same
        self._lost: list[int] = []
        self.leaves: list[bytes] = []
        self._leaves_from = first

    def fault(self, seq: int, what: str, text: str) -> None:
        """Something is wrong; after the first hundred nothing more is told."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(seq, what, text))

    def add(self, raw: bytes, stored: str) -> None:
        """The next entry: its bytes, and the hash that lies beside it."""
        self.count += 1
        actual = sha256(raw)
        entry = parse_entry(raw)
        if entry is None:
            self.fault(self.last + 1, "syntax", f"entry {self.last + 1} is no entry")
            self._take(self.last + 1, raw, stored)
            return
        seq: int = entry["seq"]
        if seq <= self.last:
            moved = seq in self._lost
            self.fault(seq, "order" if moved else "double", f"entry {seq} lies behind entry {self.last}")
            if moved:
                self._lost.remove(seq)
            return
        if actual != stored:
            self.fault(seq, "changed", f"entry {seq} was changed: its bytes do not have its hash")
        if seq > self.last + 1:
            self._lost += range(self.last + 1, min(seq, self.last + 1 + 10 * MAX_FAULTS))
        elif self.last_hash and entry["prev"] != self.last_hash:
            text = f"entry {seq - 1} is not the one that entry {seq} was written after"
            self.fault(seq - 1, "replaced", text)
        if entry["event"] == "root":
            self._root(seq, entry["data"])
        self._take(seq, raw, stored)
        if entry["event"] == "stamped" and type(entry["data"].get("root")) is int:
            self.stamped[entry["data"]["root"]] = str(entry["data"].get("stamp_sha256"))
        if entry["scan"] is not None and "state" in entry["data"]:
            self.states[entry["scan"]] = entry["data"]["state"]
        if seq in self._known:
            if any(digest != actual for digest in self._known.pop(seq)):
                span = f"entry {seq} or one before it, after {self._sure},"
                self.fault(seq, "head", f"{span} was changed, and the chain made anew: another hash was published")
            else:
                self._sure = seq

    def _take(self, seq: int, raw: bytes, stored: str) -> None:
        self.last, self.last_hash = seq, stored
        self.leaves.append(leaf_hash(raw))

    def _root(self, seq: int, data: dict[str, Any]) -> None:
        """What it says of the entries since the root before, which are all there unless the journal was cut."""
        first, last, said = data.get("first"), data.get("last"), data.get("root")
        leaves, begin = self.leaves, self._leaves_from
        self.leaves, self._leaves_from = [], seq
        if last != seq - 1 or not isinstance(first, int):
            self.fault(seq, "root", f"root {seq} does not say over which entries it is")
            return
        if first >= begin and tree_root(leaves[first - begin :]).hex() != said:
            self.fault(seq, "root", f"entries {first} to {last} do not have the root that entry {seq} names")
        signed = self._roots.pop(seq, None)
        if signed is not None and (signed["first"], signed["last"], signed["hash"]) != (first, last, said):
            self.fault(seq, "root", f"root {seq} is another one than was signed")

    def end(self) -> None:
        """Nothing comes any more."""
        for first, last in _runs(self._lost):
            which = f"entry {first} was" if first == last else f"entries {first} to {last} were"
            self.fault(first, "removed", f"{which} removed")
        for seq in sorted(seq for seq in self._roots if self._first <= seq <= self.last):
            self.fault(seq, "root", f"root {seq} was signed, and is not there")
        beyond = max((seq for seq in (*self._known, *self._roots) if seq > self.last), default=0)
        if beyond:
            text = f"entries {self.last + 1} to {beyond} were cut off: entry {beyond} was published"
            self.fault(self.last, "tail", text)
        self.faults.sort(key=lambda fault: fault.seq)


def parse_entry(raw: bytes) -> dict[str, Any] | None:
    """An entry, or None unless these are the very bytes that such an entry is hashed as."""
    try:
        entry = json.loads(raw)
        good = (
            canonical(entry) == raw
            and set(entry) == {"at", "data", "event", "prev", "scan", "seq"}
            and type(entry["seq"]) is int
            and isinstance(entry["data"], dict)
            and isinstance(entry["event"], str)
            and (entry["scan"] is None or isinstance(entry["scan"], str))
        )
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if good else None


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1] = (out[-1][0], n)
        else:
            out.append((n, n))
    return out
