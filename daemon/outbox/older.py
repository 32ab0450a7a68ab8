"""Writing to segments that are closed: only scripts' verdicts go there, and mostly to the one before the newest."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from torhaus.daemon.outbox.segment import Segment, path_of

T = TypeVar("T")


class Older:
    """The closed segment that was written last, kept open. `closed` is told when it was let go of."""

    def __init__(self, folder: Path, closed: Callable[[int], None]) -> None:
        self._folder = folder
        self._closed = closed
        self._segment: Segment | None = None

    @property
    def first(self) -> int | None:
        """Which it is."""
        return None if self._segment is None else self._segment.first

    def open(self, first: int) -> Segment:
        """This one, to be written. Raises OSError, sqlite3.Error or SchemaError."""
        if self._segment is None or self._segment.first != first:
            self.close()
            self._segment = Segment.open(path_of(self._folder, first))
        return self._segment

    def close(self) -> None:
        """Let go of it."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()
            self._closed(segment.first)


def by_segment(segments: tuple[int, ...], items: Iterable[tuple[int, T]]) -> dict[int, list[tuple[int, T]]]:
    """What belongs to a position, by the segment that has it; what is older than all of them is left out."""
    out: dict[int, list[tuple[int, T]]] = {}
    for pos, item in items:
        first = max((s for s in segments if s <= pos), default=None)
        if first is not None:  # else dropped meanwhile, and its record with it
            out.setdefault(first, []).append((pos, item))
    return out
