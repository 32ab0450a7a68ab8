"""A broker that lets everybody in and never acknowledges a message: a far side that hangs behind a working line.

Says `ready` and its port. CONNECT is answered in the client's own version, PINGREQ too, everything else with nothing.
"""

import asyncio
import contextlib
from typing import Final

CONNACK: Final = {4: b"\x20\x02\x00\x00", 5: b"\x20\x03\x00\x00\x00"}
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        hello = await reader.read(1 << 16)
        level = hello[hello.index(b"MQTT") + 4]
        writer.write(CONNACK[level])
        while data := await reader.read(1 << 16):
            if data == PINGREQ:
                writer.write(PINGRESP)
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print("ready", flush=True)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
