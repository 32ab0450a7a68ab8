"""The part of a log that has to do with damage: segments are taken out, and come back when they have been salvaged.

On the writer thread. Readers look at `segments` and `holes` at any moment: both are replaced, and a reader that finds
damage while they are looks again.
"""

from pathlib import Path

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.folder import find_holes
from torhaus.daemon.outbox.older import Older
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.retention import Ages
from torhaus.daemon.outbox.room import Room
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.segment_read import MAX_POSITION


class Mendable:
    """What a log has for it."""

    folder: Path
    tail: int
    holes: Ranges
    waiting: tuple[int, ...]  # first positions of segments that are to be salvaged; replaced, never changed in place
    set_aside: list[Path]
    steps: dict[int, int]
    room: Room
    _segments: tuple[int, ...]
    _older: Older
    _ages: Ages

    def _begin_segment(self, now_ns: int) -> None:
        raise NotImplementedError

    def _set_aside(self, first: int, now_ns: int) -> None:
        """Take a damaged segment out; what is intact in it comes back by `take_back`."""
        if first not in self.waiting:
            self.waiting = (*self.waiting, first)
        self._segments = tuple(s for s in self._segments if s != first)
        self.set_aside.append(migrate.set_aside(path_of(self.folder, first), now_ns))

    def withdraw(self, first: int, now_ns: int) -> bool:
        """Take a damaged segment out, to be salvaged. False when it is not there, or nothing is in it.

        Raises OSError, and then it is still there.
        """
        if first == self._segments[-1]:
            if self.tail == first:
                return False
            self._begin_segment(now_ns)
        if first not in self._segments or not path_of(self.folder, first).exists():
            return False
        self._forget(first)
        before = self._segments, self.waiting, self.holes, self.steps
        self.waiting = (*self.waiting, first)  # in this order: who finds the hole must find why
        self.holes, self.steps = find_holes(self.folder, self._segments, self.waiting)
        try:
            self._set_aside(first, now_ns)
        except OSError:
            if path_of(self.folder, first).exists():
                self._segments, self.waiting, self.holes, self.steps = before
                self.room.note(first)
                raise
        return True

    def take_back(self, first: int, salvaged: Path) -> None:
        """Put a salvaged segment in its place."""
        salvaged.rename(path_of(self.folder, first))
        migrate.sync_folder(self.folder)
        waiting = tuple(w for w in self.waiting if w != first)
        segments = tuple(sorted((*self._segments, first)))
        holes, steps = find_holes(self.folder, segments, waiting)
        self._segments, self.waiting, self.holes, self.steps = segments, waiting, holes, steps
        self.room.note(first)
        self.room.made(migrate.size(path_of(self.folder, first)))

    def is_waiting(self, start: int, end: int) -> bool:
        """Whether anything of [start, end) waits to be salvaged."""
        waiting = self.waiting
        after = sorted((*self._segments, *waiting))
        return any(w < end and start < next((s for s in after if s > w), self.tail) for w in waiting)

    def give_up(self, first: int) -> None:
        """Nothing will come back of this one."""
        self.waiting = tuple(w for w in self.waiting if w != first)

    def _forget(self, first: int) -> None:
        if self._older.first == first:
            self._older.close()
        self._ages.forget(first)
        self.room.forget(first)
        self.steps = {s: step for s, step in self.steps.items() if s != first}

    @property
    def _stop(self) -> int:
        """Nothing from here on leaves the log: what waits to be salvaged may still come back before it."""
        return min(self.waiting, default=MAX_POSITION)
