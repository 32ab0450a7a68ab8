from tests.daemon.clocks import FakeClock
from torhaus.daemon.forward.pace import Pace


def test_nothing_is_known_at_first() -> None:
    clock = FakeClock()
    pace = Pace(clock, 60)
    assert pace.per_s(10) is None
    pace.look(5)
    assert pace.per_s(10) is None
    pace.look(9)  # no time has passed
    assert pace.per_s(10) is None
    clock.advance(2)
    pace.look(13)
    assert pace.per_s(10) == 4.0  # (13 - 5) / 2: what was replaced within its step is not between
    assert pace.per_s(10, least_s=3) is None


def test_the_last_seconds_and_the_last_minute() -> None:
    clock = FakeClock()
    pace = Pace(clock, 60)
    total = 0
    for second in range(200):
        total += 100 if second >= 190 else 10
        pace.look(total)
        clock.advance(1)
    assert pace.per_s(5) == 100.0
    assert pace.per_s(60) == (100 * 10 + 10 * 50) / 60
    assert pace.per_s(1000) == pace.per_s(60)  # older ones are forgotten
    assert len(pace._samples) <= 62


def test_a_shrinking_figure_is_negative_and_a_wall_clock_step_is_not_seen() -> None:
    clock = FakeClock()
    pace = Pace(clock, 60, 2)
    for backlog in (1000, 900, 800):
        pace.look(backlog)
        clock.advance(2)
        clock.step_wall(-86_400)
    assert pace.per_s(10) == -50.0


def test_however_often_it_looks_it_keeps_few() -> None:
    clock = FakeClock()
    pace = Pace(clock, 3600, 30)
    for n in range(100_000):
        pace.look(n)
        clock.advance(0.1)
    assert len(pace._samples) <= 123
    assert round(pace.per_s(3600) or 0, 2) == 10.0
