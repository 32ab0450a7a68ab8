"""Everything that is counted and told: plain numbers for metrics.py, one log line per change of state."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from torhaus.codecs.model import Frame, RejectReason, Stamp
from torhaus.daemon import logs
from torhaus.daemon.clock import Clock
from torhaus.daemon.histogram import Histogram
from torhaus.daemon.lora.gateways import OFFLINE_S, Gateways
from torhaus.daemon.outbox.aside import Report
from torhaus.daemon.outbox.store import Reporter
from torhaus.daemon.supervise import Told
from torhaus.drivers.base import DeviceChanged, Event, GatewayRefused, GatewayStats, LinkChanged
from torhaus.drivers.said import Said

ACK_LIMIT_S: Final = 0.05
"""A packet forwarder waits so long for its PUSH_ACK; a later one is sent all the same and counted."""
UNREADABLE: Final = 3
"""Payloads in a row that its codec refuses make a device unreadable: one by itself may be a kind it need not know."""
_STARTING: Final = Said("starting")
STARTING: Final = str(_STARTING)
DRIVER: Final = "driver "
"""How the supervised names of drivers begin; no other part's does."""


class DriverState(msgspec.Struct):
    """How a driver is."""

    up: bool = False
    since_ns: int = 0
    detail: str = STARTING
    frames: int = 0
    last_frame_ns: int = 0
    acks: int = 0
    acks_late: int = 0
    acks_withheld: int = 0
    refused_gateways: int = 0
    silent: dict[str, str] = {}  # devices that are asked and do not answer, and what happened instead


class Watch(Reporter, Told):
    """What pipeline, outbox, scans and supervision report to."""

    def __init__(self, wall_ns: int, clock: Clock | None = None, gateway_offline_s: float = OFFLINE_S) -> None:
        self.started_ns = wall_ns
        self.now_ns: Callable[[], int] = clock.wall_ns if clock else lambda: wall_ns
        self.drivers: dict[str, DriverState] = {}
        self.said: dict[tuple[str, str], str] = {}
        """By driver and device ("": none): `detail`, as the driver said it."""
        still = Stamp(wall_ns, 0, synced=True)
        self.gateways = Gateways(clock.stamp if clock else lambda: still, gateway_offline_s)
        self.devices: dict[str, int] = {}  # last reading, wall clock
        self.undecoded: dict[str, tuple[int, str]] = {}  # device: payloads refused in a row, last why
        self.rejects: Counter[tuple[str, str, str]] = Counter()  # driver, codec, reason
        self.readings: Counter[str] = Counter()  # codec
        self.refused_records: Counter[str] = Counter()
        self.dropped_records: Counter[tuple[str, str]] = Counter()
        self.defects: Counter[str] = Counter()
        self.script_warnings = 0
        self.frame_viewers = 0  # who watches LoRaWAN frames at present
        self.frames_skipped = 0  # frames that such a viewer was too slow for
        self.merged_copies = 0
        self.down: dict[str, str] = {}  # parts other than drivers that cannot work at present, and why
        self.salvaged_records: Counter[str] = Counter()  # log
        self.lost_records: Counter[str] = Counter()  # log
        self.committed_records = 0
        self.commits = Histogram()
        self.ack_s = Histogram()
        self._refusing: set[str] = set()
        self._dropping: set[tuple[str, str]] = set()

    # -- drivers ------------------------------------------------------------------------------------------------------

    def driver(self, name: str) -> DriverState:
        """The state of a driver, made when it is first asked for."""
        return self.drivers.setdefault(name, DriverState(since_ns=self.now_ns()))

    def how(self, name: str, device: str = "") -> str:
        """What a driver said last of itself or of a device: a fact, where it told one (drivers/said.py)."""
        state = self.driver(name)
        plain = state.silent.get(device, "") if device else state.detail
        return self.said.get((name, device), _STARTING if plain == STARTING else plain)

    def frames(self, driver: str, count: int, at: Stamp) -> None:
        """A driver delivered so many frames."""
        state = self.drivers[driver]
        state.frames += count
        state.last_frame_ns = at.wall_ns

    def heard(self, driver: str, frames: list[Frame]) -> None:
        """Frames of gateways."""
        self.gateways.heard(driver, frames)

    def reported(self, driver: str, stats: GatewayStats) -> None:
        """A gateway's own report."""
        self.gateways.reported(driver, stats)

    def rejected(self, driver: str, codec: str, reason: RejectReason) -> None:
        """Bytes or a frame were refused."""
        self.rejects[driver, codec, reason.value] += 1

    def merged(self) -> None:
        """A frame that a further gateway heard was put to its first reception."""
        self.merged_copies += 1

    def decoded(self, codec: str, device: str, at: Stamp) -> None:
        """A frame became a reading."""
        self.readings[codec] += 1
        self.devices[device] = at.wall_ns
        if self.undecoded and self.undecoded.pop(device, (0, ""))[0] >= UNREADABLE:
            logs.info("payloads are decoded again", device=device)

    def undecodable(self, device: str, why: str) -> None:
        """A known device's payload was refused by its codec."""
        self.undecoded[device] = count, _ = self.undecoded.get(device, (0, ""))[0] + 1, why
        if count == UNREADABLE:
            logs.warning("payloads cannot be decoded", device=device, reason=why)

    def unreadable(self) -> dict[str, str]:
        """Devices whose codec takes nothing of what they send, and why it refused the last of it."""
        return {device: why for device, (count, why) in self.undecoded.items() if count >= UNREADABLE}

    def warned(self, warnings: int) -> None:
        """A script gave so many warnings with a result. They are counted; texts of vendors are not kept."""
        self.script_warnings += warnings

    def acked(self, driver: str, seconds: float, count: int = 1) -> None:
        """So many acknowledgements left, this long after their data came."""
        state = self.drivers[driver]
        state.acks += count
        if seconds > ACK_LIMIT_S:
            state.acks_late += count
        self.ack_s.observe(seconds, count)

    def ack_withheld(self, driver: str) -> None:
        """An acknowledgement did not leave."""
        self.drivers[driver].acks_withheld += 1

    def event(self, driver: str, event: Event) -> None:
        """A driver's state changed."""
        if isinstance(event, LinkChanged):
            self._set_driver(driver, up=event.up, detail=event.detail)
        elif isinstance(event, GatewayRefused):
            self.driver(driver).refused_gateways += 1
            self.gateways.refused(driver, event)
        elif isinstance(event, DeviceChanged):
            self._set_device(driver, event)
        else:
            self.gateways.event(driver, event)

    def _set_driver(self, name: str, *, up: bool, detail: str) -> None:
        state, said, detail = self.driver(name), detail, str(detail)
        if state.up != up:
            state.since_ns = self.now_ns()
        if state.up != up or state.detail == STARTING:  # one line a change: later reasons of one loss are in the status
            (logs.info if up else logs.warning)("driver", driver=name, up=up, detail=detail or None)
        state.up, state.detail, self.said[name, ""] = up, detail, said

    def _set_device(self, driver: str, event: DeviceChanged) -> None:
        silent = self.driver(driver).silent
        if event.up:
            silent.pop(event.device, None)
            self.said.pop((driver, event.device), None)
            logs.info("device", driver=driver, device=event.device, up=True)
        else:
            silent[event.device], self.said[driver, event.device] = str(event.detail), event.detail
            logs.warning("device", driver=driver, device=event.device, up=False, detail=str(event.detail))

    def gone(self, name: str, detail: str) -> None:
        """A driver's device (`driver <name>`), or what any other part needs, cannot be had for now."""
        if name.startswith(DRIVER):
            self._set_driver(name.removeprefix(DRIVER), up=False, detail=detail)
        elif self.down.get(name) != detail:
            self.down[name] = str(detail)
            logs.error("cannot work", part=name, detail=str(detail))

    def back(self, name: str) -> None:
        """A part that was gone, and is no driver, works."""
        if self.down.pop(name, None) is not None:
            logs.info("works again", part=name)

    def defect(self, name: str, error: BaseException) -> None:
        """Something that must not happen happened. All are counted, a component's 1st, 2nd, 4th, 8th … are logged."""
        self.defects[name] = count = self.defects[name] + 1
        if count & (count - 1) == 0:
            logs.error("defect", error, component=name, count=count)

    # -- outbox -------------------------------------------------------------------------------------------------------

    def committed(self, records: int, seconds: float) -> None:
        """A commit of so many records took so long."""
        self.committed_records += records
        self.commits.observe(seconds)
        if self._refusing:
            logs.info("outbox takes records again", refused=dict(self.refused_records))
            self._refusing.clear()

    def refused(self, records: int, reason: str) -> None:
        """Records were not stored, and not acknowledged."""
        self.refused_records[reason] += records
        if reason not in self._refusing:
            self._refusing.add(reason)
            logs.error("outbox refuses records", reason=reason)

    def not_thinned(self, log: str, first: int, why: str) -> None:
        """A segment that was to be thinned out stays as it is, and is dropped in its turn."""
        logs.warning("segment not thinned", log=log, first=first, reason=why)

    def dropped(self, log: str, forwarder: str, records: int, reason: str) -> None:
        """Records left the log before this forwarder had them; logged once per episode."""
        self.dropped_records[forwarder, reason] += records
        if (forwarder, reason) not in self._dropping:
            self._dropping.add((forwarder, reason))
            logs.warning("records dropped", log=log, forwarder=forwarder or None, reason=reason, records=records)

    def caught_up(self, forwarder: str) -> None:
        """A forwarder has no backlog any more: the next drop is a new episode."""
        self._dropping = {key for key in self._dropping if key[0] != forwarder}

    def failing(self, what: str | None) -> None:
        """Writing began to fail (what), or works again (None)."""
        if what is None:
            logs.info("outbox writes again")
        else:
            logs.error("outbox cannot write", detail=what)

    def set_aside(self, path: Path) -> None:
        """A damaged file was set aside."""
        logs.error("file set aside", path=path)

    def salvaging(self, path: Path) -> None:
        """What is intact in a file that was set aside is being read, or tried again."""
        logs.info("salvaging", path=path)

    def salvage_failed(self, path: Path, error: BaseException) -> None:
        """It cannot be done now, and is tried again."""
        logs.error("salvage failed; it is tried again", path=path, detail=error)

    def salvaged(self, log: str, report: Report, lost: int) -> None:
        """It is done. `lost` are the records lost that were not reported before."""
        self.salvaged_records[log] += report.salvaged
        self.lost_records[log] += max(lost, 0)
        tell = logs.error if report.lost_records or report.problem else logs.info
        tell("salvage", log=log, segment=report.first, result=report.text())
