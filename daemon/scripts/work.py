"""The work of the two script processes: the proven scripts' in batches, the suspects' one job at a time."""

from collections import deque
from collections.abc import Callable
from typing import Final

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.scripts.aside import BROKEN, Aside
from torhaus.daemon.scripts.host_model import Answer, HostLimits, Waiting
from torhaus.daemon.scripts.protocol import Job
from torhaus.daemon.scripts.trust import Trust
from torhaus.daemon.scripts.turns import Turns

MAX_BATCH: Final = 128
"""Jobs in one message."""
SLOW_NS: Final = 50_000_000
_UNFINISHED: Final = frozenset({RejectReason.SCRIPT_TIME, RejectReason.SCRIPT_MEMORY, RejectReason.SCRIPT_ASIDE})
"""Among proven scripts these are no verdict: the job was cut short, or stood behind such a one of its script."""

Settle = Callable[[list[tuple[Waiting, Answer]]], None]
Move = Callable[[Waiting], None]


class Proven:
    """First come, first served. What is cut short is handed to `move`, with all that is no longer trusted then."""

    def __init__(self, trust: Trust, settle: Settle, move: Move) -> None:
        self.queue: deque[Waiting] = deque()
        self._trust = trust
        self._settle = settle
        self._move = move
        self._put_off: list[Waiting] = []
        self._cut_short: list[Job] = []

    def __len__(self) -> int:
        return len(self.queue) + len(self._put_off)

    def waits(self) -> bool:
        """Whether there is something to do."""
        return bool(self.queue)

    def take(self) -> list[Waiting]:
        """The next batch."""
        return [self.queue.popleft() for _ in range(min(MAX_BATCH, len(self.queue)))]

    def answered(self, pairs: list[tuple[Waiting, Answer]]) -> None:
        """Verdicts are passed on; who was cut short or put off waits for the end of the batch, so that order holds."""
        settled = []
        for pair in pairs:
            waiting, answer = pair
            if not isinstance(answer, DecodeError):
                self._trust.praise(waiting.job)
            elif answer.reason in _UNFINISHED:
                if answer.reason is not RejectReason.SCRIPT_ASIDE:
                    self._cut_short.append(waiting.job)
                self._put_off.append(waiting)
                continue
            settled.append(pair)
        self._settle(settled)

    def finished(self) -> None:
        """Who was put off is in the queue again, or among the suspects."""
        if self._put_off:
            self._return([])

    def lost(self, unanswered: list[Waiting], ended: str | None) -> None:
        """Each is tried on its own among the suspects: one of them ended the process."""
        if ended is not None:
            for waiting in unanswered:
                self._trust.doubt(waiting.job)
        self._return(unanswered)

    def _return(self, unanswered: list[Waiting]) -> None:
        self.queue.extendleft(reversed([*self._put_off, *unanswered]))
        for job in self._cut_short:  # only now: what comes meanwhile must not overtake those that were put off
            self._trust.send_away(job)
        self._put_off.clear()
        self._cut_short.clear()
        self.sort_out()

    def sort_out(self) -> None:
        """Hand on what waits here and is trusted no longer."""
        for _ in range(len(self.queue)):
            each = self.queue.popleft()
            if self._trust.trusts(each.job):
                self.queue.append(each)
            else:
                self._move(each)


class Suspects:
    """Turn by turn. Who gains trust is handed to `move` with all that waits behind him."""

    def __init__(self, trust: Trust, aside: Aside, clock: Clock, bounds: HostLimits, settle: Settle) -> None:
        self.turns = Turns()
        self.move: Move = self.turns.add
        self._trust = trust
        self._aside = aside
        self._clock = clock
        self._bounds = bounds
        self._settle = settle
        self._began_ns = 0

    def waits(self) -> bool:
        """Whether there is something to do."""
        return bool(self.turns)

    def take(self) -> list[Waiting]:
        """The next job that is to be tried; those of scripts that are set aside are refused on the way."""
        while self.turns:
            waiting = self.turns.next()
            refusal = self._aside.refusal(waiting.job)
            if refusal is None:
                self._began_ns = self._clock.boot_ns()
                return [waiting]
            self._settle([(waiting, refusal)])
        return []

    def answered(self, pairs: list[tuple[Waiting, Answer]]) -> None:
        """The answer, which is the verdict."""
        for waiting, answer in pairs:
            slow = self._charge(waiting)
            self._settle([(waiting, answer)])
            if not isinstance(answer, DecodeError):
                if self._trust.good(waiting.job):
                    self._move_on(waiting.job.source_hash)
            elif answer.reason in BROKEN:
                self._trust.bad(waiting.job)
                slow = True
            if slow:
                self._shorten(waiting)

    def finished(self) -> None:
        """Nothing is left to do."""

    def lost(self, unanswered: list[Waiting], ended: str | None) -> None:
        """It is tried again a few times, others first."""
        for waiting in unanswered:
            if ended is None:
                self.turns.put_back(waiting)
                continue
            self._charge(waiting)
            waiting.deaths += 1
            if waiting.deaths < self._bounds.crashes:
                self.turns.put_back(waiting)
                continue
            detail = f"{waiting.job.script_id}: the script process ended {waiting.deaths} times on it: {ended}"
            self._trust.send_away(waiting.job)
            self._settle([(waiting, DecodeError(RejectReason.SCRIPT_CRASH, detail))])

    def _charge(self, waiting: Waiting) -> bool:
        """Account for a call; whether it was slow."""
        took_ns = self._clock.boot_ns() - self._began_ns
        self.turns.charge(waiting.job.source_hash, took_ns)
        return took_ns > SLOW_NS

    def _move_on(self, source_hash: str) -> None:
        for waiting in self.turns.take_all(source_hash):
            if self._trust.trusts(waiting.job):
                self.move(waiting)
            else:
                self.turns.add(waiting)

    def _shorten(self, served: Waiting) -> None:
        """A script that is too slow for what its devices send must not fill the queue: the oldest are given up."""
        source_hash, name = served.job.source_hash, served.job.script_id
        excess = self.turns.length(source_hash) - self._bounds.line
        if excess <= 0:
            return
        detail = f"{name}: too slow for what comes: more than {self._bounds.line} records waited for it"
        line = list(self.turns.take_all(source_hash))
        for waiting in line[excess:]:
            self.turns.add(waiting)
        self._settle([(waiting, DecodeError(RejectReason.SCRIPT_ASIDE, detail)) for waiting in line[:excess]])
