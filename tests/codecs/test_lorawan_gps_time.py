"""GPS time against known moments around leap seconds."""

from datetime import UTC, datetime

import pytest

from torhaus.codecs.lorawan.gps_time import gps_ns, unix_ns

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("utc", "gps_s"),
    [
        ("1980-01-06T00:00:00Z", 0),
        ("2010-01-28T16:36:24Z", 948_731_799),
        ("2012-06-30T23:59:59Z", 1_025_136_014),
        ("2012-07-01T00:00:00Z", 1_025_136_016),
        ("2025-07-14T00:00:00Z", 1_436_486_418),
    ],
)
def test_known_moments(utc: str, gps_s: int) -> None:
    unix = round(datetime.fromisoformat(utc).astimezone(UTC).timestamp()) * SECOND
    assert gps_ns(unix) == gps_s * SECOND
    assert unix_ns(gps_s * SECOND) == unix


def test_there_and_back_around_every_leap_second() -> None:
    for year in range(1981, 2027):
        for month in (1, 7):
            midnight = round(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND
            for unix in (midnight - 1, midnight, midnight + 1, midnight + SECOND):
                assert unix_ns(gps_ns(unix)) == unix


def test_within_a_leap_second_it_is_the_next_midnight() -> None:
    midnight = round(datetime(2017, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    leap = gps_ns(midnight) - SECOND
    assert unix_ns(leap - 1) == midnight - 1
    assert unix_ns(leap) == midnight
    assert unix_ns(leap + SECOND) == midnight
