from tests.daemon.clocks import FakeClock
from torhaus.daemon.forecast import Forecast

GIB = 1 << 30


def grow(clock: FakeClock, forecast: Forecast, start: float, per_s: float, seconds: int, free: int = 1 << 50) -> float:
    waiting = start
    for _ in range(seconds // 10):
        forecast.look(waiting, 4 * GIB, free)
        clock.advance(10)
        waiting += per_s * 10
    return waiting


def test_a_log_that_has_just_begun_to_grow_foretells_nothing() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    assert forecast.full_in_s() is None
    grow(clock, forecast, 0, 1000, 290)
    assert forecast.full_in_s() is None
    grow(clock, forecast, 290_000, 1000, 30)
    assert forecast.full_in_s() is not None


def test_hours_until_the_limit() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    waiting = grow(clock, forecast, GIB, 1000, 1800)
    found = forecast.full_in_s()
    assert found is not None
    assert abs(found - (4 * GIB - waiting) / 1000) < 30


def test_the_file_system_may_be_nearer() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    grow(clock, forecast, 0, 1000, 1800, free=3_600_000)
    assert round(forecast.full_in_s() or 0) == 3600


def test_nothing_is_foretold_while_it_drains_or_stands_still() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    waiting = grow(clock, forecast, 0, 1000, 1800)
    waiting = grow(clock, forecast, waiting, -10, 1000)
    assert forecast.full_in_s() is None
    grow(clock, forecast, waiting, 0, 1000)
    assert forecast.full_in_s() is None


def test_the_faster_of_the_last_hour_and_the_last_quarter() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    waiting = grow(clock, forecast, 0, 10_000, 2400)  # the nightly round of all meters
    waiting = grow(clock, forecast, waiting, 1000, 1000)
    hour = forecast.full_in_s()
    assert hour is not None
    assert hour < (4 * GIB - waiting) / 5000


def test_a_full_log_is_full_now() -> None:
    clock = FakeClock()
    forecast = Forecast(clock)
    grow(clock, forecast, 5 * GIB, 1, 1000)
    assert forecast.full_in_s() == 0.0
