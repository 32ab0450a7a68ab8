"""When a device may send: the duty cycle of each sub-band, the network's own, and the back-off of joins. Pure.

EN 300 220-2 V3.2.1 annex B (duty cycles), TS001-1.0.4 section 5.4 (DutyCycleReq) and chapter 7, "Retransmissions
back-off". All times in microseconds.
"""

from typing import Final

from torhaus.codecs.lorawan.duty_cycle import band_of

HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * HOUR_US
_FIRST_US: Final = HOUR_US
_SECOND_US: Final = 11 * HOUR_US
_EARLY_AIR_US: Final = 36_000_000
_LATE_AIR_US: Final = 8_700_000
"""Airtime of join-requests: 36 s in the first hour, 36 s in the ten that follow, then 8.7 s in each 24 hours."""


class Pacing:
    """Of one device. `since_us`: when it got its power, or was reset; `is_limited` off: bands have no duty cycle."""

    def __init__(self, region: str, since_us: int = 0, *, is_limited: bool = True) -> None:
        self.max_duty_cycle = 0  # of DutyCycleReq: 1 / 2^n of the time in all
        self._region = region
        self._is_limited = is_limited
        self._free_us: dict[str, int] = {}  # by band
        self._all_free_us = 0
        self.restart(since_us)

    def restart(self, now_us: int) -> None:
        """Power came back: the back-off of joins begins anew, the bands do not."""
        self._since_us = now_us
        self._period = -1
        self._spent_us = 0

    def free_us(self, freq_hz: int) -> int:
        """When this channel may be used again."""
        band = band_of(self._region, freq_hz)
        return max(self._all_free_us, self._free_us.get(band.name, 0) if band is not None else 0)

    def join_us(self, now_us: int, airtime_us: int) -> int:
        """When a join-request of this length may go out, by the back-off alone: `now_us`, or later."""
        period, ends_us, allowed_us = self._of(now_us)
        if period != self._period or self._spent_us + airtime_us <= allowed_us:
            return now_us
        return ends_us

    def sent(self, now_us: int, freq_hz: int, airtime_us: int, *, is_join: bool = False) -> None:
        """Something goes out now."""
        band = band_of(self._region, freq_hz)
        if band is not None and self._is_limited:
            self._free_us[band.name] = now_us + round(airtime_us / band.share)
        if self.max_duty_cycle:
            self._all_free_us = now_us + (airtime_us << self.max_duty_cycle)
        if is_join:
            period = self._of(now_us)[0]
            if period != self._period:
                self._period, self._spent_us = period, 0
            self._spent_us += airtime_us

    def _of(self, now_us: int) -> tuple[int, int, int]:
        """Number, end and allowance of the back-off period of a moment."""
        age_us = now_us - self._since_us
        if age_us < _FIRST_US:
            return 0, self._since_us + _FIRST_US, _EARLY_AIR_US
        if age_us < _SECOND_US:
            return 1, self._since_us + _SECOND_US, _EARLY_AIR_US
        day = (age_us - _SECOND_US) // _DAY_US
        return 2 + day, self._since_us + _SECOND_US + (day + 1) * _DAY_US, _LATE_AIR_US
