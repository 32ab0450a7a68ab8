"""The sub-bands of ERC/REC 70-03 annex 1, and where LoRaWAN's frequencies lie in them."""

from itertools import pairwise

import pytest

from torhaus.codecs.lorawan.duty_cycle import EU868, band_of, bands
from torhaus.codecs.lorawan.region import REGIONS, region


@pytest.mark.parametrize(
    ("freq_hz", "name", "allowed_s"),
    [
        (863_000_000, "863-865", 3.6),
        (864_999_999, "863-865", 3.6),
        (867_100_000, "865-868", 36),
        (867_900_000, "865-868", 36),
        (868_000_000, "868.0-868.6", 36),
        (868_100_000, "868.0-868.6", 36),
        (868_500_000, "868.0-868.6", 36),
        (868_800_000, "868.7-869.2", 3.6),
        (869_525_000, "869.4-869.65", 360),
        (869_850_000, "869.7-870", 36),
    ],
)
def test_where_a_frequency_lies(freq_hz: int, name: str, allowed_s: float) -> None:
    band = band_of("EU868", freq_hz)
    assert band is not None
    assert (band.name, band.allowed_us) == (name, allowed_s * 1_000_000)


@pytest.mark.parametrize("freq_hz", [0, 862_999_999, 868_650_000, 869_300_000, 869_660_000, 870_000_001])
def test_where_there_is_none(freq_hz: int) -> None:
    assert band_of("EU868", freq_hz) is None


def test_the_bands_do_not_overlap() -> None:
    for low, high in pairwise(sorted(EU868, key=lambda band: band.low_hz)):
        assert low.low_hz < low.high_hz <= high.low_hz


def test_every_frequency_of_the_region_has_a_band_and_other_regions_have_none() -> None:
    eu868 = region("EU868")
    used = [eu868.rx2_hz, *(c.freq_hz for c in eu868.channels)]
    assert all(band_of("EU868", hz) for hz in used)
    for name in REGIONS:
        assert bool(bands(name)) is (name == "EU868")
        assert name == "EU868" or band_of(name, region(name).rx2_hz) is None
