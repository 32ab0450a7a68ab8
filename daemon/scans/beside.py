"""What lies beside documents (ready files, sidecars, locks), and which of it is whose.

Upper and lower case are alike, for devices write one and mean the other, unless documents differ in nothing else: then
each only gets what is spelled as it is itself, and never what is another's.
"""

import os
from collections.abc import Iterable, Mapping

from torhaus.daemon.scans.folder import Entry


class Neighbours:
    """Of one look. `patterns`: those that are asked for later; `in_batches`: subfolders are batches."""

    def __init__(
        self, beside: Mapping[bytes, Entry], entries: Iterable[Entry], patterns: Iterable[str], *, in_batches: bool
    ) -> None:
        self._in_batches = in_batches
        self._there: dict[str, dict[str, Entry]] = {}  # by name in small letters, then as it is spelled
        for name, entry in beside.items():
            self._there.setdefault(os.fsdecode(name).lower(), {})[os.fsdecode(name)] = entry
        self._meant: dict[tuple[str, str], set[str]] = {}  # by pattern and name in small letters: spellings
        documents = list(entries)
        for pattern in patterns:
            for document in documents:
                meant = self._name(pattern, document)
                self._meant.setdefault((pattern, meant.lower()), set()).add(meant)

    def _name(self, pattern: str, entry: Entry) -> str:
        place = os.fsdecode(entry.name)
        is_batch = self._in_batches and entry.depth and not entry.claimed
        return named(pattern, place, place.partition("/")[0] if is_batch else "")

    def _is_told_apart(self, pattern: str, name: str) -> bool:
        """Whether documents want names here that differ in nothing but their case."""
        return len(self._meant[pattern, name.lower()]) > 1

    def shared(self, pattern: str, entry: Entry) -> str:
        """The same for all documents that want the same by this pattern."""
        name = self._name(pattern, entry)
        return name if self._is_told_apart(pattern, name) else name.lower()

    def of(self, pattern: str, entry: Entry) -> Entry | None:
        """What lies beside a document by this pattern; None where it does not (yet)."""
        name = self._name(pattern, entry)
        alike = self._there.get(name.lower(), {})
        if name in alike or len(alike) != 1 or self._is_told_apart(pattern, name):
            return alike.get(name)
        return next(iter(alike.values()))

    def of_all(self, pattern: str, entries: Iterable[Entry]) -> list[Entry | None]:
        """One for all of them, or one for each, in the order of their names."""
        found = {self.shared(pattern, entry): self.of(pattern, entry) for entry in entries}
        return [found[name] for name in sorted(found)]

    def is_locked(self, entries: Iterable[Entry], batch: str | None) -> bool:
        """Whether a lock says that a document, or its batch, is not done."""
        if batch is not None:
            inside = f"{batch}/".lower()
            if any(name.startswith(inside) and name.endswith((".lock", ".lck")) for name in self._there):
                return True
            stems = {batch.lower()}
        else:
            both = ("{name}", "{stem}")
            stems = {named(pattern, os.fsdecode(e.name), "").lower() for e in entries for pattern in both}
        return any(f"{stem}{ending}" in self._there for stem in stems for ending in (".lock", ".lck"))


def named(pattern: str, place: str, batch: str) -> str:
    """The name that a pattern means for a document in this place, or for its batch."""
    folder, slash, name = place.rpartition("/")
    if "{batch}" in pattern:
        return pattern.replace("{batch}", batch)
    if "{name}" in pattern or "{stem}" in pattern:
        stem = name.rpartition(".")[0] or name
        return folder + slash + pattern.replace("{name}", name).replace("{stem}", stem)
    return f"{batch}/{pattern}" if batch else folder + slash + pattern
