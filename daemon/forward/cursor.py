"""What one forwarder still has to do in one log. Pure: no clock, no disk, no network.

A position is settled, busy (in the live lane, being sent, or waiting for its script), or to be done by backfill:
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


class Cursor:
    """The two lanes of a forwarder over one log. `holes` says which positions the log does not have."""

    def __init__(
        self,
        settled: Ranges,
        tail: int,
        live_records: int = LIVE_RECORDS,
        *,
        holes: Callable[[], Ranges] = Ranges,
    ) -> None:
        self.settled = settled
        self.holes = holes
        self.tail = tail
        self.live: deque[Stored] = deque()
        self.is_live = False
        self.changed = False
        self._busy = Ranges()
        self._waiting = Ranges()  # the busy ones that wait for their script
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
        if not is_new and pos in self.settled:
            self.release(pos)
        elif not wanted:
            self.settle(pos)
            return True
        elif not ready:
            self.wait(pos)
        elif is_new or pos in self._waiting:
            if not is_new:
                self.release(pos)
            if self.is_live:
                self._busy.add(pos, pos + 1)
                self.live.append(stored)
                if len(self.live) > self._limit:
                    self.release(self.live.popleft().pos)
        return False

    def start_live(self) -> None:
        """From now on new records go to the live lane."""
        self.is_live = True

    def stop_live(self) -> None:
        """The far side is gone: the live lane is left to backfill."""
        self.is_live = False
        for stored in self.live:
            self._busy.remove(stored.pos, stored.pos + 1)
        self.live.clear()

    def take_live(self, n: int) -> list[Stored]:
        """The next records of the live lane, oldest first; they stay busy until settled or released."""
        live = self.live
        if len(live) <= n:
            out = list(live)
            live.clear()
            return out
        return [live.popleft() for _ in range(n)]

    def gap(self, head: int) -> tuple[int, int] | None:
        """The lowest stretch of the backlog: [start, end); None when there is none."""
        return free(head, self.tail, self.settled, self._busy, self.holes())

    def take(self, pos: int) -> None:
        """This position is being sent."""
        self._busy.add(pos, pos + 1)

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
        self.changed = True

    def release(self, pos: int) -> None:
        """Not done with: back to the backlog."""
        self._busy.remove(pos, pos + 1)
        if self._waiting:
            self._waiting.remove(pos, pos + 1)

    def backlog(self, head: int) -> int:
        """Records that are in the log and not settled."""
        return max(self.tail - head, 0) - count_union(head, self.tail, self.settled, self.holes())
