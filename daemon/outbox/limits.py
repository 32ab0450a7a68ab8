"""What the outbox may occupy."""

from pathlib import Path

import msgspec

from torhaus.daemon.outbox.folder import FOLDERS


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What each log may have, how long a commit may wait for company, and how often the state is saved.

    `relay`: whether a forwarder reads the relay log. One that is on disk is kept in order all the same.
    """

    max_bytes: int = 4 << 30
    max_age_s: float = 0
    max_records: int = 0
    strangers_max_bytes: int = 64 << 20
    relay_max_bytes: int = 256 << 20
    relay: bool = False
    commit_window_s: float = 0.02
    state_interval_s: float = 1.0

    def logs(self, path: Path) -> list[tuple[str, int, int]]:
        """The logs that a store at `path` has: name, bytes, records (0: no limit)."""
        found = [("main", self.max_bytes, self.max_records), ("strangers", self.strangers_max_bytes, 0)]
        if self.relay or (path / FOLDERS["relay"]).is_dir():
            found.append(("relay", self.relay_max_bytes, 0))
        return found
