"""When a record was received, as well as it is known."""

from torhaus.codecs.model import Stamp


def known_wall_ns(at: Stamp, boot: str, boots: dict[str, int]) -> int | None:
    """Wall clock in ns: of a synchronised clock, or corrected by `boots` (wall clock minus boot time); else None."""
    if at.synced:
        return at.wall_ns
    offset = boots.get(boot)
    return None if offset is None else at.boot_ns + offset


def best_wall_ns(at: Stamp, boot: str, boots: dict[str, int]) -> int:
    """The same, and what the clock said where nothing better is known."""
    known = known_wall_ns(at, boot, boots)
    return at.wall_ns if known is None else known
