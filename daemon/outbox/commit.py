"""Group commit at the leading edge: at once if the last commit began at least one window ago, else when it is over.

What is put meanwhile goes along. One commit is under way at a time; its result is told on the event loop. Who keeps a
copy until it is answered may name a longer window of its own: it then waits that long for company, since its coming,
and goes along with whatever is committed before.
"""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.record import Record, Stored, Verdict
from torhaus.daemon.outbox.writer import Writer

Done = Callable[[bool], None]
VERDICTS: Final = "verdicts"
MAX_WAITING_BYTES: Final = {"main": 32 << 20, "strangers": 4 << 20, "relay": 32 << 20}
"""Raw bytes that may wait for a commit, by log: beyond it nothing is taken, and so nothing acknowledged."""
RETRY_S: Final = 1.0
"""Pause before verdicts that could not be written are tried again."""


class Batch:
    """What goes into one commit: records by log, scripts' verdicts, and whom to tell."""

    __slots__ = ("dones", "due_at", "is_urgent", "records", "sizes", "verdicts")

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[Stamp, Record]]] = {}
        self.verdicts: list[tuple[Stored, Verdict]] = []
        self.dones: list[tuple[Done, set[str]]] = []  # with the logs whose records it is about
        self.sizes = dict.fromkeys(MAX_WAITING_BYTES, 0)
        self.due_at = math.inf  # loop time until which the most impatient of it may wait
        self.is_urgent = False  # something in it is not to wait at all, and the timer knows

    def __bool__(self) -> bool:
        return bool(self.records or self.verdicts or self.dones)

    @property
    def count(self) -> int:
        """Records in it."""
        return sum(len(r) for r in self.records.values())


class Result:
    """What became of a batch: what is on disk, and why the rest is not, by log (VERDICTS for scripts' verdicts)."""

    __slots__ = ("errors", "stored")

    def __init__(self) -> None:
        self.stored: dict[str, list[Stored]] = {}
        self.errors: dict[str, BaseException] = {}


Write = Callable[[Batch], Result]
Written = Callable[[Batch, Result, float], None]


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
        self._is_retry = False  # the verdicts that wait could not be written just now
        self._logs: set[str] = set()  # what was put since the last `commit`
        self._last_begin = self._loop.time() - window_s
        self._due_at = 0.0  # when the timer rings

    def put(self, log: str, records: list[tuple[Stamp, Record]], size: int) -> None:
        """Records for the next commit; `size` is about how many bytes they hold. Follow with `commit` at once."""
        batch = self._next
        batch.sizes[log] += size
        self._logs.add(log)
        have = batch.records.get(log)
        if have is None:
            batch.records[log] = records
        else:
            have += records

    def has_room(self, log: str = "main") -> bool:
        """Whether more can be taken for this log at present."""
        return self._next.sizes[log] < MAX_WAITING_BYTES[log]

    def has_waiting(self) -> bool:
        """Whether anything is not on disk yet."""
        return self._busy or bool(self._next)

    def commit(self, done: Done | None, window_s: float = 0.0) -> None:
        """Have what was put stored soon; `done` is called afterwards: True when it is on disk.

        `window_s`: how long it may wait for company from now on, for those whose source keeps a copy that long.
        """
        logs, self._logs = self._logs, set()
        if done is not None:
            self._next.dones.append((done, logs))
        self._arm(window_s)

    def put_verdict(self, stored: Stored, verdict: Verdict) -> None:
        """What a script made of a record, for the next commit."""
        self._next.verdicts.append((stored, verdict))
        self._arm(RETRY_S if self._is_retry else 0.0)

    def _arm(self, wait_s: float) -> None:
        """Something came that may wait so long."""
        if self._next.is_urgent:
            return
        self._next.is_urgent = not wait_s
        self._next.due_at = min(self._next.due_at, self._loop.time() + wait_s)
        if not self._busy:
            self._set_timer()

    def _set_timer(self) -> None:
        """Have the timer ring for the most impatient of what waits."""
        at = max(self._last_begin + self._window_s, self._next.due_at)
        if self._timer is not None:
            if self._due_at <= at:
                return
            self._timer.cancel()
        self._due_at = at
        self._timer = self._loop.call_at(at, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._busy = True
        self._is_retry = False
        self._last_begin = self._loop.time()
        batch, self._next = self._next, Batch()
        self._writer.submit(partial(self._write, batch), partial(self._written, batch, self._last_begin))

    def _written(self, batch: Batch, began: float, result: Any) -> None:  # noqa: ANN401 - result or exception
        self._busy = False
        if isinstance(result, BaseException):  # a defect
            error, result = result, Result()
            result.errors = dict.fromkeys((*batch.records, *([VERDICTS] if batch.verdicts else [])), error)
        errors: dict[str, BaseException] = result.errors
        if VERDICTS in errors:
            self._next.verdicts[:0] = batch.verdicts  # nobody else has them
            self._is_retry = True
            self._next.due_at = min(self._next.due_at, self._loop.time() + RETRY_S)
        for done, logs in batch.dones:
            guarded(self._loop, done, errors.keys().isdisjoint(logs))
        guarded(self._loop, self._tell, batch, result, self._loop.time() - began)
        if self._next:
            self._set_timer()

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


def guarded(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Call one of several that must all be called: its exception is told to the loop, as a callback's is."""
    try:
        call(*args)
    except Exception as e:  # noqa: BLE001 - one listener's defect must not keep the others from hearing
        loop.call_exception_handler({"message": f"defect in {call!r}", "exception": e})


def _nothing() -> None:
    """A job that proves that the thread got here."""
