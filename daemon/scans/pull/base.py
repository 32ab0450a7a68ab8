"""What every kind of pulled scanner does: one job into a job's folder."""

from typing import Protocol

import msgspec

from torhaus.daemon.scans.pull.faults import Trouble
from torhaus.daemon.scans.pull.job import JobFolder


class Pulled(msgspec.Struct, frozen=True):
    """How a job ended. `pages`: as the scanner counts, None where it does not; `trouble`: why not all may have come."""

    pages: int | None
    trouble: Trouble | None


class Scanner(Protocol):
    """One scanner."""

    async def pull(self, folder: JobFolder) -> Pulled:
        """Run one job. Raises PullRefused and OSError; what came until then is in the folder."""
        ...
