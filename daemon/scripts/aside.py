"""Which scripts are set aside for a while because they keep breaking their limits: each such call costs up to a second.

A script, or one device's messages to it, breaks a limit STRIKES times in a row: for a minute its records are refused at
once. After that one call decides: good, and all is forgotten; broken, and the pause is doubled, up to an hour.
"""

from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.clock import Clock
from torhaus.daemon.scripts.protocol import STRIKES, Job

PAUSE_S: Final = 60.0
PAUSE_MAX_S: Final = 3600.0
BROKEN: Final = frozenset({RejectReason.SCRIPT_TIME, RejectReason.SCRIPT_MEMORY, RejectReason.SCRIPT_CRASH})
_NS: Final = 1_000_000_000

Key = tuple[str, str]
"""A script's hash, and a DevEUI or nothing for all of its devices."""


class _Offender(msgspec.Struct):
    name: str
    strikes: int = 0
    pause_s: float = 0.0
    until_ns: int = 0


class Aside:
    """Kept by the host. Holds only who has strikes: one good result clears them."""

    def __init__(self, clock: Clock) -> None:
        self.pauses = 0
        self._clock = clock
        self._offenders: dict[Key, _Offender] = {}

    def __bool__(self) -> bool:
        return bool(self._offenders)

    def refusal(self, job: Job) -> DecodeError | None:
        """Why this job is not tried now; None when it is."""
        for key in _keys(job):
            offender = self._offenders.get(key)
            if offender is not None and offender.until_ns > self._clock.boot_ns():
                whose = f" for {job.dev_eui}" if key[1] else ""
                left_s = (offender.until_ns - self._clock.boot_ns()) / _NS
                detail = f"{job.script_id}: set aside{whose} for another {left_s:.0f} s: it kept breaking its limits"
                return DecodeError(RejectReason.SCRIPT_ASIDE, detail)
        return None

    def note(self, job: Job, reason: RejectReason | None) -> None:
        """What came of a job; `reason` None: a result."""
        if reason not in BROKEN:
            if self._offenders and reason is not RejectReason.SCRIPT_ASIDE:
                for key in _keys(job):
                    self._offenders.pop(key, None)
            return
        for key in _keys(job):
            offender = self._offenders.setdefault(key, _Offender(job.script_id))
            offender.strikes += 1
            if offender.strikes >= STRIKES:
                offender.pause_s = min(PAUSE_MAX_S, max(PAUSE_S, offender.pause_s * 2))
                offender.until_ns = self._clock.boot_ns() + int(offender.pause_s * _NS)
                self.pauses += not key[1]

    def forget(self, source_hash: str) -> None:
        """The script is withdrawn."""
        for key in [key for key in self._offenders if key[0] == source_hash]:
            del self._offenders[key]

    def names(self) -> list[str]:
        """The scripts that are set aside now, for some devices or for all."""
        now = self._clock.boot_ns()
        return sorted({o.name for o in self._offenders.values() if o.until_ns > now})


def _keys(job: Job) -> tuple[Key, ...]:
    whole = (job.source_hash, "")
    return (whole, (job.source_hash, job.dev_eui)) if job.dev_eui else (whole,)
