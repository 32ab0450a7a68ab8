"""Runs vendors' scripts for the daemon: a bounded queue before two script processes.

Proven scripts run in the first, in batches and under limits so narrow that nobody waits long behind another; there a
broken limit is no verdict. It is given in the second, where those run which were cut short and those which have not
shown a good result yet: one job at a time, turn by turn, under the full limits. It only exists while there are such.
A device's jobs keep their order when they move from one to the other. A record is refused for its own fault only.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.scripts.aside import Aside
from torhaus.daemon.scripts.carried import Carried
from torhaus.daemon.scripts.child import COMMAND
from torhaus.daemon.scripts.host_model import Answer, Done, HostLimits, HostStatus, Waiting
from torhaus.daemon.scripts.process import ScriptProcess
from torhaus.daemon.scripts.protocol import MAX_PAYLOAD_BYTES, Decoded, Encoded, Job, Limits
from torhaus.daemon.scripts.source import Package, Sources, decode_source
from torhaus.daemon.scripts.trust import Trust
from torhaus.daemon.scripts.work import Proven, Suspects
from torhaus.daemon.supervise import Backoff

HASTY_CALL_S: Final = 0.01
HASTY_LOAD_S: Final = 0.02
"""Among proven scripts. A call in a kept context that is repeated in a fresh one takes two calls and a load at most:
others wait for 40 ms."""


class ScriptHost:
    """The daemon's script runner. Registering, submitting and `run` belong to one event loop.

    `command` and `backoff` are for tests.
    """

    def __init__(
        self,
        clock: Clock,
        limits: Limits | None = None,
        host_limits: HostLimits | None = None,
        command: tuple[str, ...] = COMMAND,
        backoff: Backoff | None = None,
    ) -> None:
        bounds = self._bounds = host_limits or HostLimits()
        limits = limits or Limits()
        self._sources = Sources()
        self._trust = Trust()
        self._aside = Aside(clock)
        self._carried = Carried()
        self._suspects = Suspects(self._trust, self._aside, clock, bounds, self._settle)
        self._proven = Proven(self._trust, self._settle, self._to_suspects)
        self._suspects.move = self._to_proven
        hasty = msgspec.structs.replace(
            limits,
            call_s=min(limits.call_s, HASTY_CALL_S),
            load_s=min(limits.load_s, HASTY_LOAD_S),
            hasty=True,
        )
        self._first = ScriptProcess(
            self._proven,
            self._sources,
            self._carried,
            clock,
            hasty,
            bounds.hasty_hang_s,
            fruitless=bounds.fruitless,
            command=command,
            backoff=backoff,
        )
        self._second = ScriptProcess(
            self._suspects,
            self._sources,
            self._carried,
            clock,
            limits,
            bounds.hang_s,
            linger_s=bounds.linger_s,
            fruitless=bounds.fruitless,
            command=command,
            backoff=backoff,
        )

    # ---- scripts

    def register(self, source: Package | str) -> str:
        """Make a script known; returns what a job calls it by. ValueError when it is too large or there are too many.

        Bytes that are no UTF-8 may be escaped as surrogates in a text.
        """
        if isinstance(source, str):
            source = Package(decode_source(source.encode("utf-8", "surrogateescape")))
        return self._sources.add(source)

    def knows(self, source: Package) -> bool:
        """Whether a script is registered."""
        return source.hash() in self._sources

    def forget(self, source_hash: str) -> None:
        """Withdraw a script. Jobs for it that still wait are refused."""
        self._sources.forget(source_hash)
        self._aside.forget(source_hash)
        self._trust.forget(source_hash)
        self._carried.forget(source_hash)
        self._suspects.turns.forget(source_hash)
        for process in (self._first, self._second):
            process.forget(source_hash)
        self._proven.sort_out()

    # ---- jobs

    @property
    def _queued(self) -> int:
        waiting = len(self._proven) + len(self._suspects.turns)
        return waiting + len(self._first.in_hand) + len(self._second.in_hand)

    @property
    def room(self) -> int:
        """How many jobs the queue takes now."""
        return max(0, self._bounds.queued - self._queued)

    def submit(self, job: Job) -> asyncio.Future[Fields]:
        """Queue one job; the future gives its fields or raises DecodeError. Raises asyncio.QueueFull."""
        return self._submit(job)

    def encode(self, job: Job) -> asyncio.Future[Encoded]:
        """As `submit`, for a job whose call is `encode`: the future gives the downlink."""
        return self._submit(job)

    def _submit(self, job: Job) -> asyncio.Future[Any]:
        if not self.room:
            raise asyncio.QueueFull
        future: asyncio.Future[Any] = asyncio.Future()
        self._enqueue(Waiting(job, None, future))
        return future

    def submit_many(self, jobs: Sequence[Job], done: Done) -> int:
        """Queue jobs in order; returns how many were taken, which is fewer when the queue is full.

        Those not taken are the caller's to offer again. `done` is called for the others as answers arrive.
        """
        taken = min(len(jobs), self.room)
        for job in jobs[:taken]:
            self._enqueue(Waiting(job, done, None))
        return taken

    def status(self) -> HostStatus:
        """How things stand."""
        first, second = self._first, self._second
        return HostStatus(
            first.pid,
            self._queued,
            first.starts + second.starts,
            first.deaths + second.deaths,
            first.hangs + second.hangs,
            max((first, second), key=lambda process: process.died_ns).last_death,
            tuple(self._aside.names()),
            self._aside.pauses,
            second.pid,
            len(self._suspects.turns) + len(second.in_hand),
            self._trust.sent_away,
        )

    def _enqueue(self, waiting: Waiting) -> None:
        size = len(waiting.job.payload)
        if size > MAX_PAYLOAD_BYTES:
            refusal: Answer = DecodeError(RejectReason.LONG, f"{size} bytes are too many for a script")
            asyncio.get_running_loop().call_soon(self._settle, [(waiting, refusal)])
        elif self._trust.trusts(waiting.job):
            self._to_proven(waiting)
        else:
            self._to_suspects(waiting)

    def _to_proven(self, waiting: Waiting) -> None:
        self._proven.queue.append(waiting)
        self._first.wake()

    def _to_suspects(self, waiting: Waiting) -> None:
        self._suspects.turns.add(waiting)
        self._second.wake()

    # ---- the processes

    async def run(self) -> None:
        """Serve until cancelled; then the processes are ended, waiting futures cancelled, waiting jobs forgotten."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(process.run(), name=name)
                    for process, name in ((self._first, "scripts-proven"), (self._second, "scripts-suspects"))
                ]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
        except asyncio.CancelledError:
            for waiting in [*self._proven.queue, *self._suspects.turns.clear()]:
                if waiting.future is not None:
                    waiting.future.cancel()
            self._proven.queue.clear()
            raise

    def _settle(self, answered: list[tuple[Waiting, Answer]]) -> None:
        groups: dict[Done, list[tuple[Job, Answer]]] = {}
        for waiting, answer in answered:
            if isinstance(answer, DecodeError):
                self._aside.note(waiting.job, answer.reason)
            elif self._aside:
                self._aside.note(waiting.job, None)
            if isinstance(answer, Decoded) and answer.context is not None:
                self._carried.keep(waiting.job, answer.context)
            if waiting.done is not None:
                groups.setdefault(waiting.done, []).append((waiting.job, answer))
            elif waiting.future is not None and not waiting.future.done():
                if isinstance(answer, DecodeError):
                    waiting.future.set_exception(answer)
                else:
                    waiting.future.set_result(answer if isinstance(answer, Encoded) else answer.fields)
        for done, pairs in groups.items():
            done(pairs)
