"""Forwarder `file`: one JSON message per line, on disk when it is accepted, rotated by size."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import msgspec

from torhaus.daemon.forward.base import Context, Item, Outcome, Unavailable

_encode_lines: Final = msgspec.json.Encoder().encode_lines


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
    """Appends to `path`; when it is full it becomes `path.1`, that one `path.2`, and so on up to `keep`."""

    max_batch = 1024
    concurrency = 1

    def __init__(self, config: Config, context: Context) -> None:
        self.config = config
        self._path = Path(config.path.replace("{site}", context.site))
        self._file: BinaryIO | None = None

    async def open(self) -> None:
        """Open for appending. Raises Unavailable."""
        try:
            await asyncio.to_thread(self._open)
        except OSError as e:
            raise Unavailable(f"{self._path}: {e.strerror}") from e

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        _mend_tail(self._path, self._file)
        _fsync_folder(self._path.parent)

    async def send(self, batch: list[Item]) -> Outcome:
        """Append, fsync. Raises Unavailable when it cannot be written: the file is cut back to what it was."""
        data = _encode_lines([item.message for item in batch])
        try:
            await asyncio.to_thread(self._write, data)
        except OSError as e:
            raise Unavailable(f"{self._path}: {e.strerror}") from e
        return Outcome(list(range(len(batch))))

    def _write(self, data: bytes) -> None:
        file = self._file
        assert file is not None
        start = file.seek(0, os.SEEK_END)
        if start and start + len(data) > self.config.rotate_bytes:
            file = self._rotate()
            start = 0
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            self._file = None
            with self._path.open("r+b") as again:  # half a line must not stay: the batch comes again
                again.truncate(start)
            raise

    def _rotate(self) -> BinaryIO:
        assert self._file is not None
        self._file.close()
        self._file = None
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
        self._file = self._path.open("ab")
        _fsync_folder(folder)
        return self._file

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _mend_tail(path: Path, file: BinaryIO) -> None:
    """A line that a power cut left unfinished is cut off: it was never accepted and comes again."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return
    with path.open("r+b") as f:
        step = 1 << 16
        end = size
        while end > 0:
            start = max(0, end - step)
            f.seek(start)
            chunk = f.read(end - start)
            cut = chunk.rfind(b"\n")
            if cut >= 0:
                if start + cut + 1 != size:
                    f.truncate(start + cut + 1)
                    os.fsync(f.fileno())
                return
            end = start
        f.truncate(0)


def _fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
