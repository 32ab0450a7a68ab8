"""Each gateway's time on the air within the last hour, by sub-band, and whether one more frame may be sent.

What a gateway was told to send is counted; what others told it, it does not say.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Self

from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.downlink import TxAnswer, TxItem, TxStatus
from torhaus.codecs.lorawan.duty_cycle import WINDOW_S, Band, band_of
from torhaus.codecs.model import DecodeError
from torhaus.daemon.clock import Clock
from torhaus.daemon.config.model import Lorawan

OTHER: Final = "other"
"""The label of frequencies for which the region has no duty cycle."""
_STEP_NS: Final = 10_000_000_000
"""Airtime is kept by steps of ten seconds, each counted until its end is an hour old: never too little is counted."""
_PRUNE_NS: Final = 60_000_000_000
_WINDOW_NS: Final = WINDOW_S * 1_000_000_000


class Hour:
    """One gateway's airtime in one sub-band within the last hour."""

    __slots__ = ("_steps", "used_us")

    def __init__(self) -> None:
        self.used_us = 0
        self._steps: deque[tuple[int, int]] = deque()  # step, microseconds; at most 361 of them

    def add(self, us: int, now_ns: int) -> None:
        """A frame of so many microseconds."""
        step = now_ns // _STEP_NS
        us_before = self._steps.pop()[1] if self._steps and self._steps[-1][0] == step else 0
        self._steps.append((step, us_before + us))
        self.used_us += us

    def forget(self, now_ns: int) -> None:
        """Let go of what is older than an hour."""
        while self._steps and (self._steps[0][0] + 1) * _STEP_NS + _WINDOW_NS <= now_ns:
            self.used_us -= self._steps.popleft()[1]


class DutyCycle:
    """All gateways' airtime. `boot_ns` never steps; `label` is what a gateway is called in metrics, with its driver."""

    def __init__(self, region: str, boot_ns: Callable[[], int], *, enforce: bool = False) -> None:
        self.region = region
        self.enforce = enforce
        self.airtime_us: Counter[tuple[str, str, str]] = Counter()  # driver, label, band: since the start
        self._boot_ns = boot_ns
        self._hours: dict[tuple[str, Band], Hour] = {}  # by EUI
        self._pruned_ns = boot_ns()

    @classmethod
    def of(cls, config: Lorawan, clock: Clock) -> Self:
        """As configured."""
        return cls(config.region, clock.boot_ns, enforce=config.enforce_duty_cycle)

    def fits(self, gateway: str, item: TxItem) -> bool:
        """Whether the item may be sent now: always, unless the limits are enforced."""
        return not self.enforce or self.has_room(gateway, item)

    def has_room(self, gateway: str, item: TxItem) -> bool:
        """Whether the limits leave room for it."""
        band = band_of(self.region, item.freq_hz)
        return band is None or self._hour(gateway, band).used_us + airtime_of(item) <= band.allowed_us

    def sent(
        self, driver: str, gateway: str, label: str, items: tuple[TxItem, ...], answers: tuple[TxAnswer, ...]
    ) -> None:
        """What was sent, or may have been, is on the account."""
        for item, answer in zip(items, answers, strict=False):
            if answer.status not in {TxStatus.OK, TxStatus.NO_ANSWER}:
                continue
            us = airtime_of(item)
            band = band_of(self.region, item.freq_hz)
            self.airtime_us[driver, label, band.name if band else OTHER] += us
            if band is not None:
                self._hour(gateway, band).add(us, self._boot_ns())

    def used(self) -> dict[tuple[str, str], float]:
        """By EUI and sub-band: the part used of what is allowed within an hour, 1 when it is all used up."""
        self._prune()
        return {(eui, band.name): hour.used_us / band.allowed_us for (eui, band), hour in self._hours.items()}

    def table(self) -> dict[str, dict[str, float]]:
        """The same by EUI, then sub-band."""
        found: dict[str, dict[str, float]] = {}
        for (eui, band), part in self.used().items():
            found.setdefault(eui, {})[band] = part
        return found

    def _prune(self) -> None:
        """Let go of gateways that have sent nothing for an hour."""
        self._pruned_ns = now = self._boot_ns()
        for hour in self._hours.values():
            hour.forget(now)
        self._hours = {key: hour for key, hour in self._hours.items() if hour.used_us}

    def _hour(self, gateway: str, band: Band) -> Hour:
        if self._boot_ns() - self._pruned_ns >= _PRUNE_NS:
            self._prune()
        hour = self._hours.get((gateway, band))
        if hour is None:
            hour = self._hours[gateway, band] = Hour()
        hour.forget(self._boot_ns())
        return hour


def airtime_of(item: TxItem) -> int:
    """Microseconds on the air; 0 for what no gateway can send."""
    try:
        return airtime_us(
            item.modulation,
            item.datarate,
            len(item.data),
            item.coderate if item.modulation == "LORA" else None,
            uplink=item.crc,
            preamble=8 if item.preamble is None else item.preamble,
        )
    except DecodeError:
        return 0
