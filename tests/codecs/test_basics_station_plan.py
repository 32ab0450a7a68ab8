"""Channels, and two radios that have them all in reach."""

import pytest

from torhaus.codecs.framing.basics_station.plan import MAX_NARROW, plan, reach
from torhaus.codecs.lorawan.region import REGIONS, region
from torhaus.codecs.lorawan.regions.model import Channel
from torhaus.codecs.model import DecodeError, RejectReason


def test_the_usual_ten_of_eu868() -> None:
    found = plan(region("EU868"))
    assert [c.freq_hz for c in found.narrow] == [867_100_000 + n * 200_000 for n in range(8)]
    assert (found.wide, found.fsk) == (Channel(868_300_000, 6, 6), Channel(868_800_000, 7, 7))
    assert found.radios_hz == (867_500_000, 868_500_000)
    assert len(found.channels()) == 10


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("sub_band", range(1, 9))
def test_every_channel_is_in_reach_of_its_radio(name: str, sub_band: int) -> None:
    where = region(name)
    found = plan(where, None, sub_band if where.is_fixed else None)
    assert len(found.radios_hz) == 2
    assert {c.freq_hz for c in where.channels} <= {c.freq_hz for c in found.narrow} or where.is_fixed
    for channel in found.channels():
        low, high = reach(where, channel)
        assert low <= found.radios_hz[found.radio_of(channel.freq_hz)] <= high
        assert where.min_hz <= channel.freq_hz <= where.max_hz


def test_a_sub_band_has_its_wide_channel() -> None:
    found = plan(region("US915"), None, 2)
    assert [c.freq_hz for c in found.narrow] == [903_900_000 + n * 200_000 for n in range(8)]
    assert found.wide == Channel(904_600_000, 4, 4)


def test_a_channel_that_is_the_regions_own_is_there_once() -> None:
    found = plan(region("EU868"), [868_100_000, 867_100_000])
    assert [c.freq_hz for c in found.narrow] == [867_100_000, 868_100_000, 868_300_000, 868_500_000]


def test_what_few_devices_use_gives_way() -> None:
    """FSK at 868.8 MHz is out of reach when the radios are needed below."""
    found = plan(region("EU868"), [865_100_000])
    assert (found.fsk, found.wide) == (Channel(868_800_000, 7, 7), Channel(868_300_000, 6, 6))
    far = plan(region("KR920"), [921_300_000])
    assert far.radios_hz[0] != far.radios_hz[1]
    crowded = plan(region("EU868"), [867_900_000, 867_700_000, 865_100_000])
    assert crowded.fsk is None
    assert len(crowded.narrow) == 6


@pytest.mark.parametrize(
    ("name", "more_hz", "sub_band", "words"),
    [
        ("EU868", [866_900_000], 1, "no sub-bands"),
        ("EU868", [862_900_000], None, "862900000 Hz is outside of EU868"),
        ("EU868", [863_100_000, 865_100_000], None, "too far apart"),
        ("EU868", [867_100_000 + n * 100_000 for n in range(6)], None, "9 channels, but a concentrator has 8"),
        ("US915", None, None, "sub_band from 1 to 8"),
        ("US915", None, 0, "sub_band from 1 to 8"),
        ("AU915", None, 9, "sub_band from 1 to 8"),
        ("AU915", [916_800_000], 1, "fixed channels"),
    ],
)
def test_what_a_concentrator_cannot_do(name: str, more_hz: list[int] | None, sub_band: int | None, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as refused:
        plan(region(name), more_hz, sub_band)
    assert refused.value.reason is RejectReason.RANGE
    assert MAX_NARROW == 8
