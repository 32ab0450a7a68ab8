"""Group commit at the leading edge: at once if the last commit began at least one window ago, else when it is over.

What is put meanwhile goes along. One commit is under way at a time; its result is told on the event loop.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.record import Record, Stored, Verdict
from torhaus.daemon.outbox.writer import Writer

Done = Callable[[bool], None]
MAX_WAITING_BYTES: Final = 32 << 20
"""Raw bytes that may wait for a commit: beyond it nothing is taken, and so nothing acknowledged."""
RETRY_S: Final = 1.0
"""Pause before verdicts that could not be written are tried again."""


class Batch:
    """What goes into one commit: records by log, scripts' verdicts, and whom to tell."""

    __slots__ = ("dones", "records", "size", "verdicts")

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[Stamp, Record]]] = {}
        self.verdicts: list[tuple[Stored, Verdict]] = []
        self.dones: list[Done] = []
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self.records or self.verdicts or self.dones)

    @property
    def count(self) -> int:
        """Records in it."""
        return sum(len(r) for r in self.records.values())


Write = Callable[[Batch], dict[str, list[Stored]]]
Written = Callable[[Batch, dict[str, list[Stored]] | BaseException, float], None]


class GroupCommit:
    """Collects what is put and has `write` called on the writer thread, `written` on the loop."""

    def __init__(self, writer: Writer, window_s: float, write: Write, written: Written) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer
        self._window_s = window_s
        self._write = write
        self._tell = written
        self._next = Batch()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._last_begin = self._loop.time() - window_s

    def put(self, log: str, records: list[tuple[Stamp, Record]], size: int) -> None:
        """Records for the next commit; `size` is about how many bytes they hold. Follow with `commit`."""
        batch = self._next
        batch.size += size
        have = batch.records.get(log)
        if have is None:
            batch.records[log] = records
        else:
            have += records

    def has_room(self) -> bool:
        """Whether more can be taken at present."""
        return self._next.size < MAX_WAITING_BYTES

    def has_waiting(self) -> bool:
        """Whether anything is not on disk yet."""
        return self._busy or bool(self._next)

    def commit(self, done: Done | None) -> None:
        """Have what was put stored soon; `done` is called afterwards: True when it is on disk."""
        if done is not None:
            self._next.dones.append(done)
        if not self._busy and self._timer is None:
            self._arm()

    def put_verdict(self, stored: Stored, verdict: Verdict) -> None:
        """What a script made of a record, for the next commit."""
        self._next.verdicts.append((stored, verdict))
        self.commit(None)

    def _arm(self, at: float | None = None) -> None:
        due = max(at or 0.0, self._last_begin + self._window_s, self._loop.time())
        self._timer = self._loop.call_at(due, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._busy = True
        self._last_begin = self._loop.time()
        batch, self._next = self._next, Batch()
        self._writer.submit(partial(self._write, batch), partial(self._written, batch, self._last_begin))

    def _written(self, batch: Batch, began: float, result: Any) -> None:  # noqa: ANN401 - result or exception
        self._busy = False
        failed = isinstance(result, BaseException)
        if failed:
            self._next.verdicts[:0] = batch.verdicts  # nobody else has them
        for done in batch.dones:
            done(not failed)
        self._tell(batch, result, self._loop.time() - began)
        if self._next and self._timer is None:
            self._arm(self._loop.time() + RETRY_S if failed and not self._next.records else None)

    async def drain(self) -> None:
        """Commit what waits; returns when nothing does. Verdicts that cannot be written are left."""
        tried = False
        while self._busy or self._next.records or self._next.dones or (self._next.verdicts and not tried):
            if not self._busy:
                if self._timer is not None:
                    self._timer.cancel()
                tried = True
                self._begin()
            await self._writer.call(_nothing)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nothing() -> None:
    """A job that proves that the thread got here."""
