"""The site at a glance: one structure for the command line, the health pages and, later, the web page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from torhaus.codecs.model import Stamp
from torhaus.daemon.causes import DAY_NS, Cause, of_devices, of_outbox, of_parts, of_scans
from torhaus.daemon.clock import Clock
from torhaus.daemon.fixes import Fix, Fixes
from torhaus.daemon.forward.runner import Runner
from torhaus.daemon.lookout import LATELY_S, MINUTE_S, Lookout
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.gateways import Gateway
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import DeadLetter
from torhaus.daemon.outbox.store import Outbox
from torhaus.daemon.overdue import Overdue
from torhaus.daemon.page.tally import PageTally
from torhaus.daemon.scripts.host_model import HostStatus
from torhaus.daemon.watch import DriverState, Watch

if TYPE_CHECKING:  # a site without scan stations starts without their rooms
    from torhaus.daemon.lora.joining import Joining
    from torhaus.daemon.meters.counting import Counting
    from torhaus.daemon.scans.watch import ScanWatch
    from torhaus.daemon.wmbus.wireless import Wireless


_LEAST_UP_NS: Final = 60 * 10**9
Verdict = Literal["ok", "degraded", "failed"]


class LogStatus(msgspec.Struct, kw_only=True):
    """One log on disk."""

    records: int  # that are there: positions between head and tail, without holes
    bytes: int
    capacity_bytes: int
    full_in_s: float | None = None  # at the present rate; None when it is not growing, or nobody waits for it


class ForwarderStatus(msgspec.Struct, kw_only=True):
    """One forwarder: how its far side is, and what it still has to do."""

    type: str
    up: bool
    since_ns: int
    detail: str
    backlog: int
    accepted: int
    late: int
    set_aside: int
    dead_letters: int
    last_success_ns: int
    oldest_ns: int = 0  # wall clock of the oldest record that waits; 0 when none does
    accepted_per_s: float | None = None  # over the last ten seconds
    accepted_per_s_minute: float | None = None  # over the last minute
    drained_in_s: float | None = None  # None while the backlog does not shrink


class Status(msgspec.Struct, kw_only=True):
    """Everything `torhaus status` shows. Times are wall clock, nanoseconds since 1970."""

    site: str
    version: str
    running: bool
    started_ns: int
    now_ns: int
    clock_synced: bool
    ready: bool
    problems: list[str]
    causes: list[Cause] = []  # the same, with what kind of problem each is
    drivers: dict[str, DriverState] = {}
    gateways: dict[str, Gateway] = {}
    fixes: dict[str, Fix] = {}  # satellite receiver to its last fix
    airtime: dict[str, dict[str, float]] = {}  # gateway to sub-band to the part used of what an hour allows
    devices: dict[str, int] = {}  # last reading
    logs: dict[str, LogStatus] = {}
    written_per_day_bytes: int = 0  # to the disk by the outbox, as of the time since the start; 0: too early to say
    forwarders: dict[str, ForwarderStatus] = {}
    dropped: dict[str, int] = {}  # "forwarder/reason" to records
    rejects: dict[str, int] = {}  # reason to frames
    set_aside_files: list[str] = []
    scans: dict[str, dict[str, int]] = {}  # station or target to states
    joins: dict[str, int] = {}  # since the start, by what became of them
    downlinks: dict[str, int] = {}  # of the queue: `waiting`, and since the start what happened


class Letter(msgspec.Struct, kw_only=True):
    """A dead letter as it is listed."""

    number: int
    id: str
    forwarder: str
    device: str | None
    at_ns: int
    reason: str


def letter(dead: DeadLetter, site: str) -> Letter:
    """A dead letter without its payload."""
    s: Stored = dead.stored
    return Letter(
        number=dead.number,
        id=f"{site}/{s.store}/{s.seq}",
        forwarder=dead.forwarder,
        device=s.record.device,
        at_ns=dead.at_ns,
        reason=dead.reason,
    )


class Survey:
    """Looks at the running parts and says how they are."""

    def __init__(
        self,
        site: str,
        version: str,
        clock: Clock,
        outbox: Outbox,
        watch: Watch,
        runners: dict[str, tuple[str, Runner]],
    ) -> None:
        self._site = site
        self.version = version
        self._clock = clock
        self._began_ns = clock.boot_ns()
        self._outbox = outbox
        self._watch = watch
        self.runners = runners
        self.dead_letters: dict[str, int] = {}
        self.lookout = Lookout(clock, outbox, runners)
        self.scan_watch: ScanWatch | None = None
        self.scripts: Callable[[], HostStatus] | None = None
        self.overdue: Overdue | None = None
        self.duty: DutyCycle | None = None
        self.joining: Joining | None = None
        self.counting: Counting | None = None
        self.wireless: Wireless | None = None
        self.fixes: Fixes | None = None
        self.page = PageTally()
        self.starting = True

    def problems(self) -> list[str]:
        """What is wrong with this box itself: a far side that is away is not (offline is a normal state)."""
        return [cause.text for cause in self.causes()]

    def causes(self) -> list[Cause]:
        """The same, one by one, for whoever says it otherwise."""
        found = [Cause("starting", "starting")] if self.starting else []
        found += of_outbox(self._outbox, self.lookout)
        central = self.joining.central if self.joining is not None else None
        if central is not None and (text := central.problem()) is not None:
            found.append(Cause("session_keys", text, detail=text))
        found += of_parts(self._watch, self.scripts().aside if self.scripts is not None else ())
        found += of_devices(self.late(), self._watch.unreadable())
        if self.scan_watch is not None:
            found += of_scans(self.scan_watch, self._now().wall_ns)
        return found

    def late(self) -> list[str]:
        """The devices that should have been heard by now."""
        return self.overdue.names(self._watch.devices, self._now()) if self.overdue is not None else []

    def ready(self) -> bool:
        """Whether what comes in is stored. Says nothing about far sides."""
        return not self.starting and self._outbox.failing is None and self._outbox.silent_s() < 5

    def log_status(self, name: str) -> LogStatus:
        """One log."""
        log = self._outbox.logs[name]
        forecast = self.lookout.forecasts.get(name)
        return LogStatus(
            records=log.records,
            bytes=log.bytes_on_disk,
            capacity_bytes=log.limit.max_bytes,
            full_in_s=forecast.full_in_s() if forecast else None,
        )

    def forwarder_status(self, name: str) -> ForwarderStatus:
        """One forwarder."""
        kind, runner = self.runners[name]
        t = runner.tally
        lane = self.lookout.lanes.get(name)
        return ForwarderStatus(
            type=kind,
            up=t.up,
            since_ns=t.since_ns,
            detail=t.detail,
            backlog=runner.backlog(),
            accepted=t.accepted,
            late=t.late,
            set_aside=runner.books.aside,
            dead_letters=self.dead_letters.get(name, 0),
            last_success_ns=t.last_success_ns,
            oldest_ns=self.lookout.oldest_ns(name),
            accepted_per_s=lane.accepted.per_s(LATELY_S) if lane else None,
            accepted_per_s_minute=lane.accepted.per_s(MINUTE_S) if lane else None,
            drained_in_s=lane.eta_s() if lane else None,
        )

    def status(self) -> Status:
        """All of it."""
        watch, stamp, causes = self._watch, self._now(), self.causes()
        rejects: dict[str, int] = {}
        for (_, _, reason), n in watch.rejects.items():
            rejects[reason] = rejects.get(reason, 0) + n
        return Status(
            site=self._site,
            version=self.version,
            running=True,
            started_ns=watch.started_ns,
            now_ns=stamp.wall_ns,
            clock_synced=stamp.synced,
            ready=self.ready(),
            problems=[cause.text for cause in causes],
            causes=causes,
            drivers=watch.drivers,
            gateways=dict(watch.gateways.all),
            fixes=self.fixes.last if self.fixes is not None else {},
            airtime=self.duty.table() if self.duty is not None else {},
            devices=watch.devices,
            logs={name: self.log_status(name) for name in self._outbox.logs},
            written_per_day_bytes=self._written_per_day(stamp.boot_ns),
            forwarders={name: self.forwarder_status(name) for name in self.runners},
            dropped={f"{f}/{r}": n for (f, r), n in watch.dropped_records.items()},
            rejects=rejects,
            set_aside_files=[str(p) for p in self._outbox.mender.files],
            scans=self.scan_watch.table() if self.scan_watch else {},
            joins=dict(self.joining.book.results) if self.joining is not None else {},
            downlinks=self.joining.downlinks() if self.joining is not None else {},
        )

    def _written_per_day(self, boot_ns: int) -> int:
        up_ns = boot_ns - self._began_ns
        return sum(self._outbox.written().values()) * DAY_NS // up_ns if up_ns >= _LEAST_UP_NS else 0

    def _now(self) -> Stamp:
        return self._clock.stamp()

    def line(self) -> str:
        """One line for systemd's STATUS."""
        backlog = max((r.backlog() for _, r in self.runners.values()), default=0)
        down = [name for name, (_, r) in self.runners.items() if not r.tally.up]
        text = f"{self._watch.committed_records} records stored, backlog {backlog}"
        if down:
            text += f", waiting for {', '.join(down)}"
        if self._outbox.failing is not None:
            text = f"cannot write: {self._outbox.failing}; " + text
        return text
