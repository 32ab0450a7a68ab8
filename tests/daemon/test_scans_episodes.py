"""Each trouble is said once, until it is over."""

from typing import Any

from torhaus.daemon.scans.episodes import Episodes
from torhaus.daemon.scans.events import IntakeFlows, IntakeStalled, NotTaken, StationChanged
from torhaus.daemon.scans.folder import Identity, Look
from torhaus.daemon.scans.prepare import Seen


def test_once_until_it_is_over_or_another() -> None:
    told: list[Any] = []
    episodes = Episodes("counter", told.append)
    episodes.up(True, "")
    for _ in range(2):
        episodes.up(False, "ENOENT")
        episodes.stalled("disk_full", "ENOSPC")
    episodes.up(True, "")
    for _ in range(2):
        episodes.flows()
    episodes.stalled("disk_full", "ENOSPC")
    assert told == [
        StationChanged("counter", False, "ENOENT"), IntakeStalled("counter", "disk_full"),
        StationChanged("counter", True), IntakeFlows("counter"), IntakeStalled("counter", "disk_full"),
    ]  # fmt: skip


def test_entries_that_are_not_taken() -> None:
    told: list[Any] = []
    episodes = Episodes("counter", told.append)
    seen = Seen(Identity(1, 1, 1, 1), 0)
    for _ in range(2):
        assert episodes.leave(seen, "too_large") is False
        episodes.refused(Look([], {b"a": "symlink"}, 1))
    episodes.refused(Look([], {}, 1))
    episodes.refused(Look([], {b"a": "symlink"}, 1))
    assert [e.kind for e in told] == ["too_large", "symlink", "symlink"]
    assert all(isinstance(e, NotTaken) for e in told)
