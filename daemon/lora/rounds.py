"""Who is to be answered: what several gateways hear within a moment is one question, and so is what comes late."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from torhaus.codecs.model import Frame, Reception
from torhaus.daemon.clock import Clock

COLLECT_S: Final = 0.2
"""How long further gateways may hear it: the answer has to be at the best one within a second."""
MAX_ROUNDS: Final = 256
"""Questions under way at once; a gateway can answer a few a second."""
_MAX_DONE: Final = 1024
_MAX_RECEPTIONS: Final = 64

Key = tuple[str, int]
Defect = Callable[[str, BaseException], None]
"""Told which part has failed, and how."""


def no_defect(_: str, error: BaseException) -> None:
    """Where nobody counts defects there must be none."""
    raise error


class Round(msgspec.Struct):
    """One question: how it was heard first, and by whom."""

    frame: Frame
    receptions: list[Reception]


class Rounds:
    """`late_s`: copies that come within this time after an answer are no new question."""

    def __init__(self, clock: Clock, late_s: float, defect: Defect = no_defect) -> None:
        self._defect = defect
        self._clock = clock
        self._late_ns = round(late_s * 1e9)
        self._open: dict[Key, Round] = {}
        self._done: OrderedDict[Key, int] = OrderedDict()
        self._queue: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(MAX_ROUNDS)

    def heard(self, key: Key, frame: Frame) -> bool:
        """Whether it is another copy of what is being answered, or was just now. It is taken into account."""
        now = self._open.get(key)
        if now is not None:
            room = _MAX_RECEPTIONS - len(now.receptions)
            now.receptions += (frame.radio.rx if frame.radio is not None else [])[: max(room, 0)]
            return True
        at_ns = self._done.get(key)
        return at_ns is not None and self._clock.boot_ns() - at_ns < self._late_ns

    def begin(self, key: Key, frame: Frame, answer: Callable[[Round], Awaitable[None]]) -> bool:
        """Have it answered after a moment. False when too many are."""
        if len(self._open) >= MAX_ROUNDS or self._queue.full():
            return False
        self._open[key] = Round(frame, list(frame.radio.rx if frame.radio is not None else []))
        self._queue.put_nowait(lambda: self._go(key, answer))
        return True

    async def _go(self, key: Key, answer: Callable[[Round], Awaitable[None]]) -> None:
        try:
            await self._clock.sleep(COLLECT_S)
        finally:
            this = self._open.pop(key)
            self._done[key] = self._clock.boot_ns()
            self._done.move_to_end(key)
            if len(self._done) > _MAX_DONE:
                self._done.popitem(last=False)
        await answer(this)

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                job = await self._queue.get()
                group.create_task(self._run(job))

    async def _run(self, job: Callable[[], Awaitable[None]]) -> None:
        """A defect costs the one answer."""
        try:
            await job()
        except Exception as e:  # noqa: BLE001 - whatever it is, the others are answered
            self._defect("answers to devices", e)
