"""Duty cycles: how much of the time a transmitter may be on the air, by sub-band. Pure.

The figures are in the table of regions. Those of EU868 are for devices without listen before talk; an hour is the time
over which it is observed (EN 300 220-1 V3.1.1 section 5.4). The other regions of RP002 limit dwell time and power
instead.
"""

from typing import Final

import msgspec

from torhaus.codecs.lorawan.regions import dynamic

WINDOW_S: Final = 3600


class Band(msgspec.Struct, frozen=True, gc=False):
    """A sub-band. `share` is the part of each hour that one transmitter may use."""

    name: str  # MHz, as a technician looks for it, and a metric's label
    low_hz: int
    high_hz: int
    share: float

    @property
    def allowed_us(self) -> int:
        """Microseconds on the air within one hour."""
        return round(self.share * WINDOW_S * 1_000_000)


EU868: Final = tuple(Band(b.name, b.min_hz, b.max_hz, b.duty_cycle) for b in dynamic.EU868.bands)
_BANDS: Final = {"EU868": EU868}


def bands(region: str) -> tuple[Band, ...]:
    """The sub-bands of a region, none where there is no duty cycle."""
    return _BANDS.get(region, ())


def band_of(region: str, freq_hz: int) -> Band | None:
    """The sub-band of a centre frequency; None where there is no duty cycle, or the region has no band there."""
    return next((band for band in bands(region) if band.low_hz <= freq_hz <= band.high_hz), None)
