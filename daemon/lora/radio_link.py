"""How a device is heard, and how often it was asked what: of its present session, since the start. Not on disk."""

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import msgspec

from torhaus.codecs.model import Frame, Reception
from torhaus.daemon.lora.adr import WINDOW, Heard, loss, margin_db
from torhaus.daemon.lora.mac_requests import Outcome
from torhaus.daemon.lora.windows import best_first
from torhaus.daemon.outbox.mac_state import Mac

MAX_ASKED: Final = 8
"""A request that gets no answer is sent so often, after twice as many uplinks each time, and then never again."""
_ARRIVALS: Final = 8
_MAX_GATEWAYS: Final = 4


class RadioView(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One device's link, for people. Times are the wall clock's; `battery` is as in DevStatusAns (0: mains, 255: none).

    Class, power and repetitions are None where another network server has them. `expected_at_ns`: when the next uplink
    should come, by the intervals of the last ones.
    """

    device: str
    dev_eui: str | None = None
    dev_addr: str | None = None
    device_class: str | None = "A"
    last_at_ns: int = 0
    expected_at_ns: int | None = None
    fcnt: int | None = None
    datarate: str | None = None
    snr_db: float | None = None
    margin_db: float | None = None
    loss: float = 0.0
    tx_power: int | None = 0
    nb_trans: int | None = 1
    gateways: list[str] = []
    battery: int | None = None
    status_margin_db: int | None = None
    status_at_ns: int | None = None
    refused: list[str] = []
    pending: list[str] = []


class RadioLink:
    """Of one session. `number`: the device's join that it came of, 0 for a personalised one."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.heard: deque[Heard] = deque(maxlen=WINDOW)
        self.fcnt: int | None = None
        self.dr: int | None = None
        self.datarate = ""
        self.uplinks = 0
        self.last_at_ns = 0
        self.gateways: list[str] = []
        self.next_down: dict[str, int] = {}  # by the field of Joined that it is set aside by
        self.lock = asyncio.Lock()  # around these counters
        self.is_busy = False  # a downlink of class C is under way
        self.settled: Mac | None = None  # with this there is nothing to be asked, but for ADR and the battery
        self.answers = 0  # to uplinks that are under way
        self._arrivals: deque[int] = deque(maxlen=_ARRIVALS)
        self._asked: dict[str, tuple[int, int]] = {}  # by request: times, and the uplink from which on once more

    def note(self, fcnt: int, frame: Frame, dr: int | None) -> bool:
        """A new uplink. Whether the data rate is another one than before: then the figures begin anew."""
        radio = frame.radio
        assert radio is not None
        is_new = self.dr is not None and dr != self.dr
        if is_new:
            self.heard.clear()
        self.fcnt, self.dr, self.datarate = fcnt, dr, radio.datarate
        self.uplinks += 1
        self.last_at_ns = frame.at.wall_ns
        self._arrivals.append(frame.at.boot_ns)
        self.heard.append(Heard(fcnt, _best_snr(radio.rx)))
        self.gateways = [rx.gateway for rx in best_first(radio.rx)[:_MAX_GATEWAYS]]
        return is_new

    def copy(self, fcnt: int, receptions: list[Reception]) -> None:
        """The uplink once more, through another gateway or repeated by the device."""
        best = _best_snr(receptions)
        if self.heard and self.heard[-1].fcnt == fcnt and best is not None:
            before = self.heard[-1].snr_db
            first = before is None or best > before
            self.heard[-1].snr_db = best if before is None else max(best, before)
            new = [rx.gateway for rx in best_first(receptions) if rx.gateway not in self.gateways]
            self.gateways = ([*new, *self.gateways] if first else [*self.gateways, *new])[:_MAX_GATEWAYS]

    def due(self, requests: Iterable[bytes]) -> list[bytes]:
        """Those that may be sent now: a device that does not answer is asked ever less often."""
        found = []
        for request in requests:
            times, at = self._asked.get(request.hex(), (0, 0))
            if times < MAX_ASKED and self.uplinks >= at:
                found.append(request)
        return found

    def told(self, outcomes: Iterable[Outcome]) -> None:
        """What became of requests."""
        for outcome in outcomes:
            if outcome.result == "unanswered":
                times = self._asked.get(outcome.key, (0, 0))[0] + 1
                self._asked[outcome.key] = times, self.uplinks + (1 << times) - 2
            else:
                self._asked.pop(outcome.key, None)
                if outcome.name == "LinkADRReq":
                    self.heard.clear()

    def loss(self) -> float:
        """The part of the last uplinks that never came."""
        return loss(self.heard)

    def margin_db(self) -> float | None:
        """Of the best of the last uplinks."""
        return margin_db(self.heard, self.datarate)

    def interval_ns(self) -> int | None:
        """Between uplinks, as the last ones came; None while that cannot be said."""
        times = [*self._arrivals]
        gaps = sorted(b - a for a, b in pairwise(times) if b > a)  # it is less after a start of the machine
        return round((gaps[(len(gaps) - 1) // 2] + gaps[len(gaps) // 2]) / 2) if gaps else None  # the median


def _best_snr(receptions: list[Reception]) -> float | None:
    return max((rx.snr_db for rx in receptions if rx.snr_db is not None), default=None)
