"""A real outbox, a feeder, and a script host that takes few and answers when it is told to."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.daemon.home import QuickClock, stamp, until
from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.codecs.registry import load as load_codec
from torhaus.daemon.alarms import Alarms
from torhaus.daemon.config.model import AlarmRule
from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox
from torhaus.daemon.outbox.trouble import Reporter
from torhaus.daemon.scripts.feeder import Feeder
from torhaus.daemon.scripts.host_model import Answer
from torhaus.daemon.scripts.protocol import Decoded, Job
from torhaus.daemon.scripts.source import Package
from torhaus.daemon.watch import Watch

DEVICES = [Device("boiler", script="/decoders/boiler.js")]


class FakeHost:
    """Takes at most `room` jobs; answers when it is told to, with the payload's number."""

    def __init__(self, room: int = 4) -> None:
        self.room = room
        self.waiting: list[tuple[Job, Any]] = []
        self.seen: list[int] = []
        self.under_way: set[int] = set()
        self.twice: list[int] = []

    def register(self, source: Package) -> str:
        return f"hash of {source.text}"

    def submit_many(self, jobs: Sequence[Job], done: Any) -> int:
        taken = jobs[: self.room - len(self.waiting)]
        for job in taken:
            if job.ref in self.under_way:
                self.twice.append(job.ref)
            self.under_way.add(job.ref)
            self.seen.append(job.ref)
            self.waiting.append((job, done))
        return len(taken)

    def answer(self, count: int = 1 << 30) -> None:
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        self.under_way -= {job.ref for job, _ in now}
        for done in {done for _, done in now}:
            done([(job, self.result(job)) for job, d in now if d == done])

    def result(self, job: Job) -> Answer:
        if job.payload == b"bad":
            return DecodeError(RejectReason.SCRIPT_ERROR, "no")
        return Decoded({"n": Value(int(job.payload))}, ["odd"] if job.payload == b"13" else [])


ALARMS = Alarms([AlarmRule(field="n", equals=7)])


class Bench:
    """A real outbox, a feeder, a fake host."""

    def __init__(self, folder: Path, devices: list[Device] | None = None, room: int = 4) -> None:
        self.outbox = Outbox(folder, "test", QuickClock(), Limits(commit_window_s=0), Reporter())
        self.devices = DEVICES if devices is None else devices
        self.host = FakeHost(room)
        self.watch = Watch(0)
        self.verdicts: dict[int, Record] = {}
        self.order: list[int] = []

    async def __aenter__(self) -> Self:
        await self.outbox.open()
        self.feeder = Feeder(self.outbox, self.host, self.devices, load_codec, self.watch, QuickClock(), ALARMS)  # type: ignore[arg-type]
        self.feeder._hashes["/decoders/boiler.js"] = "hash"
        self.outbox.subscribe(MAIN, self._feed)
        self.task = asyncio.ensure_future(self.feeder.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.outbox.close()

    def _feed(self, batch: list[Stored]) -> None:
        for s in batch:
            if not s.record.pending:
                assert s.pos not in self.verdicts, "two verdicts"
                self.verdicts[s.pos] = s.record
                self.order.append(s.pos)

    async def put(self, payloads: Sequence[bytes], device: str = "boiler") -> None:
        records = [(stamp(), Record("frame", "x", device, raw=p, payload=p, pending=True)) for p in payloads]
        stored = asyncio.Event()
        self.outbox.put(MAIN, records, 100)
        self.outbox.commit(lambda ok: stored.set() if ok else None)
        await stored.wait()

    async def until_decided(self, count: int, keep_answering: bool = True) -> None:
        def decided() -> bool:
            if keep_answering:
                self.host.answer()
            return len(self.verdicts) >= count

        await until(decided)


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(start, start + count)]


def go(folder: Path, body: Callable[[Bench], Any], **more: Any) -> Bench:
    async def main() -> Bench:
        async with Bench(folder, **more) as bench:
            await body(bench)
            return bench

    return asyncio.run(main())
