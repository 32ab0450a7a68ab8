"""Forwarder `file`: one JSON message per line, on disk when it is accepted, rotated by size."""

import asyncio
import os
import threading
from io import FileIO
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable
from torhaus.daemon.outbox.migrate import sync_folder

_encode_lines: Final = msgspec.json.Encoder().encode_lines
MEND_STEP: Final = 1 << 16


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[forwarder]]` of this type."""

    name: str
    type: Literal["file"]
    path: str
    rotate_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 64 << 20
    keep: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 8


def open_forwarder(config: Config, context: Context) -> "FileForwarder":
    """The forwarder; touches nothing until it is opened."""
    return FileForwarder(config, context)


class FileForwarder:
    """Appends to `path`; when it is full it becomes `path.1`, that one `path.2`, and so on up to `keep`.

    A write that was begun ends before anything else touches the file, whatever becomes of the task that waits for it.
    """

    max_batch = 1024
    concurrency = 1
    note: str | None = None

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self._path = Path(config.path.replace("{site}", context.site))
        self._file: FileIO | None = None
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Open for appending. Raises Unavailable."""
        try:
            await asyncio.to_thread(self._open)
        except OSError as e:
            raise self._unavailable(e) from e

    def _open(self) -> None:
        with self._lock:
            self._let_go()
            _make_folder(self._path.parent)
            file = self._append()
            try:
                _mend_tail(self._path)
                sync_folder(self._path.parent)
            except OSError:
                file.close()
                raise
            self._file = file

    async def send(self, batch: list[Item]) -> Outcome:
        """Append, fsync. Raises Unavailable when it cannot be written: the file is cut back to what it was."""
        data = _encode_lines([item.message for item in batch])
        try:
            await asyncio.to_thread(self._write, data)
        except OSError as e:
            raise self._unavailable(e) from e
        return Outcome(list(range(len(batch))))

    def _write(self, data: bytes) -> None:
        with self._lock:
            file = self._file
            if file is None:
                raise OSError("not open")
            if not self._is_in_place(file):  # moved or removed by somebody: what is written must be found at the path
                self._let_go()
                file = self._file = self._append()
                sync_folder(self._path.parent)
            start = file.seek(0, os.SEEK_END)
            if start and start + len(data) > self.config.rotate_bytes:
                file, start = self._rotate(), 0
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except OSError:
                self._file = None
                try:
                    file.truncate(start)  # half a batch must not stay: it comes again
                finally:
                    file.close()
                raise

    def _is_in_place(self, file: FileIO) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(file.fileno()), there)

    def _append(self) -> FileIO:
        return self._path.open("ab", buffering=0)  # no buffer that could be written later, when it must not be any more

    def _rotate(self) -> FileIO:
        self._let_go()
        folder, name = self._path.parent, self._path.name
        folder.joinpath(f"{name}.{self.config.keep}").unlink(missing_ok=True)
        for n in range(self.config.keep - 1, 0, -1):
            older = folder / f"{name}.{n}"
            if older.exists():
                older.rename(folder / f"{name}.{n + 1}")
        if self.config.keep:
            self._path.rename(folder / f"{name}.1")
        else:
            self._path.unlink()
        self._file = self._append()
        sync_folder(folder)
        return self._file

    async def gone(self) -> None:
        """A file does not go away by itself: what is wrong with it shows when it is written."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close the file, after a write that is under way."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            try:
                self._let_go()
            except OSError:
                self._file = None  # everything accepted was fsynced before: nothing is lost with it

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(f"{self._path}: {error.strerror or error}")


def _make_folder(folder: Path) -> None:
    """With its parents, all of them on disk: a file is not safe in a folder that a power cut takes back."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


def _mend_tail(path: Path) -> None:
    """A line that a power cut left unfinished is cut off: it was never accepted and comes again."""
    with path.open("r+b") as f:
        size = f.seek(0, os.SEEK_END)
        end = size
        while end > 0:
            start = max(0, end - MEND_STEP)
            f.seek(start)
            cut = f.read(end - start).rfind(b"\n")
            if cut >= 0:
                end = start + cut + 1
                break
            end = start
        if end != size:
            f.truncate(end)
            os.fsync(f.fileno())
