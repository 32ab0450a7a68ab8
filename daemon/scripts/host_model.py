"""What the script host is told (bounds on the daemon's side) and what it says of itself."""

import msgspec


class HostLimits(msgspec.Struct, frozen=True):
    """Bounds on the daemon's side.

    queued: jobs that wait; beyond it the caller is told, and its record stays on disk for later.  hang_s: wall-clock
    time without a sign of life after which the process is ended (twice that at the latest).  crashes: how often one
    record may end the process before it is refused.  fruitless: how many processes in a row may end without an answer
    before `run` returns; None for the daemon, which tries for ever.
    """

    queued: int = 4096
    hang_s: float = 15.0
    crashes: int = 2
    fruitless: int | None = None


class HostStatus(msgspec.Struct, frozen=True):
    """For metrics and `torhaus status`.

    `last_death` says how the process ended last; `aside`: scripts that are not tried for a while; `pauses`: how often
    one was set aside.
    """

    pid: int | None
    queued: int
    starts: int
    deaths: int
    hangs: int
    last_death: str
    aside: tuple[str, ...] = ()
    pauses: int = 0
