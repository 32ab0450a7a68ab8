"""What the scan queue's events add up to: plain numbers for metrics.py and status, one log line per change of state.

No document's name is counted, logged or labelled: ids only.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from torhaus.daemon import logs
from torhaus.daemon.evidence.desk import Figures
from torhaus.daemon.scans.events import (
    Attempted,
    Event,
    EvidenceBroken,
    IntakeFlows,
    IntakeStalled,
    LoginRefused,
    NotTaken,
    ReleaseWithdrawn,
    ScanMoved,
    SiteJournalBroken,
    SourceStuck,
    StampingChanged,
    StationChanged,
    StoreStalled,
    TargetChanged,
    Unfinished,
)
from torhaus.daemon.scans.queue import Counts, ScanQueue
from torhaus.daemon.scans.states import State


class Place(msgspec.Struct):
    """A station or a target: whether it can be used at present."""

    up: bool = True
    detail: str = ""


class ScanWatch:
    """Called with every event of the queue. `folders`: stations whose folder can be read until it is said otherwise."""

    def __init__(self, folders: Iterable[str] = ()) -> None:
        self.moves: Counter[tuple[str, str]] = Counter()  # station, state
        self.quarantined: Counter[tuple[str, str]] = Counter()  # station, reason
        self.attempts: Counter[tuple[str, str]] = Counter()  # target, outcome
        self.taken_bytes: Counter[str] = Counter()  # station
        self.left: Counter[tuple[str, str]] = Counter()  # station, kind: entries that are not taken
        self.stalls: Counter[str] = Counter()
        self.stalled: dict[str, str] = {}  # stations whose documents cannot be taken in at present, and why
        self.stations = {name: Place() for name in folders}
        self.targets: dict[str, Place] = {}
        self.counts = Counts({}, {})
        self.evidence = Figures()
        self.to_look_at: dict[str, int] | None = None  # by station; None: there is no quality control
        self.withdrawn: dict[str, int] | None = None  # by station: complaints after release

    def __call__(self, event: Event) -> None:
        """Count, and log what a person should know."""
        if isinstance(event, ScanMoved):
            self._moved(event)
        elif isinstance(event, Attempted):
            self.attempts[event.target, event.outcome] += 1
        elif isinstance(event, StationChanged):
            self.stations[event.station] = Place(event.up, event.detail)
            tell = logs.info if event.up else logs.warning
            tell("scan station", station=event.station, up=event.up, detail=event.detail or None)
        elif isinstance(event, TargetChanged):
            self.targets[event.target] = Place(event.up, event.detail)
            tell = logs.info if event.up else logs.warning
            tell("scan target", target=event.target, up=event.up, detail=event.detail or None)
        elif isinstance(event, NotTaken):
            self.left[event.station, event.kind] += 1
            logs.warning("scan station: an entry is not taken", station=event.station, why=event.kind)
        elif isinstance(event, Unfinished):
            logs.info("scan station: a file is not complete yet", station=event.station, why=event.reason.value)
        elif isinstance(event, IntakeStalled):
            self.stalls[event.kind] += 1
            self.stalled[event.station] = event.kind
            logs.error("scan intake stalled", station=event.station, why=event.kind)
        elif isinstance(event, IntakeFlows):
            self.stalled.pop(event.station, None)
        elif isinstance(event, LoginRefused):
            self.left[event.station, f"login_{event.kind}"] += 1
            logs.warning("scan upload: login refused", station=event.station or None, why=event.kind)
        elif isinstance(event, SourceStuck):
            logs.warning("scan station: a taken file cannot be removed", station=event.station, id=event.id)
        elif isinstance(event, StampingChanged):
            tell = logs.info if event.up else logs.warning
            tell("evidence: time stamps", up=event.up, detail=event.detail or None)
        elif isinstance(event, EvidenceBroken):
            self.stalls["evidence_broken"] += 1
            logs.error("evidence journal: entries were changed", first=event.seq, what=event.what, faults=event.count)
        elif isinstance(event, SiteJournalBroken):
            self.stalls["site_journal"] += 1
            logs.error("a site's evidence journal was changed", station=event.station, what=event.what, seq=event.seq)
        elif isinstance(event, ReleaseWithdrawn):
            logs.warning("release taken back: keep the paper", station=event.station, id=event.id)
        else:
            self._stalled(event)

    def _moved(self, event: ScanMoved) -> None:
        self.moves[event.station, event.state.value] += 1
        if event.state in (State.SPOOLED, State.QUARANTINED):  # taken in, by whatever way
            self.stalled.pop(event.station, None)
        if event.state is State.SPOOLED:
            self.taken_bytes[event.station] += event.size_bytes
        if event.state is State.QUARANTINED:
            reason = event.reason.value if event.reason else ""
            self.quarantined[event.station, reason] += 1
            logs.warning("scan quarantined", station=event.station, id=event.id, reason=reason)
        elif event.state is State.HELD:
            logs.warning("scan held", station=event.station, id=event.id, reason=event.reason)

    def _stalled(self, event: StoreStalled) -> None:
        self.stalls[event.where] += 1
        logs.error("scans store stalled", where=event.where, detail=event.detail)

    async def refresh(self, queue: ScanQueue) -> None:
        """Take over how many scans stand where."""
        self.counts = await queue.counts()
        self.to_look_at = await queue.release.to_look_at()
        self.withdrawn = await queue.release.withdrawn()
        self.evidence = queue.evidence.figures

    def table(self) -> dict[str, dict[str, int]]:
        """By `station <name>` and `target <name>`: documents by state."""
        found = {f"station {name}": states for name, states in self.counts.station.items()}
        if self.evidence.stamps is not None:
            found["evidence stamps"] = {**self.evidence.stamps.results, "waiting": self.evidence.stamps.waiting}
        if self.to_look_at:
            found["quality control"] = {"waiting": sum(self.to_look_at.values())}
        if self.withdrawn:
            found["release"] = {"withdrawn": sum(self.withdrawn.values())}
        return found | {f"target {name}": states for name, states in self.counts.target.items()}
