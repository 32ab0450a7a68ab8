"""The suspects' jobs: a line for each script, and the turn is with the one that has had the least time.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) with equal weights: a script's account is what it has used up; one
that comes anew begins with the account of the one that was served last, so it waits for one call at most and saves
nothing up by keeping quiet.
"""

from collections import deque
from collections.abc import Iterable

from torhaus.daemon.scripts.host_model import Waiting


class Turns:
    """Holds waiting jobs. Those of one script keep their order."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Waiting]] = {}  # only those in which somebody waits
        self._used_ns: dict[str, int] = {}
        self._now_ns = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def length(self, source_hash: str) -> int:
        """How many wait for one script."""
        return len(self._lines.get(source_hash, ()))

    def add(self, waiting: Waiting) -> None:
        """To the end of its script's line."""
        self._line(waiting.job.source_hash).append(waiting)
        self._count += 1

    def put_back(self, waiting: Waiting) -> None:
        """To the head of its script's line."""
        self._line(waiting.job.source_hash).appendleft(waiting)
        self._count += 1

    def _line(self, source_hash: str) -> deque[Waiting]:
        line = self._lines.get(source_hash)
        if line is None:
            line = self._lines[source_hash] = deque()
            self._used_ns[source_hash] = max(self._used_ns.get(source_hash, 0), self._now_ns)
        return line

    def next(self) -> Waiting:
        """Whose turn it is. Those that have had the same time take turns. IndexError when nobody waits."""
        if not self._lines:
            raise IndexError("nobody waits")
        source_hash = min(self._lines, key=self._used_ns.__getitem__)
        self._now_ns = self._used_ns[source_hash]
        line = self._lines.pop(source_hash)
        waiting = line.popleft()
        if line:
            self._lines[source_hash] = line
        self._count -= 1
        return waiting

    def charge(self, source_hash: str, time_ns: int) -> None:
        """What a script's call took."""
        self._used_ns[source_hash] = self._used_ns.get(source_hash, self._now_ns) + max(0, time_ns)

    def take_all(self, source_hash: str) -> Iterable[Waiting]:
        """Empty a script's line."""
        line = self._lines.pop(source_hash, deque())
        self._count -= len(line)
        return line

    def clear(self) -> list[Waiting]:
        """Empty all lines."""
        found = [waiting for line in self._lines.values() for waiting in line]
        self._lines.clear()
        self._count = 0
        return found

    def forget(self, source_hash: str) -> None:
        """The script is withdrawn; who waits for it is told when his turn comes."""
        if source_hash not in self._lines:
            self._used_ns.pop(source_hash, None)
