"""A scan queue over the folders `hot`, `out` and `state` below ROOT, until it is killed.

python -m tests.crash.scans_live ROOT [KEY-FILE]
"""

import asyncio
import sys
from pathlib import Path

from tests.daemon.scans_fakes import SITE, MagicCheck
from torhaus.daemon.clock import SystemClock
from torhaus.daemon.scans.config import Route, ScanConfig, Station
from torhaus.daemon.scans.queue import ScanQueue
from torhaus.daemon.scans.targets import folder


def queue_at(root: Path, keys: tuple[str, ...]) -> ScanQueue:
    """On the machine's own clock and disk; only the strict check is a quick one."""
    config = ScanConfig(
        (Station("counter", str(root / "hot"), scan_interval_s=0.05, stable_s=0.05),),
        (folder.Config("archive", path=str(root / "out")),),
        (Route("archive", "counter"),),
        spool_key_files=keys,
        min_free_bytes=0,
    )
    return ScanQueue(config, root / "state", SITE, SystemClock(), lambda _: None, check=MagicCheck())


if __name__ == "__main__":
    asyncio.run(queue_at(Path(sys.argv[1]), tuple(sys.argv[2:])).run())
