"""Which jobs run among the proven scripts' and which among the suspects', each in a process of their own.

A script is proven by its first good result. One that takes too long there is tried again among the suspects, at first
for the one device whose payload it was; when a second device's payload does the same, for all of its devices. The way
back takes good results in a row: sixteen, and sixteen times as many each time it is sent away again.
"""

from typing import Final

from torhaus.daemon.scripts.protocol import Job

FIRST: Final = 16
FACTOR: Final = 16
MOST: Final = 65536
DEVICES: Final = 2
"""Devices of one script that are sent away without a good result in between until the whole script is."""

Key = tuple[str, str]
"""A script's hash, and a DevEUI or nothing for all of its devices."""


class Trust:
    """Kept by the host. Grows with scripts and devices, which are bounded, and not with records."""

    def __init__(self) -> None:
        self.sent_away = 0
        self._proven: set[str] = set()
        self._away: dict[Key, int] = {}  # good results that are still missing
        self._needed: dict[Key, int] = {}  # good results that the last way back took; kept while it is back
        self._offences: dict[str, int] = {}

    def trusts(self, job: Job) -> bool:
        """Whether the job may run among the proven ones'."""
        if job.source_hash not in self._proven:
            return False
        return not self._away or not any(key in self._away for key in _keys(job))

    def praise(self, job: Job) -> None:
        """A good result of a trusted job."""
        if self._offences:
            self._offences.pop(job.source_hash, None)

    def send_away(self, job: Job) -> None:
        """A trusted job took too much, or a job ended processes."""
        offences = self._offences.pop(job.source_hash, 0) + 1
        whole = offences >= DEVICES or not job.dev_eui
        if not whole:
            self._offences[job.source_hash] = offences
        key = (job.source_hash, "" if whole else job.dev_eui or "")
        self._needed[key] = self._away[key] = min(MOST, self._needed.get(key, FIRST // FACTOR) * FACTOR)
        self.sent_away += 1

    def doubt(self, job: Job) -> None:
        """The process ended with this job in it, perhaps for another's fault: one good result makes up for it."""
        self._away.setdefault((job.source_hash, job.dev_eui or ""), 1)

    def good(self, job: Job) -> bool:
        """A good result of a suspect; whether something is trusted now that was not before."""
        changed = job.source_hash not in self._proven
        self._proven.add(job.source_hash)
        for key in _keys(job):
            if key in self._away:
                self._away[key] -= 1
                if not self._away[key]:
                    del self._away[key]
                    changed = True
        return changed

    def bad(self, job: Job) -> None:
        """A suspect broke a limit: its way back begins anew."""
        for key in _keys(job):
            if key in self._away:
                self._away[key] = self._needed.setdefault(key, FIRST)

    def forget(self, source_hash: str) -> None:
        """The script is withdrawn."""
        self._proven.discard(source_hash)
        self._offences.pop(source_hash, None)
        for book in (self._away, self._needed):
            for key in [key for key in book if key[0] == source_hash]:
                del book[key]


def _keys(job: Job) -> tuple[Key, ...]:
    whole = (job.source_hash, "")
    return (whole, (job.source_hash, job.dev_eui)) if job.dev_eui else (whole,)
