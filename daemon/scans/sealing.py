"""Fixes a scan's metadata and its target: what was spooled is sealed, or held until a person says where it goes."""

from typing import Final

import msgspec

from torhaus.codecs.cover_sheet import CoverSheet
from torhaus.daemon.evidence.notes import entries_of
from torhaus.daemon.scans.config import AnyStation, ScanConfig, Station
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.evidence import Entry
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.refusals import Refusal, Refused
from torhaus.daemon.scans.routing import Way, said, way_of, when_let_go
from torhaus.daemon.scans.sheets.desk import SheetDesk, is_used, use
from torhaus.daemon.scans.states import Reason, State

SEAL_BATCH: Final = 100


class Sealing:
    """Works inside the callers' transactions."""

    def __init__(self, config: ScanConfig, desk: SheetDesk) -> None:
        self._config = config
        self._stations = {s.name: s for s in config.station}
        self._desk = desk

    def some(self, tx: Tx, at_ns: int) -> list[Scan]:
        """Seal the oldest that were spooled, of stations that are configured. Stacks are left for the splitting."""
        where = f"state = ? AND station IN ({','.join('?' * len(self._stations))}) ORDER BY seq"
        found = tx.find(where, (State.SPOOLED.value, *self._stations), SEAL_BATCH)
        return [moved for scan in found if (moved := self._one(tx, scan, at_ns)) is not None]

    def way(self, tx: Tx, scan: Scan) -> Way:
        """Where a spooled one of a configured station goes."""
        station = self._stations[scan.station]
        if scan.duplicate_of is not None and station.duplicates == "hold":
            return Way(None, Reason.DUPLICATE)

        def used(number: str) -> bool:
            return is_used(tx, scan, number)

        return way_of(
            self._config, station, scan.codes, scan.flags, scan.pages, self._desk.keys, used, scan.told,
            _folder_of(station, scan),
        )  # fmt: skip

    def _one(self, tx: Tx, scan: Scan, at_ns: int) -> Scan | None:
        way = self.way(tx, scan)
        return None if way.parts else self.send(tx, scan, way, at_ns)

    def send(self, tx: Tx, scan: Scan, way: Way, at_ns: int) -> Scan:
        """Seal it for where its way goes, or hold it."""
        if way.sheet is not None:
            use(tx, scan, way.sheet.sheet)
        if way.reason is Reason.DUPLICATE:
            return tx.move(scan, State.HELD, at_ns, way.reason, duplicate_of=scan.duplicate_of, **said(way))
        if way.target is None:
            return tx.move(scan, State.HELD, at_ns, way.reason, **said(way))
        return _sealed(tx, scan, way.target, at_ns, **said(way))

    def let_go(self, tx: Tx, scan: Scan, target: str | None, at_ns: int) -> Scan:
        """A held one goes on: to this target, to the one that was named for it before, or where the rules send it.

        Raises Refused.
        """
        known = {t.name for t in self._config.target}
        if target is not None and target not in known:
            raise Refused(Refusal.NO_SUCH_TARGET, target=target)
        entries = entries_of(tx, scan.id)
        named = [entry.data.get("target") for entry in reversed(entries) if entry.event == "use.retried"]
        target = target or next((str(name) for name in named if name in known), None)
        if target is None:
            target = self._by_rules(scan, _sheet_of(entries) if scan.derived_from is not None else None, known)
        tx.conn.execute("UPDATE scan SET tries = 0, refusals = 0, due_boot_id = '' WHERE seq = ?", (scan.seq,))
        return _sealed(tx, scan, target, at_ns)

    def _by_rules(self, scan: Scan, sheet: CoverSheet | None, known: set[str]) -> str:
        """Where it goes by the rules as they are now; else where it was on its way to before it was held.

        `sheet`: the one that it was cut out behind.
        """
        station = self._stations.get(scan.station)
        try:
            if station is None:
                raise Refused(Refusal.NO_STATION)  # noqa: TRY301
            return when_let_go(
                self._config, station, scan.codes, scan.flags, self._desk.keys, scan.told, sheet,
                _folder_of(station, scan),
            )  # fmt: skip
        except Refused:
            if scan.target in known:
                return str(scan.target)
            raise


def _folder_of(station: AnyStation, scan: Scan) -> str:
    """The subfolder that it lay in. What is uploaded lay in none, whatever name its sender gave it."""
    return display_name(scan.name).rpartition("/")[0] if isinstance(station, Station) else ""


def _sheet_of(entries: list[Entry]) -> CoverSheet | None:
    """What its cover sheet said, as the journal has it."""
    for entry in reversed(entries):
        if "sheet" in entry.data:
            said = {key: entry.data.get(key) for key in ("department", "sheet", "class")}
            return msgspec.convert(said, CoverSheet)
    return None


def _sealed(tx: Tx, scan: Scan, target: str, at_ns: int, **more: str | int | bool | None) -> Scan:
    tx.conn.execute("UPDATE scan SET target = ? WHERE seq = ?", (target, scan.seq))
    return tx.move(
        scan, State.SEALED, at_ns, None, sha256=scan.sha256, bytes=scan.size_bytes, media_type=scan.media_type,
        pages=scan.pages, flags=" ".join(scan.flags), station=scan.station, target=target,
        duplicate_of=scan.duplicate_of, **more,
    )  # fmt: skip
