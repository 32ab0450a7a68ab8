"""The gateways: which are there, how they are, and what went through each.

EUIs are not authenticated. A gateway that the configuration names is not displaced by one that only says the same, all
that is remembered is bounded, and only gateways that the configuration names have figures of their own in metrics.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import TxAnswer, TxStatus
from torhaus.codecs.model import Frame, Stamp
from torhaus.daemon import logs
from torhaus.daemon.histogram import Histogram
from torhaus.daemon.lora.report import Report, read
from torhaus.drivers.base import GatewayLeft, GatewayReachable, GatewayRefused, GatewaySeen, GatewayStats

MAX_GATEWAYS: Final = 1024
"""Gateways remembered: those that the configuration does not name are forgotten first, strangers before all."""
GATEWAY_LINES: Final = 64
"""Log lines about gateways within an hour: whoever makes up EUIs must not fill the journal."""
OFFLINE_S: Final = 120.0
UNKNOWN: Final = "unknown"
"""The label of all gateways together that the configuration does not name."""
_HOUR_NS: Final = 3_600_000_000_000
_BAD_CRC: Final = -1


class Counts(msgspec.Struct):
    """What went through one gateway, or through all that share a label, since the start."""

    uplinks: int = 0  # frames, those with a bad radio CRC included
    crc_bad: int = 0
    downlinks: dict[str, int] = {}  # by what became of them in the end (torhaus.drivers.downlink.TxStatus)
    fallbacks: int = 0  # downlinks of which a later item was sent, usually RX2
    address_changes: int = 0  # of the way down
    impostors: int = 0  # times that somebody spoke in its name from where it may not
    reported: dict[str, int] = {}  # what it says itself, by kind of packet (torhaus.daemon.lora.report.COUNTERS)


class Gateway(msgspec.Struct):
    """One gateway. `peer` is the address it speaks from, `address` that of its way down. Times are wall clock."""

    driver: str
    peer: str
    protocol: str
    known: bool
    first_ns: int  # 0: not heard yet
    listed: bool = False  # the configuration names it
    online: bool = False
    changed_ns: int = 0  # when it came or went; 0: neither since the start
    last_ns: int = 0
    last_boot_ns: int = 0  # the same since boot: what its silence is measured with
    address: str = ""
    round_trip_s: float | None = None  # of the last downlink that it answered
    counts: Counts = msgspec.field(default_factory=Counts)
    report: Report = Report()


class Gateways:
    """All of them, the one silent the longest first. `listeners` are told when one came or went, strangers too."""

    def __init__(self, stamp: Callable[[], Stamp], offline_s: float = OFFLINE_S) -> None:
        self.stamp = stamp
        self.offline_s = offline_s
        self.all: OrderedDict[str, Gateway] = OrderedDict()
        self.counts: dict[tuple[str, str], Counts] = {}  # by driver and label
        self.answered_s: dict[tuple[str, str], Histogram] = {}  # likewise: downlink handed over to answer
        self.listeners: list[Callable[[str, Gateway], None]] = []
        self._lines = 0
        self._lines_since: int | None = None

    def expect(self, driver: str, euis: Iterable[str]) -> None:
        """The configuration names these gateways of a driver: they are there, heard or not."""
        at = self.stamp()
        for eui in euis:
            counts = self._counts(driver, eui)
            self.all[eui] = Gateway(driver, "", "", True, 0, listed=True, last_boot_ns=at.boot_ns, counts=counts)

    def driver_of(self, gateway: str) -> str | None:
        """The driver that last heard a gateway; None for one that is not there or is nobody we know."""
        found = self.all.get(gateway)
        return found.driver if found is not None and found.known else None

    def are_several(self) -> bool:
        """Whether two or more that may speak are online."""
        online = 0
        for g in reversed(self.all.values()):
            online += g.known and g.online
            if online > 1:
                return True
        return False

    def present(self) -> list[str]:
        """The EUIs of the gateways that are there and may speak."""
        return [eui for eui, g in self.all.items() if g.known and g.online]

    def absent(self) -> list[str]:
        """Those that the configuration names and that are known to be offline."""
        return [eui for eui, g in self.all.items() if g.listed and g.changed_ns and not g.online]

    def silent(self) -> dict[str, float]:
        """The gateways that the configuration names and nobody hears: for how many seconds."""
        boot_ns = self.stamp().boot_ns
        quiet = {eui: (boot_ns - g.last_boot_ns) / 1e9 for eui, g in self.all.items() if g.listed and not g.online}
        return {eui: seconds for eui, seconds in quiet.items() if seconds > self.offline_s}

    # -- what drivers tell -------------------------------------------------------------------------------------------

    def event(self, driver: str, event: GatewaySeen | GatewayReachable | GatewayLeft) -> None:
        """A gateway spoke from a new address, keeps its way down open, or left."""
        if isinstance(event, GatewaySeen):
            self._meet(driver, event)
            return
        g = self.all.get(event.gateway)
        if g is None or g.driver != driver or not g.known:
            return
        if isinstance(event, GatewayLeft):
            self._turn(event.gateway, g, self.stamp(), online=False, detail=event.detail)
            return
        if g.address != event.address:
            if g.address:
                for counts in self._sinks(g):
                    counts.address_changes += 1
                if g.address.rpartition(":")[0] != event.address.rpartition(":")[0] and self._may_log(driver):
                    logs.warning("way down moved", gateway=event.gateway, address=event.address, before=g.address)
            g.address = event.address
        self._alive(event.gateway, g, self.stamp())

    def refused(self, driver: str, event: GatewayRefused) -> None:
        """Somebody did not get what it asked for: a line of the log says why."""
        if self._may_log(driver):
            peer = event.peer or None
            logs.warning("gateway refused", driver=driver, gateway=event.gateway, peer=peer, detail=event.detail)

    def heard(self, driver: str, frames: list[Frame]) -> None:
        """Frames that came together, of one gateway or many: each gateway is looked up once."""
        ours: dict[str, list[int]] = {}  # frames, and those of them with a bad radio CRC, by gateway
        strange: dict[str, list[int]] = {}
        at = frames[-1].at
        for frame in frames:
            radio = frame.radio
            if radio is None or not radio.rx:
                continue
            rx = radio.rx[0]
            sums = ours if frame.stranger is None else strange
            found = sums.get(rx.gateway)
            if found is None:
                found = sums[rx.gateway] = [0, 0]
            found[0] += 1
            if rx.crc == _BAD_CRC:
                found[1] += 1
        for eui, (uplinks, bad) in ours.items():
            self._note(driver, eui, at, uplinks, bad, is_stranger=False)
        for eui, (uplinks, bad) in strange.items():
            self._note(driver, eui, at, uplinks, bad, is_stranger=True)

    def _note(self, driver: str, eui: str, at: Stamp, uplinks: int, bad: int, *, is_stranger: bool) -> None:
        """So many frames of one gateway, so many of them with a bad radio CRC."""
        g = self.all.get(eui)
        if g is not None and g.driver == driver and g.known is not is_stranger:
            g.counts.uplinks += uplinks
            g.counts.crc_bad += bad
            if g.last_boot_ns != at.boot_ns or not g.online:
                self._alive(eui, g, at)
            if g.listed:
                return
        shared = self._counts(driver, UNKNOWN)  # not named, not met, or somebody in another's name
        shared.uplinks += uplinks
        shared.crc_bad += bad

    def reported(self, driver: str, stats: GatewayStats) -> None:
        """A gateway's own report. Of one that the configuration names only what the driver vouches for."""
        g = self.all.get(stats.gateway)
        if g is None or g.driver != driver or not g.known or (g.listed and stats.stranger is not None):
            return
        self._alive(stats.gateway, g, stats.at)
        g.report, counted = read(stats)
        for counts in self._sinks(g):
            for kind, n in counted.items():
                counts.reported[kind] = counts.reported.get(kind, 0) + n

    # -- what became of downlinks ------------------------------------------------------------------------------------

    def answered(self, gateway: str, answers: tuple[TxAnswer, ...]) -> str:
        """A downlink is through with: by its last item that was tried. Returns what it was counted as."""
        g = self.all.get(gateway)
        tried = [a for a in answers if a.status is not TxStatus.IGNORED]
        result = tried[-1].status.value if tried else TxStatus.IGNORED.value
        sinks = self._sinks(g) if g is not None and g.known else [self._counts(g.driver if g else "", UNKNOWN)]
        for counts in sinks:
            counts.downlinks[result] = counts.downlinks.get(result, 0) + 1
            counts.fallbacks += result == TxStatus.OK and len(tried) > 1
        if g is None or not g.known:
            return result
        key = (g.driver, self.label(gateway))
        for answer in tried:
            if answer.answered_s is not None:
                g.round_trip_s = answer.answered_s
                self.answered_s.setdefault(key, Histogram()).observe(answer.answered_s)
        return result

    def label(self, gateway: str) -> str:
        """What a gateway is called in metrics."""
        g = self.all.get(gateway)
        return gateway if g is not None and g.listed else UNKNOWN

    # -- who is there --------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Who has been silent for too long is offline; so is who is on the list and not heard since the start."""
        at = self.stamp()
        for eui, g in self.all.items():
            if (g.online or (g.listed and not g.changed_ns)) and (at.boot_ns - g.last_boot_ns) / 1e9 > self.offline_s:
                self._turn(eui, g, at, online=False, detail=f"silent for {self.offline_s:.0f} s")

    def _counts(self, driver: str, label: str) -> Counts:
        found = self.counts.get((driver, label))
        if found is None:
            found = self.counts[driver, label] = Counts()
        return found

    def _sinks(self, g: Gateway) -> list[Counts]:
        """Where what concerns a gateway is counted: its own figures, and those of all that are not named."""
        return [g.counts] if g.listed else [g.counts, self._counts(g.driver, UNKNOWN)]

    def _meet(self, driver: str, event: GatewaySeen) -> None:
        at = self.stamp()
        before = self.all.get(event.gateway)
        if before is not None and _standing(event.known, event.listed) < _standing(before.known, before.listed):
            self._refuse(driver, event, before)
            return
        same = before is not None and (before.driver, before.peer) == (driver, event.peer) and bool(before.first_ns)
        g = Gateway(driver, event.peer, event.protocol, event.known, at.wall_ns) if before is None else before
        if before is None or (before.driver, before.listed) != (driver, event.listed):
            g.counts = self._counts(driver, event.gateway) if event.listed else Counts()
        g.driver, g.peer, g.protocol, g.known, g.listed = driver, event.peer, event.protocol, event.known, event.listed
        self.all[event.gateway] = g
        if len(self.all) > MAX_GATEWAYS:
            self._forget()
        if not same and self._may_log(driver):
            logs.info("gateway", driver=driver, gateway=event.gateway, peer=event.peer, known=event.known)
        self._alive(event.gateway, g, at)

    def _refuse(self, driver: str, event: GatewaySeen, g: Gateway) -> None:
        """Somebody speaks in the name of a gateway that we know better. Its 1st, 2nd, 4th, 8th … time is logged."""
        for counts in self._sinks(g):
            counts.impostors += 1
        n = g.counts.impostors
        if n & (n - 1) == 0 and self._may_log(driver):
            logs.warning(
                "somebody speaks in a gateway's name", driver=driver, gateway=event.gateway, peer=event.peer, times=n
            )

    def _forget(self) -> None:
        """One too many: the stranger that is silent the longest, else one that is not named, else whoever it is."""
        strangers = (eui for eui, g in self.all.items() if not g.known)
        unnamed = (eui for eui, g in self.all.items() if not g.listed)
        self.all.pop(next(strangers, None) or next(unnamed, None) or next(iter(self.all)))

    def _alive(self, eui: str, g: Gateway, at: Stamp) -> None:
        g.last_ns, g.last_boot_ns = at.wall_ns, at.boot_ns
        self.all.move_to_end(eui)
        if not g.first_ns:
            g.first_ns = at.wall_ns
        if not g.online:
            self._turn(eui, g, at, online=True)

    def _turn(self, eui: str, g: Gateway, at: Stamp, *, online: bool, detail: str = "") -> None:
        if g.online is online and (online or g.changed_ns or not g.listed):
            return
        was_here = g.changed_ns != 0  # what it was like before is known, and worth a line
        g.online, g.changed_ns = online, at.wall_ns
        if (was_here or not online) and g.known and self._may_log(g.driver):
            tell = logs.info if online else logs.warning
            tell("gateway", driver=g.driver, gateway=eui, online=online, detail=detail or None)
        for listener in self.listeners:
            listener(eui, g)

    def _may_log(self, driver: str) -> bool:
        """Whether there is room for one more line within this hour; when it is used up that is said once."""
        now = self.stamp().wall_ns
        if self._lines_since is None or abs(now - self._lines_since) > _HOUR_NS:
            self._lines, self._lines_since = 0, now
        self._lines += 1
        if self._lines == GATEWAY_LINES + 1:
            logs.warning("too many gateways: further ones are not logged within this hour", driver=driver)
        return self._lines <= GATEWAY_LINES


def _standing(known: bool, listed: bool) -> int:
    """How much a gateway's word counts: 2 named in the configuration, 1 one that may speak, 0 a stranger."""
    return int(known) + int(known and listed)
