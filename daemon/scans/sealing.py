"""Fixes a scan's metadata and its target: what was spooled is sealed, or held until a person says where it goes."""

from typing import Final

from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.db import Scan, Tx
from torhaus.daemon.scans.routing import Way, said, way_of
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

        return way_of(self._config, station, scan.codes, scan.flags, scan.pages, self._desk.keys, used, scan.told)

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
        """A held one goes on, to this target or to where its station's go. Raises ValueError."""
        if target is not None and target not in {t.name for t in self._config.target}:
            raise ValueError(f"no [[scan.target]] named {target}")
        if scan.derived_from is not None and scan.target in {t.name for t in self._config.target}:
            target = target or scan.target  # its sheet said so: its station's own target is for what has none
        target = target or self._config.target_of(scan.station) or scan.target
        if target is None:
            raise ValueError("no rule says where it goes: name a target")
        tx.conn.execute("UPDATE scan SET tries = 0, refusals = 0, due_boot_id = '' WHERE seq = ?", (scan.seq,))
        return _sealed(tx, scan, target, at_ns)


def _sealed(tx: Tx, scan: Scan, target: str, at_ns: int, **more: str | int | bool | None) -> Scan:
    tx.conn.execute("UPDATE scan SET target = ? WHERE seq = ?", (target, scan.seq))
    return tx.move(
        scan, State.SEALED, at_ns, None, sha256=scan.sha256, bytes=scan.size_bytes, media_type=scan.media_type,
        pages=scan.pages, flags=" ".join(scan.flags), station=scan.station, target=target,
        duplicate_of=scan.duplicate_of, **more,
    )  # fmt: skip
