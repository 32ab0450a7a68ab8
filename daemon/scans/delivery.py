"""Delivers the sealed scans of one target, a few at a time, until the target's own hash proves each.

This is the only place that retries and the only one that says "verified". Three kinds of trouble are told apart:
the target is down (all wait; no document is blamed, however long it lasts), a document is not taken now (it waits by
itself, the others go on; held after `max_tries`), a document is refused for good (held at once). The order is by
failed attempts, then by age, so a document that kills each connection ends up behind the others.
"""

import asyncio
import random
import sqlite3
import time
from functools import partial
from typing import Final

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.windows import is_open, parse_window
from torhaus.daemon.scans import shipment
from torhaus.daemon.scans.circuit import MAX_AFTER_S, Circuit, backoff_s
from torhaus.daemon.scans.db import Scan, ScansDb, Tx
from torhaus.daemon.scans.disk import Disk, errno_name
from torhaus.daemon.scans.events import Attempted, Report, ScanMoved, StoreStalled, TargetChanged
from torhaus.daemon.scans.names import display_name
from torhaus.daemon.scans.spool import Spool
from torhaus.daemon.scans.states import DELIVERABLE, Reason, State
from torhaus.daemon.scans.targets.base import (
    Context,
    NotNow,
    Parcel,
    Pending,
    Progress,
    Proof,
    Receipt,
    Refused,
    TargetConfig,
    TargetDown,
)
from torhaus.daemon.scans.targets.registry import kind_of, open_target
from torhaus.daemon.scans.throttle import Throttle

IDLE_S: Final = 1.0
"""How long a delivery with nothing to do waits before it asks the store again."""

PROBE_S: Final = 8.0
"""A person waits for it."""


class Standing(msgspec.Struct, frozen=True):
    """How a target stands, for people. Times in seconds from now; `retry_s`: until it is tried again, when down."""

    name: str
    type: str
    proves: str
    is_up: bool
    in_hours: bool
    detail: str
    down_s: float = 0.0
    retry_s: float = 0.0
    under_way: int = 0


class Delivery:
    """One target's runner. `step` is one attempt at one document; `run` goes on for ever."""

    def __init__(
        self,
        config: TargetConfig,
        db: ScansDb,
        spool: Spool,
        disk: Disk,
        clock: Clock,
        rng: random.Random,
        report: Report,
    ) -> None:
        self._config = config
        self.name = config.name
        self._windows = tuple(map(parse_window, config.windows))
        self._open = partial(open_target, config, Context(disk, clock, Throttle(config.max_bytes_per_s, clock)))
        self._target = self._open()
        is_proved = self._target.proves is not Proof.TRANSFERRED
        self._states = DELIVERABLE if is_proved else (State.SEALED, State.DELIVERING)
        self._db = db
        self._spool = spool
        self._clock = clock
        self._rng = rng
        self._report = report
        self._circuit = Circuit(clock, rng)
        self._detail = ""
        self._choosing = asyncio.Lock()
        self._under_way: set[int] = set()
        self._stalled = False

    async def run(self) -> None:
        """Deliver until cancelled, `concurrency` documents at a time."""
        try:
            async with asyncio.TaskGroup() as group:
                for n in range(self._config.concurrency):
                    group.create_task(self._work(), name=f"scans-target-{self.name}-{n}")
        finally:
            await self.close()

    async def _work(self) -> None:
        while True:
            if not await self.step():
                await self._clock.sleep(IDLE_S)

    async def close(self) -> None:
        """Let go of the target's connections."""
        await self._target.close()

    async def probe(self) -> str:
        """Whether documents could go there, within PROBE_S. Raises TargetDown, NotNow, Refused.

        By a connection of its own: one that is open shows nothing of a key that was changed or revoked since.
        """
        target = self._open()
        try:
            async with asyncio.timeout(PROBE_S):
                return await target.probe()
        except TimeoutError as error:
            raise TargetDown(f"no answer within {PROBE_S:g} s") from error
        finally:
            await target.close()

    def standing(self) -> Standing:
        """How the target stands."""
        now, circuit = self._clock.boot_ns(), self._circuit
        down = {} if circuit.is_up else {"down_s": (now - circuit.since_ns) / 1e9}
        if down:
            down["retry_s"] = max(0.0, (circuit.retry_ns - now) / 1e9)
        return Standing(
            self.name, kind_of(self._config), self._target.proves.value, circuit.is_up, self._in_hours(),
            self._detail, under_way=len(self._under_way), **down,
        )  # fmt: skip

    def _in_hours(self) -> bool:
        """Whether documents may go out now. With a clock that nobody has set they may: hours mean nothing then."""
        if not self._windows or not self._clock.synced():
            return True
        now = time.localtime(self._clock.wall_ns() // 1_000_000_000)
        return is_open(self._windows, now.tm_wday, now.tm_hour * 60 + now.tm_min)

    async def step(self) -> bool:
        """One attempt. False when nothing is due or the target or our own disk is in trouble, or out of hours."""
        try:
            async with self._choosing:
                if not self._in_hours() or not self._circuit.allows(len(self._under_way)):
                    return False
                scan, progress, head = await self._db.run(self._choose)
                if scan is None:
                    return False
                self._under_way.add(scan.seq)
            try:
                going_on = await self._deliver(scan, progress, head)
            finally:
                self._under_way.discard(scan.seq)
        except sqlite3.Error as error:
            return self._stall(type(error).__name__)
        except OSError as error:
            return self._stall(errno_name(error))
        self._stalled = False
        return going_on

    def _choose(self, tx: Tx) -> tuple[Scan | None, str | None, str]:
        """What is to be delivered next, what is known of its way so far, and where the evidence chain stands."""
        boot = (self._clock.boot_id, self._clock.boot_ns())
        scan = shipment.next_due(tx, self.name, self._states, boot, self._under_way)
        head = tx.head(0)
        return scan, None if scan is None else shipment.progress(tx, scan, self.name), f"{head.seq}:{head.hash}"

    async def _deliver(self, scan: Scan, progress: str | None, head: str) -> bool:
        if not await asyncio.to_thread(self._spool.intact, scan.sha256):
            await self._move(scan, State.QUARANTINED, Reason.BLOB_DAMAGED)
            return True
        content = await asyncio.to_thread(self._spool.content, scan.sha256)
        parcel = Parcel(
            scan.id, scan.seq, self._db.store, scan.station, display_name(scan.name), content,
            scan.sha256, scan.size_bytes, scan.media_type, head, Progress(progress, partial(self._keep, scan)),
        )  # fmt: skip
        return await self._attempt(scan, parcel)

    async def _attempt(self, scan: Scan, parcel: Parcel) -> bool:
        began = self._clock.boot_ns()
        outcome = "defect"
        try:
            outcome = await self._hand_over(scan, parcel)
        except TargetDown as down:
            outcome = "down"
            await self._wait_for_target(scan, down)
            return False
        except Pending as answer:
            outcome = "pending"
            await self._db.run(partial(shipment.put_off, scan=scan, due=self._due(answer.after_s)))
        except NotNow as answer:
            outcome = "not_now"
            self._detail = answer.detail
            await self._wait_for_document(scan, answer.reason, answer.after_s)
        except Refused as answer:
            outcome = "refused"
            self._detail = answer.detail
            await self._hold(scan, answer.reason)
        finally:
            self._report(Attempted(self.name, outcome, (self._clock.boot_ns() - began) / 1e9))
        if self._circuit.worked():
            self._report(TargetChanged(self.name, True))
        return True

    async def _hand_over(self, scan: Scan, parcel: Parcel) -> str:
        """From sealed to verified, as far as it goes; each state is committed before the next step."""
        if scan.state is State.SEALED:
            scan = await self._move(scan, State.DELIVERING, target=self.name)
        receipt = shipment.receipt_of(scan)
        if scan.state is State.DELIVERING:
            receipt = await self._target.send(parcel)
            scan = await self._transferred(scan, receipt)
            if self._target.proves is Proof.TRANSFERRED:
                return "transferred"
            if receipt.stored_sha256 == scan.sha256:
                return await self._verified(scan, receipt)
        stored = await self._target.stored(parcel)
        if stored == scan.sha256:
            return await self._verified(scan, receipt)
        reason = Reason.LOST if stored is None else Reason.MISMATCH
        due = self._due(backoff_s(scan.refusals, self._rng))
        failed = partial(shipment.disproved, scan=scan, reason=reason, stored=stored, due=due, at_ns=self._wall_ns())
        scan = await self._db.run(failed)
        self._tell(scan)
        if scan.refusals >= self._config.max_tries:
            await self._hold(scan, reason)
        return reason.value

    async def _transferred(self, scan: Scan, receipt: Receipt) -> Scan:
        moved = await self._db.run(partial(shipment.transferred, scan=scan, receipt=receipt, at_ns=self._wall_ns()))
        self._tell(moved)
        return moved

    async def _verified(self, scan: Scan, receipt: Receipt) -> str:
        """Its bytes are proved; filed at once where the far side has told what it made of them."""
        self._detail = ""
        at_ns, synced = self._wall_ns(), self._clock.synced()
        proved = partial(shipment.verified, scan=scan, receipt=receipt, at_ns=at_ns, synced=synced)
        for moved in await self._db.run(proved):
            self._tell(moved)
        return "verified"

    async def _keep(self, scan: Scan, text: str) -> None:
        await self._db.run(partial(shipment.keep, scan=scan, target=self.name, text=text))

    async def _wait_for_target(self, scan: Scan, down: TargetDown) -> None:
        """Everything waits. The document that was on its way goes behind the others, should it be the cause."""
        self._detail = down.detail
        if self._circuit.failed(down.after_s):
            self._report(TargetChanged(self.name, False, down.detail))
        if self._under_way == {scan.seq}:
            await self._target.close()  # the next try reads certificates anew
        await self._db.run(partial(shipment.count_try, scan=scan))

    async def _wait_for_document(self, scan: Scan, reason: Reason, after_s: float = 0.0) -> None:
        """This document waits, or is held when that happened too often."""
        due = self._due(max(min(after_s, MAX_AFTER_S), backoff_s(scan.refusals, self._rng)))
        current = await self._db.run(partial(shipment.count_refusal, scan=scan, due=due))
        if current.refusals >= self._config.max_tries:
            await self._hold(current, reason)

    def _due(self, wait_s: float) -> shipment.Due:
        return self._clock.boot_ns() + int(wait_s * 1e9), self._clock.boot_id

    async def _hold(self, scan: Scan, reason: Reason) -> None:
        current = await self._db.run(lambda tx: tx.get(scan.seq))
        await self._move(current, State.HELD, reason)

    async def _move(self, scan: Scan, to: State, reason: Reason | None = None, **data: str | int | bool | None) -> Scan:
        at_ns = self._wall_ns()
        moved = await self._db.run(lambda tx: tx.move(scan, to, at_ns, reason, **data))
        self._tell(moved)
        return moved

    def _wall_ns(self) -> int:
        return self._clock.wall_ns()

    def _tell(self, scan: Scan) -> None:
        self._report(ScanMoved(scan.id, scan.station, self.name, scan.state, scan.reason, scan.size_bytes))

    def _stall(self, detail: str) -> bool:
        if not self._stalled:
            self._report(StoreStalled("delivery", detail))
        self._stalled = True
        return False
