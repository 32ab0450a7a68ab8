"""Duty cycles: how much of the time a transmitter may be on the air, by sub-band. Pure.

EU868: ERC/REC 70-03 annex 1 and ETSI EN 300 220-2 V3.2.1 annex B, bands K to Q, for devices without listen before
talk. The letters are those of EN 300 220-2. An hour is the time over which it is observed (EN 300 220-1 V3.1.1 section
5.4). The other regions of RP002 limit dwell time and power instead.
"""

from typing import Final

import msgspec

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


EU868: Final = (
    Band("863-865", 863_000_000, 865_000_000, 0.001),  # K
    Band("868.0-868.6", 868_000_000, 868_600_000, 0.01),  # M, within L: looked up first
    Band("865-868", 865_000_000, 868_000_000, 0.01),  # L
    Band("868.7-869.2", 868_700_000, 869_200_000, 0.001),  # N
    Band("869.4-869.65", 869_400_000, 869_650_000, 0.1),  # P
    Band("869.7-870", 869_700_000, 870_000_000, 0.01),  # Q
)
_BANDS: Final = {"EU868": EU868}


def bands(region: str) -> tuple[Band, ...]:
    """The sub-bands of a region, none where there is no duty cycle."""
    return _BANDS.get(region, ())


def band_of(region: str, freq_hz: int) -> Band | None:
    """The sub-band of a centre frequency; None where there is no duty cycle, or the region has no band there."""
    return next((band for band in bands(region) if band.low_hz <= freq_hz <= band.high_hz), None)
