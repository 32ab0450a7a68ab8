"""What scripts keep of a device from one message to the next (Actility's `context`), between the script processes.

In memory and bounded: after a restart of the daemon a script finds nothing, as with a device that is new.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from torhaus.daemon.scripts.protocol import Job

MOST_CHARS: Final = 4 << 20
"""Of all devices together; beyond it those that were silent longest are forgotten."""


class Carried:
    """By script and DevEUI."""

    def __init__(self, most_chars: int = MOST_CHARS) -> None:
        self._most = most_chars
        self._chars = 0
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def given(self, jobs: list[Job]) -> list[Job]:
        """Jobs with what their scripts have kept."""
        if not self._kept:
            return jobs
        return [self._with(job) for job in jobs]

    def _with(self, job: Job) -> Job:
        context = self._kept.get((job.source_hash, job.dev_eui or ""))
        return job if context is None else msgspec.structs.replace(job, context=context)

    def keep(self, job: Job, context: str) -> None:
        """What the script wants to keep after this job; an empty array is nothing."""
        whose = (job.source_hash, job.dev_eui or "")
        self._chars -= len(self._kept.pop(whose, ""))
        if context == "[]":
            return
        self._kept[whose] = context
        self._chars += len(context)
        while self._chars > self._most:
            self._chars -= len(self._kept.popitem(last=False)[1])

    def forget(self, source_hash: str) -> None:
        """Drop all that a script has kept."""
        for whose in [whose for whose in self._kept if whose[0] == source_hash]:
            self._chars -= len(self._kept.pop(whose))
