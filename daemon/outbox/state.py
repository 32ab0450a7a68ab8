"""state.db: settled ranges, exceptions, dead letters, sessions. Synchronous; used on the writer thread only."""

import sqlite3
import zlib
from pathlib import Path

import msgspec

from torhaus.daemon.outbox import counters, joins, migrate, queued, rebuild
from torhaus.daemon.outbox.flush import DeadLetter, Flush, Session, SetAside
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.rebuild import Rebuilt
from torhaus.daemon.outbox.record import pack_copy, unpack_copy
from torhaus.daemon.outbox.wear import WalMeter

__all__ = ["DeadLetter", "Flush", "Session", "SetAside", "State"]

_TABLES = (
    "forwarder", "exception", "dead_letter", "session", "snapshot", "boot", "dropped", "device_joins", "downlink",
    "device_counters",
)  # fmt: skip
_ranges = msgspec.json.Decoder(list[tuple[int, int]])


class State:
    """The open file; `read_only` to look at it beside a running daemon."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._conn = migrate.connect(path, read_only=read_only)
        self.meter = WalMeter(path)  # of what is saved
        if read_only:
            return
        try:
            migrate.upgrade(self._conn, "state")
        except BaseException:
            self.close()
            raise

    @property
    def conn(self) -> sqlite3.Connection:
        """For the statements of letters.py."""
        return self._conn

    def check(self) -> None:
        """Look through the file. Raises SchemaError or sqlite3.DatabaseError when it is damaged."""
        for table in _TABLES:
            self._conn.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608 - our own names
        found = self._conn.execute("PRAGMA quick_check(1)").fetchone()
        if found[0] != "ok":
            raise migrate.SchemaError(f"state: {found[0]}")

    def size(self) -> int:
        """Bytes on disk, write-ahead log included."""
        return migrate.size(self._path)

    def damaged(self) -> list[tuple[str, str]]:
        """Forwarders (name, log) whose settled ranges were changed on disk."""
        rows = self._conn.execute("SELECT name, log, settled, crc FROM forwarder")
        return [(name, log) for name, log, text, crc in rows if checked_ranges(name, log, text, crc) is None]

    def take_over(self, rebuilt: Rebuilt) -> None:
        """Begin with what was read of a damaged file. Raises sqlite3.Error."""
        rebuild.store(self._conn, rebuilt)
        self.skip_ahead()
        self.save(Flush(settled={key: list(ranges) for key, ranges in rebuilt.settled.items()}))

    def close(self) -> None:
        """Close the file."""
        self._conn.close()
        self.meter.close()

    def save(self, flush: Flush) -> None:
        """Everything of a flush in one commit. Raises sqlite3.Error, and then nothing was saved."""
        run = self._conn.execute
        with migrate.transaction(self._conn):
            for (name, log), ranges in flush.settled.items():
                text = msgspec.json.encode(ranges).decode()
                run("INSERT OR REPLACE INTO forwarder VALUES (?, ?, ?, ?)", (name, log, text, _crc(name, log, text)))
            for (name, log), items in flush.set_aside.items():
                for x in items:
                    run(
                        "INSERT OR REPLACE INTO exception VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (name, log, x.pos, x.tries, x.retry_at_ns, _text(x.reason), pack_copy(x.stored)),
                    )
            for (name, log), items in flush.dead.items():
                for x in items:
                    run("DELETE FROM exception WHERE forwarder = ? AND log = ? AND pos = ?", (name, log, x.pos))
                    run(
                        "INSERT INTO dead_letter (forwarder, log, pos, at_ns, reason, stored) "
                        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (forwarder, log, pos) "
                        "DO UPDATE SET at_ns = excluded.at_ns, reason = excluded.reason, stored = excluded.stored",
                        (name, log, x.pos, flush.at_ns, _text(x.reason), pack_copy(x.stored)),
                    )
            for (name, log), positions in flush.resolved.items():
                run(
                    "DELETE FROM exception WHERE forwarder = ? AND log = ? AND pos IN (SELECT value FROM json_each(?))",
                    (name, log, msgspec.json.encode(positions).decode()),
                )
            if flush.sessions:
                run(
                    "INSERT OR REPLACE INTO session SELECT value ->> 'dev_eui', value ->> 'dev_addr', "
                    "value ->> 'fcnt_up' FROM json_each(?)",
                    (msgspec.json.encode(flush.sessions).decode(),),
                )
            if flush.joins:
                joins.save(self._conn, flush.joins)
            counters.save(self._conn, flush.counters)
            for log, pos in flush.snapshot.items():
                run("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", (log, pos))
            for boot, offset in flush.boots.items():
                run("INSERT OR IGNORE INTO boot VALUES (?, ?, ?)", (boot, offset, flush.at_ns))
            for (name, reason), records in flush.dropped.items():
                run(
                    "INSERT INTO dropped VALUES (?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET records = records + excluded.records",
                    (name, reason, records),
                )
        self.meter.look()

    def settled(self, forwarder: str, log: str) -> Ranges | None:
        """A forwarder's settled ranges; None for one that has never run. Damaged ones are empty: all is sent again."""
        row = self._conn.execute(
            "SELECT settled, crc FROM forwarder WHERE name = ? AND log = ?", (forwarder, log)
        ).fetchone()
        return _read_ranges(forwarder, log, *row) if row else None

    def forwarders(self) -> list[tuple[str, str, Ranges]]:
        """Every forwarder that has ever run: name, log, settled ranges."""
        rows = self._conn.execute("SELECT name, log, settled, crc FROM forwarder ORDER BY name, log")
        return [(name, log, _read_ranges(name, log, text, crc)) for name, log, text, crc in rows]

    def rename(self, old: str, new: str) -> bool:
        """Give what a forwarder has settled, set aside and refused to its new name. False where that has its own."""
        run = self._conn.execute
        rows = run("SELECT log, settled, crc FROM forwarder WHERE name = ?", (old,)).fetchall()
        if not rows or run("SELECT 1 FROM forwarder WHERE name = ?", (new,)).fetchone():
            return False
        with migrate.transaction(self._conn):
            for log, text, crc in rows:
                settled = text if _crc(old, log, text) == crc else "[]"  # damaged: all is sent again
                run("INSERT INTO forwarder VALUES (?, ?, ?, ?)", (new, log, settled, _crc(new, log, settled)))
            run("DELETE FROM forwarder WHERE name = ?", (old,))
            for table in ("exception", "dead_letter", "dropped"):
                run(f"UPDATE OR REPLACE {table} SET forwarder = ? WHERE forwarder = ?", (new, old))  # noqa: S608 - our own names
        return True

    def given_out(self, log: str) -> int:
        """A position of a log below which all have been given out, as far as it is known here."""
        known = [end for _, name, settled in self.forwarders() if name == log for _, end in settled]
        return max((*known, self.sessions()[1].get(log, 0)))

    def due(self, forwarder: str, log: str, now_ns: int, limit: int, longest_ns: int = 1 << 62) -> list[SetAside]:
        """Records set aside whose time has come, earliest first. Damaged ones are removed and counted as dropped.

        None waits longer than `longest_ns`: one that would was set aside before the clock was put back.
        """
        rows = self._conn.execute(
            "SELECT pos, tries, retry_at_ns, reason, stored FROM exception "
            "WHERE forwarder = ? AND log = ? AND NOT retry_at_ns BETWEEN ? AND ? ORDER BY retry_at_ns LIMIT ?",
            (forwarder, log, now_ns + 1, now_ns + longest_ns, limit),
        ).fetchall()
        copies = [(row, unpack_copy(row[4])) for row in rows]
        damaged = [row[0] for row, stored in copies if stored is None]
        if damaged:
            key = (forwarder, log)
            self.save(Flush(resolved={key: damaged}, dropped={(forwarder, "damaged"): len(damaged)}))
        return [SetAside(pos, tries, at, why, s) for (pos, tries, at, why, _), s in copies if s is not None]

    def has_copies(self, log: str, start: int, end: int) -> bool:
        """Whether anything of these positions was set aside, or is a dead letter."""
        one = "SELECT 1 FROM {} WHERE log = ?1 AND pos >= ?2 AND pos < ?3"
        both = f"{one.format('exception')} UNION ALL {one.format('dead_letter')} LIMIT 1"
        return self._conn.execute(both, (log, start, end)).fetchone() is not None

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per forwarder: records set aside, dead letters."""
        out: dict[str, tuple[int, int]] = {}
        for name, n in self._conn.execute("SELECT forwarder, count(*) FROM exception GROUP BY 1"):
            out[name] = (n, 0)
        for name, n in self._conn.execute("SELECT forwarder, count(*) FROM dead_letter GROUP BY 1"):
            out[name] = (out.get(name, (0, 0))[0], n)
        return out

    def dead_letters(self, forwarder: str | None = None, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters, oldest first."""
        rows = self._conn.execute(
            "SELECT number, forwarder, log, pos, at_ns, reason, stored FROM dead_letter "
            "WHERE ?1 IS NULL OR forwarder = ?1 ORDER BY number LIMIT ?2",
            (forwarder, limit),
        )
        return [
            DeadLetter(n, name, log, pos, at, why, stored)
            for n, name, log, pos, at, why, blob in rows
            if (stored := unpack_copy(blob)) is not None  # a damaged one can still be dropped by its number
        ]

    def retry_dead_letter(self, number: int, now_ns: int) -> bool:
        """Move a dead letter back to the records that are tried again, due now. False when there is none."""
        run = self._conn.execute
        with migrate.transaction(self._conn):
            run(
                "INSERT OR REPLACE INTO exception SELECT forwarder, log, pos, 0, ?, reason, stored "
                "FROM dead_letter WHERE number = ?",
                (now_ns, number),
            )
            done: bool = run("DELETE FROM dead_letter WHERE number = ?", (number,)).rowcount > 0
        return done

    def drop_dead_letter(self, number: int) -> bool:
        """Delete a dead letter. False when there is none."""
        return self._conn.execute("DELETE FROM dead_letter WHERE number = ?", (number,)).rowcount > 0

    def sessions(self) -> tuple[list[Session], dict[str, int]]:
        """The snapshot of the sessions, and up to which position of each log it is complete."""
        rows = self._conn.execute("SELECT dev_eui, dev_addr, fcnt_up FROM session")
        return [Session(*row) for row in rows], dict(self._conn.execute("SELECT log, pos FROM snapshot").fetchall())

    def joins(self) -> tuple[dict[str, joins.DeviceJoins], list[str]]:
        """What is kept of joins, by DevEUI; and the DevEUIs of which it was changed on disk."""
        return joins.load(self._conn)

    def skip_ahead(self) -> None:
        """What is read is from an earlier time: whatever must not be used twice goes on far behind. sqlite3.Error."""
        with migrate.transaction(self._conn):
            joins.skip_ahead(self._conn)
            queued.skip_ahead(self._conn)

    def downlinks(self) -> tuple[list[queued.Queued], list[str]]:
        """The downlinks in the order of queueing; and the ids of those that were changed on disk."""
        return queued.load(self._conn)

    def save_downlinks(self, changes: queued.Changes) -> None:
        """These downlinks in one commit. Raises sqlite3.Error, and then nothing was saved."""
        with migrate.transaction(self._conn):
            queued.save(self._conn, changes)
        self.meter.look()

    def owned(self) -> dict[tuple[str, str], Ranges]:
        """By (forwarder, log): positions of which there is a copy here, as exception or dead letter."""
        found: dict[tuple[str, str], Ranges] = {}
        rows = self._conn.execute(
            "SELECT forwarder, log, pos FROM exception "
            "UNION SELECT forwarder, log, pos FROM dead_letter ORDER BY 1, 2, 3"
        )
        for name, log, pos in rows:
            found.setdefault((name, log), Ranges()).add(pos, pos + 1)
        return found

    def boots(self) -> dict[str, int]:
        """Per boot id: wall clock minus boot time in ns, for boots in which the clock was synchronised."""
        return dict(self._conn.execute("SELECT boot, offset_ns FROM boot").fetchall())

    def dropped(self) -> dict[tuple[str, str], int]:
        """Records dropped so far by (forwarder, reason)."""
        return {(f, r): n for f, r, n in self._conn.execute("SELECT forwarder, reason, records FROM dropped")}


def _crc(forwarder: str, log: str, settled: str) -> int:
    return zlib.crc32(f"{forwarder}/{log}/{settled}".encode())


def checked_ranges(forwarder: str, log: str, settled: str, crc: int) -> Ranges | None:
    """Settled ranges as they were written; None when they were changed on disk."""
    return Ranges(_ranges.decode(settled)) if _crc(forwarder, log, settled) == crc else None


def _read_ranges(forwarder: str, log: str, settled: str, crc: int) -> Ranges:
    return checked_ranges(forwarder, log, settled, crc) or Ranges()


def _text(text: str) -> str:
    """What a far side said, as something SQLite takes."""
    return text.encode(errors="replace").decode()
