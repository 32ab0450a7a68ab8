"""Records whose decoder is a vendor's script: committed first, decoded afterwards, the verdict stored beside them.

In order of position, so per device too. While the script process is behind, records wait on disk and not in memory;
after a restart they are found there again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.codecs.registry import Decode
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.lorawan import Device
from torhaus.daemon.outbox.record import Stored, Verdict
from torhaus.daemon.outbox.store import MAIN, Outbox
from torhaus.daemon.pipeline import Watch
from torhaus.daemon.scripts.host import Answer, ScriptHost
from torhaus.daemon.scripts.protocol import Job

SCANNED: Final = 1 << 62
QUEUE_RECORDS: Final = 2048
"""Records that wait in memory for the script process; those beyond it are read from disk when their turn comes."""
READ_RECORDS: Final = 256


class Feeder:
    """Between the outbox and the script host."""

    def __init__(
        self, outbox: Outbox, host: ScriptHost, devices: list[Device], codec: Callable[[str], Decode], watch: Watch
    ) -> None:
        self._outbox = outbox
        self._host = host
        self._codec = codec
        self._watch = watch
        self._devices = {d.name: d for d in devices}
        self._hashes: dict[str, str] = {}
        self._queue: deque[Stored] = deque()
        self._in_hand: dict[int, Stored] = {}
        self._disk: int | None = outbox.scanned_to  # read from disk from here on; None: the queue has everything
        self._passed_by = -1  # newest pending record that was left to the disk
        self._wake = asyncio.Event()
        outbox.subscribe(MAIN, self._feed)

    def register(self, script: str) -> None:
        """Read a script, so that jobs can name it. Raises OSError or ValueError."""
        text = Path(script).read_text(encoding="utf-8", errors="surrogateescape")
        self._hashes[script] = self._host.register(text)

    def _feed(self, batch: list[Stored]) -> None:
        for stored in batch:
            if not stored.record.pending:
                continue
            if self._disk is None and len(self._queue) >= QUEUE_RECORDS:
                self._disk = stored.pos
            if self._disk is None:
                self._queue.append(stored)
            else:
                self._passed_by = stored.pos
        self._wake.set()

    async def run(self) -> None:
        """Feed the script process. Never returns."""
        while True:
            if self._queue:
                await self._submit()
            elif self._disk is not None:
                await self._refill(self._disk)
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _refill(self, pos: int) -> None:
        found = await self._outbox.pending(pos, READ_RECORDS)
        for stored in found:
            self._outbox.undecoded.add(stored.pos, stored.pos + 1)
            if stored.pos not in self._in_hand:
                self._queue.append(stored)
        if found:
            self._disk = found[-1].pos + 1
        elif self._passed_by < pos:
            self._disk = None
        else:
            self._disk = self._passed_by + 1 if self._passed_by >= self._outbox.logs[MAIN].tail else pos
            await asyncio.sleep(0)
        if self._outbox.scanned_to != SCANNED:
            self._outbox.scanned_to = SCANNED if self._disk is None else self._disk

    async def _submit(self) -> None:
        """Offer what is first in the queue; wait when the host takes nothing."""
        jobs: list[Job] = []
        while self._queue and len(jobs) < READ_RECORDS:
            stored = self._queue[0]
            job = self._job(stored)
            self._queue.popleft()
            if job is not None:
                self._in_hand[stored.pos] = stored
                jobs.append(job)
        while jobs:
            taken = self._host.submit_many(jobs, self._done)
            del jobs[:taken]
            if jobs:
                self._wake.clear()
                await self._wake.wait()

    def _job(self, stored: Stored) -> Job | None:
        """The job of one record; None when it was decided without the script process."""
        record = stored.record
        device = self._devices.get(record.device or "")
        payload = record.payload or b""
        fport = record.lora.fport if record.lora else None
        if device is None or (device.script is None and device.codec is None):
            self._decide(stored, DecodeError(RejectReason.UNKNOWN_DEVICE, "no decoder is configured for it any more"))
        elif device.script is None:
            assert device.codec is not None
            try:
                self._decide(stored, self._codec(device.codec)(payload, fport))
            except DecodeError as e:
                self._decide(stored, e)
        elif device.script not in self._hashes:
            self._decide(stored, DecodeError(RejectReason.SCRIPT_ERROR, "the script could not be read at start"))
        else:
            return Job(
                Path(device.script).name,
                self._hashes[device.script],
                payload,
                fport,
                rfc3339(stored.at.wall_ns),
                record.dev_eui,
                ref=stored.pos,
            )
        return None

    def _done(self, answered: list[tuple[Job, Answer]]) -> None:
        for job, answer in answered:
            stored = self._in_hand.pop(job.ref)
            self._decide(stored, answer if isinstance(answer, DecodeError) else answer.fields)
        self._wake.set()

    def _decide(self, stored: Stored, answer: Fields | DecodeError) -> None:
        if isinstance(answer, DecodeError):
            verdict = Verdict(None, answer.reason.value, answer.detail)
            self._watch.rejected(stored.record.driver, "script", answer.reason)
        else:
            verdict = Verdict(answer)
            self._watch.decoded("script", stored.record.device or "", stored.at)
        self._outbox.put_verdict(stored, verdict)
