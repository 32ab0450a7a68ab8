"""Child of test_scans_targets_chaos.py: a scan queue that delivers what lies in its hot folder until it is killed.

python -m tests.daemon.scans_chaos ROOT KIND URL
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from tests.daemon.far_sides.dvelop import DvelopServer
from tests.daemon.far_sides.paperless import PaperlessServer
from tests.daemon.far_sides.s3 import S3Server
from tests.daemon.far_sides.tus import TusServer
from tests.daemon.far_sides.webdav import WebdavServer
from tests.daemon.scans_fakes import Bench
from torhaus.daemon.scans.db import Scan

SERVERS: dict[str, Any] = {
    "dvelop": DvelopServer,
    "paperless": PaperlessServer,
    "s3": S3Server,
    "tus": TusServer,
    "webdav": WebdavServer,
}
OVER = {"verified", "filed", "held"}


def bench(root: Path, server: Any) -> Bench:
    """In a boot of its own, so that nothing that waits waits for long."""
    made = Bench(root, server.config(root, max_tries=1000, concurrency=4))
    made.clock.boot_id = os.urandom(16).hex()
    made.new_queue()
    return made


async def scans_of(b: Bench) -> list[Scan]:
    """All of them."""
    return await b.queue._db.run(lambda tx: tx.find("1", (), 1_000_000))


async def deliver(b: Bench) -> None:
    """Until every document is over, four at a time."""
    while await b.look():
        pass
    while True:
        await b.queue.seal()
        while any(await asyncio.gather(*(b.queue.deliveries[0].step() for _ in range(4)))):
            pass
        if {scan.state.value for scan in await scans_of(b)} <= OVER:
            return
        b.clock.pass_s(60)


async def main(root: Path, kind: str, url: str) -> None:
    server = SERVERS[kind]()
    server.url = url
    async with bench(root, server) as b:
        await deliver(b)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
