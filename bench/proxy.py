"""A TCP proxy that holds everything back for a while, each way: a far line on one machine.

    python -m bench.proxy PORT ROUND_TRIP_S

Listens on a port of its own, which it says after `ready`, and connects to PORT.
"""

import asyncio
import contextlib
import sys
from typing import Final

HELD_BYTES: Final = 8 << 20
"""What may be under way in one direction: well beyond any bandwidth times delay that is measured."""
_READ_BYTES: Final = 1 << 16


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """One direction, until its end; every byte leaves `delay_s` after it came."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_BYTES // _READ_BYTES)

    async def take() -> None:
        data = b"-"
        while data:
            data = await reader.read(_READ_BYTES)
            await under_way.put((loop.time() + delay_s, data))

    async def give() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            writer.write(data)
            await writer.drain()

    async with asyncio.TaskGroup() as both:
        both.create_task(take())
        both.create_task(give())


async def serve(port: int, round_trip_s: float) -> None:
    """Until the process is ended."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        ends = (
            asyncio.create_task(pass_on(reader, far_writer, round_trip_s / 2)),
            asyncio.create_task(pass_on(far_reader, writer, round_trip_s / 2)),
        )
        done, others = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        with contextlib.suppress(OSError, ExceptionGroup, asyncio.CancelledError):
            await asyncio.gather(*done, *others)
        writer.close()
        far_writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print("ready", flush=True)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
