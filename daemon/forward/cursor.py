"""What one forwarder still has to do in one log. Pure: no clock, no disk, no network.

A position is settled, busy (in a lane in memory, being sent, or waiting for its script), or to be done by backfill:
everything from the log's head to the tail that is neither, and not a hole of the log. So what falls out of the live
lane, comes back from a failed send, was there before the start or was salvaged is one case, not four.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from torhaus.daemon.outbox.ranges import Ranges, count_union, free
from torhaus.daemon.outbox.record import Stored

LIVE_RECORDS: Final = 8192
"""Records the live lane holds in memory; the oldest beyond it are left to backfill."""
MAX_ALARMS: Final = 10_000
"""Alarms that lie in the log and are known to go first, as stretches; those beyond it take their turn."""


class Cursor:
    """The lanes of a forwarder over one log.

    `holes` says which positions the log does not have. `ordered`: nothing in memory overtakes what lies in the log, and
    alarms keep their place.
    """

    def __init__(
        self,
        settled: Ranges,
        tail: int,
        live_records: int = LIVE_RECORDS,
        *,
        holes: Callable[[], Ranges] = Ranges,
        ordered: bool = False,
    ) -> None:
        self.settled = settled
        self.holes = holes
        self.tail = tail
        self.live: deque[Stored] = deque()
        self.alarms: deque[Stored] = deque()
        self.is_live = False
        self.ordered = ordered
        self.changed = False
        self._busy = Ranges()
        self._waiting = Ranges()  # the busy ones that wait for their script
        self.held = Ranges()  # stretches of the backlog that are being rewritten
        self._urgent = Ranges()  # alarms that are in the backlog
        self._overtaken: set[int] = set()  # alarms beyond the tail that went ahead of what came with them
        self._limit = live_records

    def feed(self, stored: Stored, *, wanted: bool, ready: bool) -> bool:
        """A record was committed (or, already seen and then ready, its script has answered). True when this settled it.

        Not `wanted` settles it as skipped; not `ready` leaves it waiting until it is fed again. One that is sent before
        its script answers, or whose script answers while it lies in the backlog, is in nobody's way when it is fed.
        """
        pos = stored.pos
        is_new = pos >= self.tail
        if is_new:
            self.tail = pos + 1
        if is_new and pos in self._overtaken:
            self._overtaken.discard(pos)
        elif not is_new and pos in self.settled:
            self.release(pos)
        elif not wanted:
            self.settle(pos)
            return True
        elif not ready:
            self.wait(pos)
            if self.ordered:
                self.stop_live()
        elif is_new or pos in self._waiting:
            if not is_new:
                self.release(pos)
            self._take_in(stored)
        elif stored.record.alarm and pos not in self._busy:
            self.note_alarm(pos)
        return False

    def feed_run(self, run: list[Stored]) -> None:
        """New records that follow each other, all wanted, ready and no alarms: as `feed` one by one, in one go."""
        first, self.tail = run[0].pos, run[-1].pos + 1
        if not self.is_live:
            return
        self._busy.add(first, self.tail)
        self.live += run
        if len(self.live) <= self._limit:
            return
        if self.ordered:
            self.stop_live()
        while len(self.live) > self._limit:
            self.release(self.live.popleft().pos)

    def wait_run(self, run: list[Stored]) -> None:
        """New records that follow each other and wait for their script: as `feed` one by one, in one go."""
        first, self.tail = run[0].pos, run[-1].pos + 1
        self._busy.add(first, self.tail)
        self._waiting.add(first, self.tail)
        if self.ordered:
            self.stop_live()

    def feed_answered(self, run: list[Stored]) -> None:
        """Records that follow each other, seen before and now ready: as `feed` one by one, usually in one go."""
        first, end = run[0].pos, run[-1].pos + 1
        is_plain = self.is_live and len(self.live) + len(run) <= self._limit
        if is_plain and self._waiting.count(first, end) == end - first:
            self._waiting.remove(first, end)
            self.live += run
            return
        for stored in run:
            self.feed(stored, wanted=True, ready=True)

    def overtake(self, stored: Stored) -> None:
        """An alarm that will be fed later is to go out now, where the order allows it and the far side is there."""
        if self.is_live and not self.ordered and stored.pos >= self.tail and self.is_open(stored.pos):
            self._overtaken.add(stored.pos)
            self._take_in(stored)

    def _take_in(self, stored: Stored) -> None:
        is_alarm = stored.record.alarm and not self.ordered
        if not self.is_live:
            if is_alarm:
                self.note_alarm(stored.pos)
            return
        lane = self.alarms if is_alarm else self.live
        self._busy.add(stored.pos, stored.pos + 1)
        lane.append(stored)
        if len(lane) > self._limit:
            if self.ordered:
                self.stop_live()
            else:
                self.give_back(lane.popleft())

    def start_live(self) -> None:
        """From now on new records go to the lanes in memory."""
        self.is_live = True

    def stop_live(self) -> None:
        """The far side is gone, or takes no more: what is in memory is left to backfill."""
        self.is_live = False
        for stored in self.live:
            self._busy.remove(stored.pos, stored.pos + 1)
        self.live.clear()
        for stored in self.alarms:
            self._busy.remove(stored.pos, stored.pos + 1)
            self.note_alarm(stored.pos)
        self.alarms.clear()

    def take_live(self, n: int) -> list[Stored]:
        """The next records of the live lane, oldest first; they stay busy until settled or released."""
        return _take(self.live, n)

    def take_alarms(self, n: int) -> list[Stored]:
        """The next alarms that came while the far side was there."""
        return _take(self.alarms, n)

    def note_alarm(self, pos: int) -> None:
        """There is an alarm at this position of the log."""
        if not self.ordered and pos not in self.settled and len(self._urgent) < MAX_ALARMS:
            self._urgent.add(pos, pos + 1)

    def alarm_gap(self, head: int) -> tuple[int, int] | None:
        """The lowest stretch of the backlog that is known to be alarms; None when there is none."""
        for start, end in self._urgent:
            if end > head:
                found = free(max(start, head), end, self.settled, self._busy, self.held, self.holes())
                if found is not None:
                    return found
        return None

    def gap(self, head: int) -> tuple[int, int] | None:
        """The lowest stretch of the backlog: [start, end); None when there is none."""
        return free(head, self.tail, self.settled, self._busy, self.held, self.holes())

    def first_waiting(self) -> int:
        """The lowest position that waits, for its script or for a rewriting; the tail when none does."""
        held = next((start for start, end in self.held if self.settled.count(start, end) < end - start), self.tail)
        return min(held, next(iter(self._waiting), (self.tail, 0))[0])

    def hold(self, start: int, end: int) -> bool:
        """Leave a stretch of the log alone until it is let go. False when some of it is in somebody's hand."""
        if self._busy.count(start, end) or end > self.tail:  # what is yet to be fed is in somebody's hand, too
            return False
        self.held.add(start, end)
        return True

    def is_held(self, start: int, end: int) -> bool:
        """Whether some of this is being rewritten: what was read of it must not be used."""
        return self.held.count(start, end) > 0

    def let_go(self, start: int, end: int, alarms: tuple[int, ...] | None) -> None:
        """It has been rewritten, and its alarms are where it says now; None: it is as it was."""
        self.held.remove(start, end)
        if alarms is not None:
            self._urgent.remove(start, end)
            for pos in alarms:
                self.note_alarm(pos)

    def is_open(self, pos: int) -> bool:
        """Whether this position is neither settled nor in anybody's hand."""
        return pos not in self.settled and pos not in self._busy

    def is_free(self, start: int, end: int) -> bool:
        """Whether that holds for all of this stretch."""
        return not (self.settled.count(start, end) or self._busy.count(start, end))

    def take(self, pos: int, count: int = 1) -> None:
        """So many from this position on are being sent."""
        self._busy.add(pos, pos + count)

    def wait(self, pos: int) -> None:
        """This position waits for its script, and comes by `feed` when that has answered."""
        self._busy.add(pos, pos + 1)
        self._waiting.add(pos, pos + 1)

    def settle(self, pos: int, count: int = 1) -> None:
        """Done with: accepted, skipped, set aside with a copy of its own, or gone."""
        self.settled.add(pos, pos + count)
        self._busy.remove(pos, pos + count)
        if self._waiting:
            self._waiting.remove(pos, pos + count)
        if self._urgent:
            self._urgent.remove(pos, pos + count)
        self.changed = True

    def release(self, pos: int) -> None:
        """Not done with: back to the backlog."""
        self._busy.remove(pos, pos + 1)
        if self._waiting:
            self._waiting.remove(pos, pos + 1)

    def give_back(self, stored: Stored) -> None:
        """It was not sent, or not taken: back to the backlog; an alarm still goes first."""
        self.release(stored.pos)
        if stored.record.alarm:
            self.note_alarm(stored.pos)

    def changes(self) -> list[tuple[int, int]] | None:
        """What is settled, where that has changed since this was asked last."""
        if not self.changed:
            return None
        self.changed = False
        return list(self.settled)

    def backlog(self, head: int) -> int:
        """Records that are in the log and not settled."""
        return max(self.tail - head, 0) - count_union(head, self.tail, self.settled, self.holes())

    def in_hand(self, head: int) -> int:
        """Records that are in a lane in memory, being sent, or waiting for their script: unsettled and not backlog."""
        count, pos = self.backlog(head), head
        while (gap := self.gap(pos)) is not None:
            count -= gap[1] - gap[0]
            pos = gap[1]
        return count


def _take(lane: deque[Stored], n: int) -> list[Stored]:
    if len(lane) <= n:
        out = list(lane)
        lane.clear()
        return out
    return [lane.popleft() for _ in range(n)]
