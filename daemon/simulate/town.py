"""A town of simulated end devices and gateways, moved on by whoever has a clock. Pure: nothing here waits or sends.

The time is in microseconds of the town's own; each gateway's counter is the town's time, so that the moment that a
server names for a downlink is one of the town's.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.region import datarate
from torhaus.codecs.model import Radio
from torhaus.codecs.model import Reception as Heard
from torhaus.daemon.simulate.air import GATEWAY_DBM, Air, floor_db
from torhaus.daemon.simulate.device import EndDevice
from torhaus.daemon.simulate.model import Transmission

OnHeard = Callable[[int, EndDevice, Transmission, list[tuple[int, Heard]]], None]
"""Told at the end of a frame: when, who sent it, what, and the gateways that heard it, each as it tells its server."""
_WRAP: Final = 0xFFFF_FFFF


class Town:
    """`euis` are the gateways'. `heard` is called for every frame, also for one that nobody heard."""

    def __init__(self, devices: Sequence[EndDevice], euis: Sequence[str], air: Air, heard: OnHeard) -> None:
        self.devices = list(devices)
        self.air = air
        self.now_us = 0
        self.downlinks = 0
        self.unheard = 0  # frames that no gateway received
        self._heard = heard
        self._euis = list(euis)
        self._order = count()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._class_c = {n for n, d in enumerate(self.devices) if d.habits.class_c}
        self._waiting: set[int] = set()
        for n in range(len(self.devices)):
            self._plan(n)

    def due_us(self) -> int | None:
        """When something happens next."""
        return self._events[0][0] if self._events else None

    def run_until(self, now_us: int) -> None:
        """Let happen what is due by then."""
        while self._events and self._events[0][0] <= now_us:
            at_us, _, what = heapq.heappop(self._events)
            self.now_us = max(self.now_us, at_us)
            what()
        self.now_us = max(self.now_us, now_us)

    def reset(self, number: int) -> None:
        """Cut a device's power for a moment."""
        self.devices[number].reset(self.now_us)
        self._waiting.discard(number)
        self._plan(number)

    def send(
        self, gateway: int, phy: bytes, freq_hz: int, rate: str, at_us: int, power_dbm: float = GATEWAY_DBM
    ) -> None:
        """A gateway was told to send then: it is heard by those who listen just then and are near enough."""
        modulation = "LORA" if rate.startswith("SF") else "FSK"
        end_us = at_us + airtime_us(modulation, rate, len(phy), uplink=False)
        self.air.sends(gateway, at_us, end_us)
        self.downlinks += 1

        def begin() -> None:
            for n in sorted(self._waiting | self._class_c):
                self._reach(n, gateway, phy, freq_hz, rate, power_dbm)

        self._at(at_us, begin)

    def counts(self) -> Counter[str]:
        """What happened to all devices together."""
        total: Counter[str] = Counter()
        for device in self.devices:
            total.update(device.counts)
        total["reused_counters"] = sum(d.member.reused for d in self.devices)
        total["joined_now"] = sum(d.is_joined for d in self.devices)
        return total

    # -- inside --------------------------------------------------------------------------------------------------------

    def _at(self, at_us: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(at_us, self.now_us), next(self._order), what))

    def _plan(self, n: int) -> None:
        due_us = self.devices[n].due_us
        self._at(due_us, lambda: self._act(n, due_us))

    def _act(self, n: int, planned_us: int) -> None:
        device = self.devices[n]
        if device.due_us != planned_us:
            return  # it has something else to do since
        sent = device.act(self.now_us)
        if sent is not None:
            begun = self.air.begin(n, sent)
            self._at(sent.end_us, lambda: self._end(n, sent, begun))
        if device.windows:
            self._waiting.add(n)
        else:
            self._waiting.discard(n)
        self._plan(n)

    def _end(self, n: int, sent: Transmission, begun: object) -> None:
        device = self.devices[n]
        received = self.air.end(begun)
        self.unheard += not received
        found = [(r.gateway, self._reception(r.gateway, r.rssi_dbm, r.snr_db)) for r in received]
        self._heard(self.now_us, device, sent, found)

    def _reception(self, gateway: int, rssi_dbm: float, snr_db: float) -> Heard:
        return Heard(
            self._euis[gateway], rssi_dbm=rssi_dbm, snr_db=snr_db, rf_chain=0, tmst_us=self.now_us & _WRAP, crc=1
        )

    def _reach(self, n: int, gateway: int, phy: bytes, freq_hz: int, rate: str, power_dbm: float) -> None:
        device = self.devices[n]
        if device.window_at(self.now_us, freq_hz, rate) is None:
            return
        snr = self.air.snr_at(n, gateway, power_dbm)
        if snr < floor_db(rate) or self.air.is_lost():
            return
        before = device.due_us
        device.hear(self.now_us, phy, freq_hz, rate, snr)
        if not device.windows:
            self._waiting.discard(n)
        if device.due_us != before:
            self._plan(n)


def radio_of(sent: Transmission, device: EndDevice, heard: list[Heard]) -> Radio:
    """A frame as gateways report it."""
    rate = datarate(device.region, sent.dr)
    return Radio(sent.freq_hz, rate.modulation, rate.datarate, rate.coderate, heard)
