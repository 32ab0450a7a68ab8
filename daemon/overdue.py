"""Which devices should have been heard by now: those with an interval, in their configuration or their profile."""

from collections.abc import Iterable, Mapping
from typing import Final, Self

from torhaus.codecs.model import Stamp
from torhaus.daemon.config.devices import DeviceConfig

TIMES: Final = 3.0
"""Intervals without a reading after which a device is overdue: one frame or two may be lost in the air."""
LEAST_S: Final = 300.0
_NS: Final = 1_000_000_000


class Overdue:
    """Looked at by status and metrics. `intervals_s` by device; `since`: when this process began to listen."""

    def __init__(self, intervals_s: Mapping[str, float], since: Stamp) -> None:
        self._patience_ns = {name: int(max(LEAST_S, TIMES * s) * _NS) for name, s in intervals_s.items()}
        self._since = since

    @classmethod
    def of(cls, devices: Iterable[DeviceConfig], since: Stamp) -> Self:
        """Those of a list of devices that have an interval."""
        return cls({d.name: d.interval_s for d in devices if d.interval_s is not None}, since)

    def names(self, last: Mapping[str, int], now: Stamp) -> list[str]:
        """Those that are overdue, by name; `last`: wall clock of each one's last reading.

        None while the clock is not synchronised, nor before a device had its time since the start.
        """
        if not now.synced or not self._patience_ns:
            return []
        up_ns = now.boot_ns - self._since.boot_ns
        return sorted(
            name
            for name, patience_ns in self._patience_ns.items()
            if up_ns > patience_ns and now.wall_ns - last.get(name, 0) > patience_ns
        )
