"""Tells which documents of a look are finished, by the station's rule, and which of them belong together.

In the order of their strength: a name that is only given to what is whole (`renamed`), a ready file or sidecar that is
written last, the counts in a sidecar, a file that stands still (`stable`), and "all but the newest". The strict check
follows in every case. What gets no signal for `give_up_s` (a batch: `batch_timeout_s`) is taken and held.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError
from torhaus.codecs.sidecar import MAX_BYTES, Told, read
from torhaus.daemon.scans.beside import Neighbours
from torhaus.daemon.scans.config import Station
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.folder import Entry, HotFolder, Identity, Look
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.prepare import Quiet, Seen, Together
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import as_glob

MAX_BATCH: Final = 200
"""Characters of a batch's name."""
_S: Final = 1e9
_NO_END_MARK: Final = frozenset({"plain", "ini", "columns"})
"""Formats of which a half looks like a whole: such a sidecar must stand still first."""


class Unit(msgspec.Struct):
    """Documents that are judged together. `batch` is their subfolder where that is one."""

    entries: list[Entry]
    batch: str | None = None

    @property
    def mtime_ns(self) -> int:
        """When its writer last wrote, by the writer's clock or the file server's."""
        return max(entry.identity.mtime_ns for entry in self.entries)


class Finished:
    """One station's patience. `seen` is what is known of each entry, by its name."""

    def __init__(self, station: Station, folder: HotFolder, leave: Callable[[Seen, str], bool]) -> None:
        self._station = station
        self._folder = folder
        self._leave = leave
        sidecar = (station.sidecar.name,) if station.sidecar is not None else ()
        self._patterns = (*sidecar, station.ready_file) if station.ready_file is not None else sidecar
        self._told: dict[bytes, tuple[Identity, tuple[Told, ...] | None]] = {}
        self.seen: dict[bytes, Seen] = {}

    async def among(self, look: Look, entries: list[Entry], now_ns: int) -> tuple[list[Quiet], list[Together]]:
        """Those that can be read now: each by itself, and those that must be taken together. Raises OSError."""
        self._note([*entries, *look.beside.values()], now_ns)
        near = Neighbours(look.beside, entries, self._patterns, in_batches=self._station.batches == "folders")
        self._told = {name: told for name, told in self._told.items() if name in look.beside}
        units = self._units(entries, near)
        newest = max((unit.mtime_ns for unit in units), default=0)
        alone: list[Quiet] = []
        together: list[Together] = []
        for unit in units:
            found = await self._judge(unit, near, now_ns, is_newest=unit.mtime_ns >= newest)
            if found is None:
                continue
            if unit.batch is None and len(found.files) == 1:
                alone.append(found.files[0])
            else:
                together.append(found)
        return alone, together

    def _note(self, entries: list[Entry], now_ns: int) -> None:
        before, self.seen = self.seen, {}
        for entry in entries:
            name = key(entry)
            seen = before.get(name)
            is_same = seen is not None and seen.identity == entry.identity
            self.seen[name] = seen if seen is not None and is_same else Seen(entry.identity, now_ns)

    def _units(self, entries: list[Entry], near: Neighbours) -> list[Unit]:
        units: dict[str, Unit] = {}
        sidecar = self._station.sidecar
        for entry in entries:
            place = os.fsdecode(entry.name)
            if entry.claimed:
                units[f"//{place}"] = Unit([entry])
            elif self._station.batches == "folders" and entry.depth:
                batch = place.partition("/")[0]
                units.setdefault(f"{batch}/", Unit([], batch)).entries.append(entry)
            else:
                shared = near.shared(sidecar.name, entry) if sidecar is not None else place
                units.setdefault(shared, Unit([])).entries.append(entry)
        return list(units.values())

    async def _judge(self, unit: Unit, near: Neighbours, now_ns: int, *, is_newest: bool) -> Together | None:
        """What is to be taken of a unit, None while it has to be waited for."""
        rule = self._station.done if not unit.entries[0].claimed else "stable"
        sidecar, ready_file = self._station.sidecar, self._station.ready_file
        sidecars = near.of_all(sidecar.name, unit.entries) if sidecar is not None else []
        ready = near.of_all(ready_file, unit.entries) if ready_file is not None else []
        beside = [entry for entry in (*ready, *sidecars) if entry is not None]
        seen = [self.seen[key(entry)] for entry in unit.entries]
        still_s = self._still_s([*unit.entries, *beside], now_ns)
        give_up = still_s >= (self._station.give_up_s if unit.batch is None else self._station.batch_timeout_s)
        if any(not self._is_readable(entry, s, give_up) for entry, s in zip(unit.entries, seen, strict=True)):
            return None
        if near.is_locked(unit.entries, unit.batch):
            if give_up:
                self._leave(seen[0], "locked")
            return None
        signal = {
            "stable": still_s >= self._station.stable_s,
            "renamed": True,
            "sidecar": True,
            "ready_file": _is_later(ready, unit),
            "all_but_newest": not is_newest,
        }[rule]
        if not (signal or give_up):
            return None
        hold = Reason.NO_SIGNAL if not signal and rule == "ready_file" else None
        told = {key(entry): Told() for entry in unit.entries}
        if self._station.sidecar is not None and not unit.entries[0].claimed:
            said, lack = await self._said(unit, sidecars, near, now_ns)
            if lack is not None and not give_up:
                return None
            told, hold = told | said, hold or lack
        files = tuple(
            Quiet(entry, s, give_up, told[key(entry)], hold or _trouble(told[key(entry)]), tuple(beside))
            for entry, s in zip(unit.entries, seen, strict=True)
        )
        return Together(files, self._batch(unit, files), next((f.hold for f in files if f.hold), None), give_up)

    def _still_s(self, entries: Iterable[Entry], now_ns: int) -> float:
        return (now_ns - max(self.seen[key(entry)].since_ns for entry in entries)) / _S

    def _is_readable(self, entry: Entry, seen: Seen, give_up: bool) -> bool:
        if not give_up and (seen.failed is not None or entry.identity.size_bytes == 0):
            return False
        return entry.identity.size_bytes <= self._station.max_bytes or self._leave(seen, "too_large")

    async def _said(
        self, unit: Unit, sidecars: list[Entry | None], near: Neighbours, now_ns: int
    ) -> tuple[dict[bytes, Told], Reason | None]:
        """What its sidecars say of each document; what is lacking, if anything is."""
        layout = self._station.sidecar
        assert layout is not None
        found: dict[bytes, Told] = {}
        for sidecar in sidecars:
            if sidecar is None:
                return found, Reason.NO_SIGNAL
            if layout.format in _NO_END_MARK and self._still_s([sidecar], now_ns) < self._station.stable_s:
                return found, Reason.SIDECAR_UNREAD
            records = await self._records(sidecar)
            if records is None:
                return found, Reason.SIDECAR_UNREAD
            mine = [e for e in unit.entries if near.of(layout.name, e) is sidecar]
            matched = match(mine, records)
            if matched is None:
                return found, Reason.BATCH_INCOMPLETE
            found |= matched
        return found, None

    async def _records(self, sidecar: Entry) -> tuple[Told, ...] | None:
        """Read once for each version of it; None where it cannot be read."""
        assert self._station.sidecar is not None
        known = self._told.get(sidecar.name)
        if known is None or known[0] != sidecar.identity:
            try:
                data = await asyncio.to_thread(self._folder.read, sidecar, MAX_BYTES)
                known = sidecar.identity, read(data, self._station.sidecar)
            except DecodeError:
                known = sidecar.identity, None
            except OSError:
                return None
            self._told[sidecar.name] = known
        return known[1]

    @staticmethod
    def _batch(unit: Unit, files: tuple[Quiet, ...]) -> str | None:
        said = next((file.told.batch for file in files if file.told.batch), None)
        name = said or unit.batch  # a sidecar may say anything: it is to be shown, linked and printed
        return None if name is None else display_name(os.fsencode(name))[:MAX_BATCH]


def hot_folder(station: Station, disk: Disk, kept: tuple[str, ...] = ()) -> HotFolder:
    """A station's folder, with all that may lie beside its documents. `kept`: subfolders that are never removed."""
    beside = (station.ready_file, station.sidecar.name if station.sidecar is not None else None)
    return HotFolder(
        Path(station.path),
        station.pattern,
        station.ignore,
        disk,
        beside=tuple(as_glob(name) for name in beside if name is not None),
        depth=max(station.subfolder_depth, station.batches == "folders"),
        kept=kept,
    )


def key(entry: Entry) -> bytes:
    """By what an entry is known in the looks at one folder."""
    return b"//" + entry.name if entry.claimed else entry.name


def match(entries: list[Entry], records: tuple[Told, ...]) -> dict[bytes, Told] | None:
    """Which record speaks of which document; None where they are not as many, or do not name each other."""
    if any(r.documents not in {None, len(entries)} for r in records):
        return None
    if len(records) == 1 and records[0].document is None:
        return {key(entry): records[0] for entry in entries}
    found: dict[bytes, Told] = {}
    for record in records:
        wanted = (record.document or "").replace("\\", "/").casefold().split("/")
        near = [(_common(_parts(entry), wanted), entry) for entry in entries]
        best = max((count for count, _ in near), default=0)
        named = [entry for count, entry in near if count == best]
        if best == 0 or len(named) != 1 or key(named[0]) in found:
            return None
        found[key(named[0])] = record
    return found if len(found) == len(entries) else None


def _parts(entry: Entry) -> list[str]:
    return display_name(entry.name).casefold().split("/")


def _common(mine: list[str], theirs: list[str]) -> int:
    """How many names, from the last one on, are the same."""
    count = 0
    for a, b in zip(reversed(mine), reversed(theirs), strict=False):
        if a != b:
            break
        count += 1
    return count


def _is_later(ready: list[Entry | None], unit: Unit) -> bool:
    """All there, and none left over from a document before: written after what it speaks of."""
    return all(entry is not None and entry.identity.mtime_ns >= unit.mtime_ns for entry in ready)


def _trouble(told: Told) -> Reason | None:
    return Reason.SOURCE_INCOMPLETE if told.trouble else None
