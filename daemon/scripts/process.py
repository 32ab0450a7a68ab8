"""One script process with its work: started by the first job, restarted when it fails, ended when it hangs.

Whose turn it is, and what an answer or an end means, is the work's business (see host.py).
"""

import asyncio
from collections import deque
from typing import Final, Protocol

from torhaus.codecs.model import DecodeError
from torhaus.daemon.clock import Clock
from torhaus.daemon.scripts.carried import Carried
from torhaus.daemon.scripts.child import COMMAND, ChildGone, ScriptChild
from torhaus.daemon.scripts.host_model import Answer, Waiting
from torhaus.daemon.scripts.protocol import Batch, Decoded, Encoded, Forget, Limits, Refused, Source
from torhaus.daemon.scripts.source import Sources
from torhaus.daemon.supervise import Backoff

BACKOFF_S: Final = 0.1
BACKOFF_MAX_S: Final = 30.0


class Work(Protocol):
    """What a process has to do."""

    def waits(self) -> bool:
        """Whether there is something to do."""
        ...

    def take(self) -> list[Waiting]:
        """The next batch; empty when nothing is left to do after all."""
        ...

    def answered(self, pairs: list[tuple[Waiting, Answer]]) -> None:
        """Answers to the next jobs of the batch, in its order."""
        ...

    def finished(self) -> None:
        """All of the batch is answered."""
        ...

    def lost(self, unanswered: list[Waiting], ended: str | None) -> None:
        """The process ended with these in it, the first perhaps begun. `ended` says how; None: it was asked to."""
        ...


class ScriptProcess:
    """Serves one work. `linger_s`: how long it is kept idle, None for ever; `fruitless`: see HostLimits."""

    def __init__(
        self,
        work: Work,
        sources: Sources,
        carried: Carried,
        clock: Clock,
        limits: Limits,
        hang_s: float,
        *,
        linger_s: float | None = None,
        fruitless: int | None = None,
        command: tuple[str, ...] = COMMAND,
        backoff: Backoff | None = None,
    ) -> None:
        self.starts = self.deaths = self.hangs = 0
        self.last_death = ""
        self.died_ns = -1
        self.in_hand: deque[Waiting] = deque()
        self._work = work
        self._sources = sources
        self._carried = carried
        self._clock = clock
        self._limits = limits
        self._hang_s = hang_s
        self._linger_s = linger_s
        self._fruitless = fruitless
        self._command = command
        self._backoff = backoff or Backoff(BACKOFF_S, BACKOFF_MAX_S)
        self._child: ScriptChild | None = None
        self._sent: set[str] = set()
        self._group: asyncio.TaskGroup | None = None
        self._wake = asyncio.Event()
        self._busy = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """None while there is no process."""
        return None if self._child is None or self._child.gone else self._child.process.pid

    def wake(self) -> None:
        """There is work."""
        self._wake.set()

    def forget(self, source_hash: str) -> None:
        """Let the process drop a script."""
        if self._child is not None and source_hash in self._sent:
            self._sent.discard(source_hash)
            self._child.send(Forget(source_hash))

    async def run(self) -> None:
        """Serve until cancelled; then the process is ended. Returns after `fruitless` tries."""
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(), name="scripts-watchdog")
            self._group = group
            await self._serve()
            watch.cancel()

    async def _serve(self) -> None:
        while True:
            while not self._work.waits():
                await self._idle()
            try:
                ended = await self._live()
            except OSError as error:  # no process, no socket: the box is short of something
                ended = str(error)
            if ended is None:
                continue
            self.last_death, self.died_ns = ended, self._clock.boot_ns()
            self.deaths += 1
            pause_s = self._backoff.next_s()  # short again after the first answer
            if self._fruitless is not None and self._backoff.tries >= self._fruitless:
                return
            await self._clock.sleep(pause_s)

    async def _live(self) -> str | None:
        """One process from its start to its end; says how it ended, None when it was no longer needed.

        Raises OSError when it cannot be started.
        """
        self._busy.set()
        self._sent.clear()
        child = self._child = await ScriptChild.spawn(self._limits, self._wake.set, self._command)
        self.starts += 1
        ended = None
        try:
            await child.ready()
            while not child.gone:
                if self._work.waits():
                    await self._exchange(child)
                elif not await self._is_wanted():
                    return None
            ended = await child.end()
        except ChildGone:
            ended = await child.end()
        finally:
            self._child = None
            self._busy.clear()
            unanswered = list(self.in_hand)
            self.in_hand.clear()
            self._work.lost(unanswered, ended)
            await child.end()
        return ended

    async def _idle(self) -> None:
        self._busy.clear()
        self._wake.clear()
        await self._wake.wait()
        self._busy.set()

    async def _is_wanted(self) -> bool:
        """Wait for work; False when there was none for so long that the process can go."""
        if self._linger_s is None or self._group is None:
            await self._idle()
            return True
        timer = self._group.create_task(self._clock.sleep(self._linger_s), name="scripts-linger")
        timer.add_done_callback(lambda task: None if task.cancelled() else self._wake.set())
        try:
            await self._idle()
            return self._work.waits() or not timer.done()
        finally:
            timer.cancel()

    async def _exchange(self, child: ScriptChild) -> None:
        """One batch there, its answers back. Raises ChildGone with the unanswered jobs in `in_hand`."""
        batch = self.in_hand
        batch.extend(self._work.take())
        if not batch:
            return
        for source_hash in {waiting.job.source_hash for waiting in batch} - self._sent:
            if source_hash in self._sources:
                source = self._sources[source_hash]
                child.send(Source(source_hash, source.text, source.main, source.files))
                self._sent.add(source_hash)
        child.send(Batch(self._carried.given([waiting.job for waiting in batch])))
        while batch:
            items = (await child.answers()).items
            if not 0 < len(items) <= len(batch):
                child.kill(f"{len(items)} answers to {len(batch)} jobs")
                raise ChildGone
            self._backoff.reset()
            self._work.answered([(batch.popleft(), _answer(item)) for item in items])
        self._work.finished()

    async def _watch(self) -> None:
        """End a process that owes an answer and gives no sign of life for the whole of `hang_s`.

        In two halves: after a pause of the whole machine, what has come meanwhile is heard before the second is over.
        """
        while True:
            await self._busy.wait()
            child, progress = self._child, self._child.progress if self._child else 0
            await self._clock.sleep(self._hang_s / 2)
            await self._clock.sleep(self._hang_s / 2)
            if child is None or child is not self._child or child.progress != progress or not self._busy.is_set():
                continue
            self.hangs += 1
            child.kill(f"gave no answer for {self._hang_s:g} s")


def _answer(item: Decoded | Refused | Encoded) -> Answer:
    return DecodeError(item.reason, item.detail) if isinstance(item, Refused) else item
