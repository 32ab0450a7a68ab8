"""Runs vendors' scripts for the daemon: a bounded queue before one script process, which is restarted when it fails.

A record is refused for its own fault only. When the process dies or hangs, the records of that batch which have no
answer are tried again, each alone, and only one that ends the process alone `crashes` times is refused.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.scripts.aside import Aside
from torhaus.daemon.scripts.child import COMMAND, ChildGone, ScriptChild
from torhaus.daemon.scripts.host_model import HostLimits, HostStatus
from torhaus.daemon.scripts.protocol import (
    MAX_PAYLOAD_BYTES,
    Batch,
    Decoded,
    Encoded,
    Forget,
    Job,
    Limits,
    Refused,
    Source,
)
from torhaus.daemon.scripts.source import Package, Sources, decode_source
from torhaus.daemon.supervise import Backoff

Answer = Decoded | Encoded | DecodeError
Done = Callable[[list[tuple[Job, Answer]]], None]
"""Called on the event loop with jobs that were answered, in the order of their submission. May not raise."""

MAX_BATCH: Final = 128
"""Jobs in one message."""
BACKOFF_S: Final = 0.1
BACKOFF_MAX_S: Final = 30.0


class _Waiting:
    __slots__ = ("alone", "deaths", "done", "future", "job")

    def __init__(self, job: Job, done: Done | None, future: asyncio.Future[Any] | None) -> None:
        self.job = job
        self.done = done
        self.future = future
        self.deaths = 0
        self.alone = False


class ScriptHost:
    """The daemon's script runner. Registering, submitting and `run` belong to one event loop.

    The process is started by the first job and kept. `command` and `backoff` are for tests.
    """

    def __init__(
        self,
        clock: Clock,
        limits: Limits | None = None,
        host_limits: HostLimits | None = None,
        command: tuple[str, ...] = COMMAND,
        backoff: Backoff | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._bounds = host_limits or HostLimits()
        self._command = command
        self._sources = Sources()
        self._queue: deque[_Waiting] = deque()
        self._in_hand: deque[_Waiting] = deque()
        self._batch_size = 0
        self._child: ScriptChild | None = None
        self._sent: set[str] = set()
        self._wake = asyncio.Event()
        self._busy = asyncio.Event()
        self._backoff = backoff or Backoff(BACKOFF_S, BACKOFF_MAX_S)
        self._starts = self._deaths = self._hangs = 0
        self._last_death = ""
        self._aside = Aside(clock)
        self._proven: set[str] = set()

    # ---- scripts

    def register(self, source: Package | str) -> str:
        """Make a script known; returns what a job calls it by. ValueError when it is too large or there are too many.

        Bytes that are no UTF-8 may be escaped as surrogates in a text.
        """
        if isinstance(source, str):
            source = Package(decode_source(source.encode("utf-8", "surrogateescape")))
        return self._sources.add(source)

    def forget(self, source_hash: str) -> None:
        """Withdraw a script. Jobs for it that still wait are refused."""
        self._sources.forget(source_hash)
        self._aside.forget(source_hash)
        self._proven.discard(source_hash)
        if self._child is not None and source_hash in self._sent:
            self._sent.discard(source_hash)
            self._child.send(Forget(source_hash))

    # ---- jobs

    @property
    def room(self) -> int:
        """How many jobs the queue takes now."""
        return max(0, self._bounds.queued - len(self._queue) - len(self._in_hand))

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
        self._enqueue(_Waiting(job, None, future))
        return future

    def submit_many(self, jobs: Sequence[Job], done: Done) -> int:
        """Queue jobs in order; returns how many were taken, which is fewer when the queue is full.

        Those not taken are the caller's to offer again. `done` is called for the others as answers arrive.
        """
        taken = min(len(jobs), self.room)
        for job in jobs[:taken]:
            self._enqueue(_Waiting(job, done, None))
        return taken

    def status(self) -> HostStatus:
        """How things stand."""
        pid = None if self._child is None or self._child.gone else self._child.process.pid
        queued = len(self._queue) + len(self._in_hand)
        aside = tuple(self._aside.names())
        deaths, hangs = self._deaths, self._hangs
        return HostStatus(pid, queued, self._starts, deaths, hangs, self._last_death, aside, self._aside.pauses)

    def _enqueue(self, waiting: _Waiting) -> None:
        size = len(waiting.job.payload)
        if size > MAX_PAYLOAD_BYTES:
            refusal: Answer = DecodeError(RejectReason.LONG, f"{size} bytes are too many for a script")
            asyncio.get_running_loop().call_soon(self._settle, [(waiting, refusal)])
            return
        self._queue.append(waiting)
        self._wake.set()

    # ---- the process

    async def run(self) -> None:
        """Serve until cancelled; then the process is ended, waiting futures are cancelled, waiting jobs forgotten."""
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(), name="scripts-watchdog")
                await self._serve()
                watch.cancel()
        except asyncio.CancelledError:
            for waiting in self._queue:
                if waiting.future is not None:
                    waiting.future.cancel()
            self._queue.clear()
            raise

    async def _serve(self) -> None:
        while True:
            while not self._queue:
                await self._idle()
            try:
                self._last_death = await self._live()
            except OSError as error:  # no process, no socket: the box is short of something
                self._last_death = str(error)
            self._deaths += 1
            pause_s = self._backoff.next_s()  # short again after the first answer
            if self._bounds.fruitless is not None and self._backoff.tries >= self._bounds.fruitless:
                return
            await self._clock.sleep(pause_s)

    async def _live(self) -> str:
        """One process from its start to its end; says how it ended. Raises OSError when it cannot be started."""
        self._busy.set()
        self._sent.clear()
        child = self._child = await ScriptChild.spawn(self._limits, self._wake.set, self._command)
        self._starts += 1
        try:
            await child.ready()
            while not child.gone:
                if self._queue:
                    await self._exchange(child)
                else:
                    await self._idle()
            return await child.end()
        except ChildGone:
            ended = await child.end()
            self._blame(ended)
            return ended
        finally:
            self._child = None
            self._busy.clear()
            self._queue.extendleft(reversed(self._in_hand))
            self._in_hand.clear()
            await child.end()

    async def _idle(self) -> None:
        self._busy.clear()
        self._wake.clear()
        await self._wake.wait()
        self._busy.set()

    async def _exchange(self, child: ScriptChild) -> None:
        """One batch there, its answers back. Raises ChildGone with the unanswered jobs in `_in_hand`."""
        batch = self._in_hand
        self._gather(batch)
        if not batch:
            return
        self._batch_size = len(batch)
        for source_hash in {waiting.job.source_hash for waiting in batch} - self._sent:
            if source_hash in self._sources:
                source = self._sources[source_hash]
                child.send(Source(source_hash, source.text, source.main, source.files))
                self._sent.add(source_hash)
        child.send(Batch([waiting.job for waiting in batch]))
        while batch:
            items = (await child.answers()).items
            if not 0 < len(items) <= len(batch):
                child.kill(f"{len(items)} answers to {len(batch)} jobs")
                raise ChildGone
            self._backoff.reset()
            self._settle([(batch.popleft(), _answer(item)) for item in items])

    def _gather(self, batch: deque[_Waiting]) -> None:
        """Fill a batch. A script without a good result yet, or whose last call broke a limit, has one job in it."""
        doubtful: set[str] = set()
        while self._queue and len(batch) < MAX_BATCH and not (batch and self._queue[0].alone):
            job = self._queue[0].job
            if self._aside and (refusal := self._aside.refusal(job)) is not None:
                self._settle([(self._queue.popleft(), refusal)])
                continue
            if job.source_hash not in self._proven or (self._aside and self._aside.is_suspect(job)):
                if job.source_hash in doubtful:
                    return
                doubtful.add(job.source_hash)
            batch.append(self._queue.popleft())
            if batch[-1].alone:
                return

    def _blame(self, ended: str) -> None:
        """Sort out the jobs that had no answer when the process ended: each will be alone next time, or is refused."""
        if self._batch_size == 1 and self._in_hand:
            waiting = self._in_hand[0]
            waiting.deaths += 1
            if waiting.deaths >= self._bounds.crashes:
                self._in_hand.clear()
                detail = f"{waiting.job.script_id}: the script process ended {waiting.deaths} times on it: {ended}"
                self._settle([(waiting, DecodeError(RejectReason.SCRIPT_CRASH, detail))])
        for waiting in self._in_hand:
            waiting.alone = True

    def _settle(self, answered: list[tuple[_Waiting, Answer]]) -> None:
        groups: dict[Done, list[tuple[Job, Answer]]] = {}
        for waiting, answer in answered:
            if isinstance(answer, DecodeError):
                self._aside.note(waiting.job, answer.reason)
            else:
                self._proven.add(waiting.job.source_hash)
                if self._aside:
                    self._aside.note(waiting.job, None)
            if waiting.done is not None:
                groups.setdefault(waiting.done, []).append((waiting.job, answer))
            elif waiting.future is not None and not waiting.future.done():
                if isinstance(answer, DecodeError):
                    waiting.future.set_exception(answer)
                else:
                    waiting.future.set_result(answer.fields if isinstance(answer, Decoded) else answer)
        for done, pairs in groups.items():
            done(pairs)

    async def _watch(self) -> None:
        """End a process that owes an answer and gives no sign of life for the whole of `hang_s`."""
        while True:
            await self._busy.wait()
            child, progress = self._child, self._child.progress if self._child else 0
            await self._clock.sleep(self._bounds.hang_s)
            if child is None or child is not self._child or child.progress != progress or not self._busy.is_set():
                continue
            self._hangs += 1
            child.kill(f"gave no answer for {self._bounds.hang_s:g} s")


def _answer(item: Decoded | Refused | Encoded) -> Answer:
    return DecodeError(item.reason, item.detail) if isinstance(item, Refused) else item
