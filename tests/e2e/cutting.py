"""A line that breaks: passes bytes on to a port, and cuts the first connections after some random bytes."""

import asyncio
import socket
import struct
import threading
from random import Random
from typing import Self


class CuttingLine:
    """Listens on `port` in a thread of its own. `cuts` are left."""

    def __init__(self, to_port: int, cuts: int, most_bytes: int, rng: Random) -> None:
        self.port = 0
        self.cuts = cuts
        self._to_port = to_port
        self._most_bytes = most_bytes
        self._rng = rng
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting-line")

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = server.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = None
        if self.cuts > 0:
            left = self._rng.randrange(1, self._most_bytes)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(_pump(far_reader, writer))
        while data := await reader.read(65536 if left is None else max(1, min(left, 65536))):
            far_writer.write(data)
            await far_writer.drain()
            if left is not None:
                left -= len(data)
                if left <= 0:
                    self.cuts -= 1
                    break
        for end in (far_writer, writer):
            if left is not None and left <= 0:
                reset(end)
            end.close()
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Let closing be a reset (RST): what is under way is lost, as when a line breaks."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
