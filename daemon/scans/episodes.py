"""Says each trouble of one station once, until it is over or another one."""

from torhaus.daemon.scans.events import IntakeFlows, IntakeStalled, NotTaken, Report, StationChanged
from torhaus.daemon.scans.folder import Look
from torhaus.daemon.scans.prepare import Seen


class Episodes:
    """What was said already."""

    def __init__(self, station: str, report: Report) -> None:
        self._station = station
        self._report = report
        self._refused: dict[bytes, str] = {}
        self._up: bool | None = None
        self._stalled = ""

    def leave(self, seen: Seen, kind: str) -> bool:
        """An entry is not taken. Always False."""
        if seen.told != kind:
            seen.told = kind
            self._report(NotTaken(self._station, kind))
        return False

    def refused(self, look: Look) -> None:
        """What a look refused."""
        for name, kind in look.refused.items():
            if self._refused.get(name) != kind:
                self._report(NotTaken(self._station, kind))
        self._refused = look.refused

    def up(self, up: bool, detail: str) -> None:
        """Whether the folder can be looked at. That it can from the start is not worth a word."""
        if self._up is not up and not (up and self._up is None):
            self._report(StationChanged(self._station, up, detail))
        self._up = up

    def stalled(self, kind: str, detail: str) -> None:
        """Nothing can be taken in, for reasons of ours."""
        if self._stalled != kind + detail:
            self._stalled = kind + detail
            self._report(IntakeStalled(self._station, kind))

    def flows(self) -> None:
        """Something was taken in, or there is nothing to take."""
        if self._stalled:
            self._stalled = ""
            self._report(IntakeFlows(self._station))
