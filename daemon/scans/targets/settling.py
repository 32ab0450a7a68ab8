"""Waiting until what was posted can be found: by the time since boot, for the wall clock is set back and forth."""

from typing import TypeVar

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.scans.targets.base import Parcel, Pending


class Posted(msgspec.Struct):
    """When a request went out that may have made something there: boot time, and which boot. `posted_ns`: wall time."""

    posted_ns: int = 0
    boot_ns: int = 0
    boot_id: str = ""

    def now(self, clock: Clock) -> None:
        """It goes out now."""
        self.posted_ns, self.boot_ns, self.boot_id = clock.wall_ns(), clock.boot_ns(), clock.boot_id

    def let_settle(self, clock: Clock, settle_s: float, step_s: float) -> None:
        """Raises Pending, for `step_s` at most, while what was made a moment ago may not be found yet."""
        if self.boot_id == clock.boot_id:
            waited_ns = clock.boot_ns() - self.boot_ns
        elif self.boot_id:
            waited_ns = clock.boot_ns()  # that long at least: it was before the machine started again
        else:
            waited_ns = clock.wall_ns() - self.posted_ns  # never, or by a version that kept no more
        if 0 <= waited_ns < settle_s * 1e9:
            raise Pending(min(settle_s - waited_ns / 1e9, step_s))


W = TypeVar("W", bound=Posted)


def way_of(parcel: Parcel, kind: type[W]) -> W:
    """What was kept of a document's way; nothing when a target of another type had the name before."""
    if parcel.progress.text is None:
        return kind()
    try:
        return msgspec.json.decode(parcel.progress.text, type=kind)
    except msgspec.DecodeError:
        return kind()


async def keep(parcel: Parcel, way: Posted) -> None:
    """Have it on disk."""
    await parcel.progress.save(msgspec.json.encode(way).decode())
