"""aiomqtt as a client: readings published at QoS 1, many at once, each awaited. Nothing is kept on disk.

python -m bench.peers.aiomqtt_client PORT COUNT
"""

import asyncio
import logging
import sys
import time
from typing import Final

import aiomqtt

from bench.publisher import reading

AT_ONCE: Final = 256


async def main(port: int, count: int) -> None:
    messages = [reading(n) for n in range(count)]
    quiet = logging.getLogger("aiomqtt")
    quiet.setLevel(logging.ERROR)  # else it warns of each call beyond the tenth
    async with aiomqtt.Client(
        "127.0.0.1", port, max_inflight_messages=1000, max_concurrent_outgoing_calls=AT_ONCE, logger=quiet
    ) as client:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        waiting = iter(messages)

        async def work() -> None:
            for device, body in waiting:
                await client.publish(f"out/{device}", body, qos=1)

        async with asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(work())
        print(f'{{"began_at": {began}}}', flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
