"""replay: a capture in the place of a device, for tests, the demo and for looking at a fault once more."""

import asyncio
from collections.abc import Iterator

from torhaus.drivers.base import DriverGone
from torhaus.drivers.capture import Chunk, read_capture
from torhaus.drivers.links.base import Link
from torhaus.drivers.links.url import ReplaySpec
from torhaus.drivers.said import Said, about, system


class ReplayLink(Link):
    """Plays a capture; DriverGone at its end, unless it starts again. What is written goes nowhere.

    The file is opened at the first read and then read line by line.
    """

    def __init__(self, spec: ReplaySpec, idle_s: float = 0.0) -> None:
        super().__init__(spec.path, idle_s)
        self._spec = spec
        self._chunks: Iterator[Chunk] = iter(())
        self._left = b""
        self._begun = False
        self._start_at = 0.0
        self._closed = False

    async def _read(self, max_bytes: int) -> bytes:
        if not self._left:
            chunk = self._next()
            if self._spec.speed:
                due_at = self._start_at + chunk.at_us / 1e6 / self._spec.speed
                await asyncio.sleep(due_at - asyncio.get_running_loop().time())
            self._left = chunk.data
        await asyncio.sleep(0)  # a long capture leaves the others their turn
        if self._closed:
            raise DriverGone(about(self.name, Said("closed")))
        data, self._left = self._left[:max_bytes], self._left[max_bytes:]
        return data

    def _next(self) -> Chunk:
        if self._closed:
            raise DriverGone(about(self.name, Said("closed")))
        if not self._begun:
            self._begin()
        try:
            chunk = next(self._chunks, None)
            if chunk is None and self._spec.loop:
                self._begin()
                chunk = next(self._chunks, None)
        except OSError as error:
            raise DriverGone(about(self.name, system(error))) from error
        except ValueError as error:
            raise DriverGone(str(error)) from error
        if chunk is None:
            raise DriverGone(about(self.name, Said("capture_ended")))
        return chunk

    def _begin(self) -> None:
        self._begun = True
        self._chunks = read_capture(self._spec.path)
        self._start_at = asyncio.get_running_loop().time()

    async def _write(self, data: bytes) -> None:
        """What is written goes nowhere."""

    async def _set_baud(self, baud: int) -> None:
        """A capture has no rate."""

    async def close(self) -> None:
        """Let go of the file."""
        self._closed = True
        self._chunks = iter(())
