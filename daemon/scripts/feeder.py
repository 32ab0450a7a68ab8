"""Records whose decoder is a vendor's script: committed first, decoded afterwards, the verdict stored beside them.

In order of position, so per device too. While the script process is behind, records wait on disk and not in memory;
after a restart they are found there again.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Stamp
from torhaus.codecs.registry import Decode
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.render import rfc3339
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import Stored, Verdict
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Outbox
from torhaus.daemon.pipeline import RECORD_BYTES
from torhaus.daemon.reading import Derive
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import Answer
from torhaus.daemon.scripts.protocol import Decoded, Job
from torhaus.daemon.scripts.source import read_package

SCANNED: Final = 1 << 62
QUEUE_RECORDS: Final = 2048
"""Records that wait in memory for the script process; those beyond it are read from disk when their turn comes."""
MINE_RECORDS: Final = 8192
"""Records in memory until their verdict is on disk: while verdicts cannot be written, no further ones are made."""
READ_RECORDS: Final = 256
AGAIN_S: Final = 5.0
"""Pause before the log is read again after it could not be."""
_encode: Final = msgspec.msgpack.Encoder().encode


class Watch(Protocol):
    """Whom the feeder tells what became of records."""

    def rejected(self, driver: str, codec: str, reason: RejectReason) -> None:
        """A payload was refused."""
        ...

    def undecodable(self, device: str, why: str) -> None:
        """A device's payload was refused by its script."""
        ...

    def decoded(self, codec: str, device: str, at: Stamp) -> None:
        """A payload became a reading."""
        ...

    def warned(self, warnings: int) -> None:
        """A script gave so many warnings with its result."""
        ...

    def defect(self, name: str, error: BaseException) -> None:
        """Something that must not happen happened."""
        ...


class Feeder:
    """Between the outbox and the script host."""

    def __init__(
        self,
        outbox: Outbox,
        host: ScriptHost,
        devices: list[Device],
        codec: Callable[[str], Decode],
        watch: Watch,
        clock: Clock,
        alarms: Alarms | None = None,
    ) -> None:
        self._alarms = alarms or Alarms()
        self.derive: Derive | None = None
        self._outbox = outbox
        self._host = host
        self._codec = codec
        self._watch = watch
        self._clock = clock
        self._devices = {d.name: d for d in devices}
        self._hashes: dict[str, str] = {}
        self._queue: deque[Stored] = deque()
        self._jobs: list[Job] = []  # made, not taken by the host yet
        self._in_hand: dict[int, Stored] = {}  # offered to the host, not answered
        self._mine: set[int] = set()  # from being queued until the verdict is on disk: not to be taken twice
        self._disk: int | None = outbox.scanned_to  # read from disk from here on; None: the queue has everything
        self._passed_by = -1  # newest pending record that was left to the disk
        self._wake = asyncio.Event()
        outbox.subscribe(MAIN, self._feed)

    def register(self, script: str) -> None:
        """Read a script, so that jobs can name it. Raises OSError or ValueError."""
        self._hashes[script] = self._host.register(read_package(Path(script)))

    def register_all(self, gone: Callable[[str, str], None]) -> None:
        """Read every device's script; `gone` is told the name of one that cannot be read, and why."""
        for script in {d.script for d in self._devices.values() if d.script is not None}:
            try:
                self.register(script)
            except (OSError, ValueError) as e:
                gone(f"script {Path(script).name}", str(e))

    def _feed(self, batch: list[Stored]) -> None:
        for stored in batch:
            pos = stored.pos
            if not stored.record.pending:
                self._mine.discard(pos)
            elif pos in self._mine:
                continue  # read from disk before we were told of its commit
            elif self._disk is not None and pos >= self._disk:
                self._passed_by = max(self._passed_by, pos)
            elif self._disk is None and (len(self._queue) >= QUEUE_RECORDS or len(self._mine) >= MINE_RECORDS):
                self._disk = self._passed_by = pos
            else:
                self._take(stored)
        self._wake.set()

    def _take(self, stored: Stored) -> None:
        self._mine.add(stored.pos)
        self._queue.append(stored)

    async def run(self) -> None:
        """Feed the script process. Never returns."""
        while True:
            if self._jobs or self._queue:
                await self._submit()
            elif self._disk is not None and len(self._mine) < MINE_RECORDS:
                await self._refill(self._disk)
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _refill(self, pos: int) -> None:
        passed_by = self._passed_by
        try:
            found = await self._outbox.pending(pos, READ_RECORDS)
        except sqlite3.Error:  # the outbox says so itself, as soon as it cannot write either
            await self._clock.sleep(AGAIN_S)
            return
        for stored in found:
            self._outbox.undecoded.add(stored.pos, stored.pos + 1)
            if stored.pos not in self._mine:
                self._take(stored)
        if found:
            self._disk = found[-1].pos + 1
        elif (
            self._passed_by == passed_by
        ):  # what we were told of before we read, and is not there, is damaged or dropped
            self._disk = None
        if self._outbox.scanned_to != SCANNED:
            self._outbox.scanned_to = SCANNED if self._disk is None else self._disk

    async def _submit(self) -> None:
        """Offer what is first in the queue; wait when the host takes nothing."""
        jobs = self._jobs
        while self._queue and len(jobs) < READ_RECORDS:
            stored = self._queue.popleft()
            job = self._job(stored)
            if job is not None:
                self._in_hand[stored.pos] = stored
                jobs.append(job)
        del jobs[: self._host.submit_many(jobs, self._done)]
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
            self._decide(stored, self._native(device.codec, payload, fport))
        elif device.script not in self._hashes:
            self._decide(stored, DecodeError(RejectReason.SCRIPT_ERROR, "the script could not be read at start"))
        else:
            return Job(
                _file_name(device.script),
                self._hashes[device.script],
                payload,
                fport,
                rfc3339(stored.at.wall_ns),
                record.dev_eui,
                ref=stored.pos,
            )
        return None

    def _native(self, codec: str, payload: bytes, fport: int | None) -> Fields | DecodeError:
        """What the codec makes of it that the device has been given since."""
        try:
            fields = self._codec(codec)(payload, fport)
            _encode(fields)  # what cannot be stored must be found here: the writer would try it for ever
        except DecodeError as e:
            return e
        except Exception as e:  # noqa: BLE001 - a codec's defect costs one record its fields, not the others their turn
            self._watch.defect(f"codec {codec}", e)
            return DecodeError(RejectReason.DEFECT, type(e).__name__)
        return fields

    def _done(self, answered: list[tuple[Job, Answer]]) -> None:
        for job, answer in answered:
            stored = self._in_hand.pop(job.ref)
            if isinstance(answer, DecodeError):
                self._decide(stored, answer)
                continue
            assert isinstance(answer, Decoded)  # no job of ours asks for anything else
            if answer.warnings:
                self._watch.warned(len(answer.warnings))
            self._decide(stored, answer.fields)
        self._wake.set()

    def _decide(self, stored: Stored, answer: Fields | DecodeError) -> None:
        if isinstance(answer, DecodeError):
            verdict = Verdict(None, answer.reason.value, answer.detail)
            self._watch.rejected(stored.record.driver, "script", answer.reason)
            self._watch.undecodable(stored.record.device or "", answer.reason.value)
            self._keep_bytes(stored, verdict)
        else:
            if self.derive is not None:
                record = stored.record
                answer |= self.derive(record.device or "", record.driver, stored.at, answer)
            verdict = Verdict(answer, alarm=self._alarms.is_alarm(stored.record.device, answer))
            self._watch.decoded("script", stored.record.device or "", stored.at)
        self._outbox.put_verdict(stored, verdict)

    def _keep_bytes(self, stored: Stored, verdict: Verdict) -> None:
        """A forwarder of readings will let go of the record: its bytes stay among the strangers, with the reason."""
        copy = msgspec.structs.replace(
            stored.record, kind="frame", pending=False, payload=None, reason=verdict.reason, detail=verdict.detail
        )
        at = stored.at if stored.boot == self._outbox.clock.boot_id else self._outbox.clock.stamp()
        self._outbox.put(STRANGERS, [(at, copy)], RECORD_BYTES + len(copy.raw or b""))
        self._outbox.commit(None)


@lru_cache(maxsize=1024)
def _file_name(script: str) -> str:
    """To take a path apart for every record would cost as much as half of the script's own work."""
    return Path(script).name
