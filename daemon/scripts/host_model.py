"""What the script host is told (bounds on the daemon's side), what it says of itself, and a job that waits in it."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from torhaus.codecs.model import DecodeError
from torhaus.daemon.scripts.protocol import Decoded, Encoded, Job

Answer = Decoded | Encoded | DecodeError
Done = Callable[[list[tuple[Job, Answer]]], None]
"""Called on the event loop with jobs that were answered; those of one device in the order of their submission. May not
raise."""


class HostLimits(msgspec.Struct, frozen=True):
    """Bounds on the daemon's side.

    queued: jobs that wait; beyond it the caller is told, and its record stays on disk for later.  hang_s: wall-clock
    time without a sign of life after which a process is ended (twice that at the latest); among proven scripts
    hasty_hang_s.  crashes: how often one record may end the suspects' process before it is refused.  linger_s: how long
    the suspects' process is kept without suspects.  line: jobs of one suspect that wait; those beyond it are refused
    once it was seen to be slow.  fruitless: how many processes in a row may end without an answer before `run` returns;
    None for the daemon, which tries for ever.
    """

    queued: int = 4096
    hang_s: float = 15.0
    hasty_hang_s: float = 3.0
    crashes: int = 2
    linger_s: float = 30.0
    line: int = 1024
    fruitless: int | None = None


class HostStatus(msgspec.Struct, frozen=True):
    """For metrics and `torhaus status`.

    `pid`: the proven scripts' process, `suspect_pid`: the suspects', each None while there is none; `suspects`: jobs
    that wait among the suspects; `sent_away`: how often a script, or one device's payloads for it, was sent there;
    `last_death` says how a process ended last; `aside`: scripts that are not tried for a while; `pauses`: how often one
    was set aside. Starts, deaths and hangs are those of both.
    """

    pid: int | None
    queued: int
    starts: int
    deaths: int
    hangs: int
    last_death: str
    aside: tuple[str, ...] = ()
    pauses: int = 0
    suspect_pid: int | None = None
    suspects: int = 0
    sent_away: int = 0


class Waiting(msgspec.Struct, eq=False):
    """A job with whom its answer is for. `deaths`: processes that ended on it."""

    job: Job
    done: Done | None
    future: asyncio.Future[Any] | None
    deaths: int = 0
