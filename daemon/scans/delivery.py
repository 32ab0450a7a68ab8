"""Delivers the sealed scans of one target, one after the other, until the target's own hash proves each.

This is the only place that retries and the only one that says "verified". Three kinds of trouble are told apart:
the target is down (all wait; no document is blamed, however long it lasts), a document is not taken now (it waits by
itself, the others go on; held after `max_tries`), a document is refused for good (held at once). The order is by
failed attempts, then by age, so a document that kills each connection ends up behind the others.
"""

import asyncio
import random
import sqlite3
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.config import Target as TargetConfig
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import errno_name
from torhaus.daemon.scans.events import Attempted, Report, ScanMoved, StoreStalled, TargetChanged
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import DELIVERABLE, Reason, State
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, Refused, Target, TargetDown

IDLE_S: Final = 1.0
"""How long a delivery with nothing to do waits before it asks the store again."""
BASE_S: Final = 2.0
CAP_S: Final = 600.0
"""Back-off: a random time between 0 and min(CAP_S, BASE_S · 2ⁿ) (full jitter)."""
MAX_AFTER_S: Final = 3600.0
"""A target that asks to be left alone for longer is asked again after this."""

_DUE: Final = "target = ? AND state = ? AND (due_boot_id <> ? OR due_boot <= ?) ORDER BY tries, seq"
"""One state at a time: that way the index gives the order, and a long backlog costs nothing."""


def backoff_s(tries: int, rng: random.Random) -> float:
    """Seconds until attempt `tries` + 1."""
    return rng.uniform(0, min(CAP_S, BASE_S * 2 ** min(tries, 32)))


class Delivery:
    """One target's runner. `step` is one attempt at one document; `run` goes on for ever."""

    def __init__(
        self,
        config: TargetConfig,
        target: Target,
        db: ScansDb,
        spool: Spool,
        clock: Clock,
        rng: random.Random,
        report: Report,
    ) -> None:
        self._name = config.name
        self._max_tries = config.max_tries
        self._target = target
        self._db = db
        self._spool = spool
        self._clock = clock
        self._rng = rng
        self._report = report
        self._down_tries = 0
        self._down_until = 0
        self._stalled = False

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                if not await self.step():
                    await self._clock.sleep(IDLE_S)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the target's connections."""
        await self._target.close()

    async def step(self) -> bool:
        """One attempt. False when nothing is due or the target or our own disk is in trouble."""
        if self._clock.boot_ns() < self._down_until:
            return False
        try:
            scan, parcel = await self._next()
            if scan is None:
                return False
            if parcel is None:
                await self._move(scan, State.QUARANTINED, Reason.BLOB_DAMAGED)
                return True
            going_on = await self._attempt(scan, parcel)
        except sqlite3.Error as error:
            return self._stall(type(error).__name__)
        except OSError as error:
            return self._stall(errno_name(error))
        self._stalled = False
        return going_on

    async def _next(self) -> tuple[Scan | None, Parcel | None]:
        """What is to be delivered next, its bytes re-hashed; no parcel when they are damaged."""

        def work(tx: Tx) -> tuple[Scan | None, str]:
            boot_id, now, head = self._clock.boot_id, self._clock.boot_ns(), tx.head(0)
            due = [s for state in DELIVERABLE for s in tx.find(_DUE, (self._name, state.value, boot_id, now), 1)]
            return min(due, key=lambda s: (s.tries, s.seq), default=None), f"{head.seq}:{head.hash}"

        scan, head = await self._db.run(work)
        if scan is None or not await asyncio.to_thread(self._spool.intact, scan.sha256):
            return scan, None
        return scan, Parcel(
            scan.id, scan.seq, self._db.store, scan.station, display_name(scan.name), self._spool.path(scan.sha256),
            scan.sha256, scan.size_bytes, scan.media_type, head,
        )  # fmt: skip

    async def _attempt(self, scan: Scan, parcel: Parcel) -> bool:
        began = self._clock.boot_ns()
        outcome = "defect"
        try:
            outcome = await self._hand_over(scan, parcel)
        except TargetDown as down:
            outcome = "down"
            await self._wait_for_target(scan, down)
            return False
        except NotNow as answer:
            outcome = "not_now"
            await self._wait_for_document(scan, answer.reason)
        except Refused as answer:
            outcome = "refused"
            await self._hold(scan, answer.reason)
        finally:
            self._report(Attempted(self._name, outcome, (self._clock.boot_ns() - began) / 1e9))
        self._set_up()
        return True

    async def _hand_over(self, scan: Scan, parcel: Parcel) -> str:
        """From sealed to verified, as far as it goes; each state is committed before the next step."""
        if scan.state is State.SEALED:
            scan = await self._move(scan, State.DELIVERING, target=self._name)
        if scan.state is State.DELIVERING:
            receipt = await self._target.send(parcel)
            scan = await self._transferred(scan, receipt)
            if receipt.stored_sha256 == scan.sha256:
                await self._move(scan, State.VERIFIED, sha256=scan.sha256)
                return "verified"
        stored = await self._target.stored(parcel)
        if stored == scan.sha256:
            await self._move(scan, State.VERIFIED, sha256=scan.sha256)
            return "verified"
        reason = Reason.LOST if stored is None else Reason.MISMATCH
        scan = await self._move(scan, State.DELIVERING, reason, sha256=stored)
        await self._wait_for_document(scan, reason)
        return reason.value

    async def _transferred(self, scan: Scan, receipt: Receipt) -> Scan:
        at_ns = self._clock.wall_ns()

        def work(tx: Tx) -> Scan:
            tx.conn.execute(
                "UPDATE scan SET receipt = ? WHERE seq = ?", (msgspec.json.encode(receipt).decode(), scan.seq)
            )
            return tx.move(scan, State.TRANSFERRED, at_ns)

        moved = await self._db.run(work)
        self._tell(moved)
        return moved

    async def _wait_for_target(self, scan: Scan, down: TargetDown) -> None:
        """Everything waits. The document that was on its way goes behind the others, should it be the cause."""
        if self._down_tries == 0:
            self._report(TargetChanged(self._name, False, down.detail))
        wait_s = max(backoff_s(self._down_tries, self._rng), min(down.after_s, MAX_AFTER_S))
        self._down_tries += 1
        self._down_until = self._clock.boot_ns() + int(wait_s * 1e9)
        await self._db.run(lambda tx: tx.conn.execute("UPDATE scan SET tries = tries + 1 WHERE seq = ?", (scan.seq,)))

    async def _wait_for_document(self, scan: Scan, reason: Reason) -> None:
        """This document waits, or is held when that happened too often."""
        due = self._clock.boot_ns() + int(backoff_s(scan.refusals, self._rng) * 1e9)

        def work(tx: Tx) -> Scan:
            tx.conn.execute(
                "UPDATE scan SET tries = tries + 1, refusals = refusals + 1, due_boot = ?, due_boot_id = ?"
                " WHERE seq = ?",
                (due, self._clock.boot_id, scan.seq),
            )
            return tx.get(scan.seq)

        current = await self._db.run(work)
        if current.refusals >= self._max_tries:
            await self._hold(current, reason)

    async def _hold(self, scan: Scan, reason: Reason) -> None:
        current = await self._db.run(lambda tx: tx.get(scan.seq))
        await self._move(current, State.HELD, reason)

    async def _move(self, scan: Scan, to: State, reason: Reason | None = None, **data: str | int | bool | None) -> Scan:
        at_ns = self._clock.wall_ns()
        moved = await self._db.run(lambda tx: tx.move(scan, to, at_ns, reason, **data))
        self._tell(moved)
        return moved

    def _tell(self, scan: Scan) -> None:
        self._report(ScanMoved(scan.id, scan.station, self._name, scan.state, scan.reason, scan.size_bytes))

    def _set_up(self) -> None:
        if self._down_tries:
            self._report(TargetChanged(self._name, True))
        self._down_tries = 0
        self._down_until = 0

    def _stall(self, detail: str) -> bool:
        if not self._stalled:
            self._report(StoreStalled("delivery", detail))
        self._stalled = True
        return False
