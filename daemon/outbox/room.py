"""What a log occupies on disk: counted along while it is written, looked up where it cannot be."""

from pathlib import Path

from torhaus.daemon.outbox import migrate
from torhaus.daemon.outbox.segment import path_of
from torhaus.daemon.outbox.wear import WalMeter


class Room:
    """Bytes of one log, by what they are. Closed segments have no write-ahead log; the newest one has.

    `aside` are files that were set aside in its folder, `other` is what else counts towards this log's limit.
    """

    __slots__ = ("_done", "_folder", "_meters", "aside", "closed", "newest", "other", "side", "sizes")

    def __init__(self, folder: Path, segments: tuple[int, ...]) -> None:
        self._folder = folder
        self.sizes = {first: migrate.size(path_of(folder, first)) for first in segments[:-1]}
        self.closed = sum(self.sizes.values())
        self.other = 0
        self._done = 0  # bytes written to files that are closed
        self._meters: dict[int, WalMeter] = {}
        self.begin(segments[-1])

    def begin(self, newest: int) -> None:
        """A segment was begun or opened. What is appended to it is counted along, wherever it lies at the time."""
        self.newest = migrate.size(path_of(self._folder, newest))
        self._meters[newest] = WalMeter(path_of(self._folder, newest))
        self.look(newest)

    def look(self, newest: int) -> None:
        """Look up what cannot be counted along: what the newest has on disk beyond its records, files set aside."""
        self.side = max(0, migrate.size(path_of(self._folder, newest)) - self.newest)
        self.aside = aside_bytes(self._folder)

    def note(self, first: int) -> None:
        """This segment is closed, or a verdict or a rewriting has changed its size."""
        self.sizes[first] = migrate.size(path_of(self._folder, first))
        self.closed = sum(self.sizes.values())

    def wrote(self, first: int) -> None:
        """There was a commit to this segment."""
        meter = self._meters.get(first)
        if meter is None:
            meter = self._meters[first] = WalMeter(path_of(self._folder, first))
        meter.look()

    def shut(self, first: int) -> None:
        """This segment's file was closed."""
        meter = self._meters.pop(first, None)
        if meter is not None:
            meter.close()
            self._done += meter.written

    def made(self, written: int) -> None:
        """A file was made outside of the write-ahead logs."""
        self._done += written

    @property
    def written(self) -> int:
        """Bytes written since the start: pages to write-ahead logs, and from there to the segments."""
        return self._done + sum(m.written for m in list(self._meters.values()))

    def close(self) -> None:
        """Every file was closed."""
        for first in list(self._meters):
            self.shut(first)

    def forget(self, first: int) -> None:
        """This segment is gone."""
        self.sizes.pop(first, None)
        self.closed = sum(self.sizes.values())

    @property
    def total(self) -> int:
        """Everything."""
        return self.closed + self.newest + self.side + self.aside + self.other

    def over(self, limit: int) -> int:
        """By how much the limit is exceeded.

        What dropping records cannot shrink counts for half of the limit at most: files set aside that nobody takes
        away must not drive out every record.
        """
        return self.closed + self.newest + self.side + min(self.aside + self.other, limit // 2) - limit


def aside_bytes(folder: Path) -> int:
    """Files in a folder that were set aside, with what belongs to them."""
    return sum(_size(p) for p in folder.glob("*.corrupt-*"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a person takes it away while we look
        return 0
