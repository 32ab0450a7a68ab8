"""Duty cycles and the back-off of joins, by the numbers of the specification."""

from torhaus.daemon.simulate.pacing import HOUR_US, Pacing

SECOND = 1_000_000


def test_a_channel_rests_ninety_nine_times_as_long_as_it_was_used() -> None:
    it = Pacing("EU868")
    it.sent(0, 868_100_000, SECOND)
    assert it.free_us(868_500_000) == 100 * SECOND  # the same sub-band
    assert it.free_us(867_100_000) == 0
    it.sent(0, 869_525_000, SECOND)
    assert it.free_us(869_525_000) == 10 * SECOND
    free = Pacing("EU868", is_limited=False)
    free.sent(0, 868_100_000, SECOND)
    assert free.free_us(868_100_000) == 0
    assert Pacing("US915").free_us(902_300_000) == 0


def test_the_networks_own_duty_cycle_holds_for_all_channels() -> None:
    it = Pacing("EU868", is_limited=False)
    it.max_duty_cycle = 7
    it.sent(0, 868_100_000, SECOND)
    assert it.free_us(867_100_000) == 128 * SECOND


def test_joins_have_36_seconds_in_the_first_hour_and_in_the_ten_after_it_then_less() -> None:
    it, start = Pacing("EU868", 5 * SECOND, is_limited=False), 5 * SECOND
    for n in range(36):
        assert it.join_us(start + n, SECOND) == start + n
        it.sent(start + n, 868_100_000, SECOND, is_join=True)
    assert it.join_us(start + 40, SECOND) == start + HOUR_US
    second = start + HOUR_US
    assert it.join_us(second, SECOND) == second
    it.sent(second, 868_100_000, 36 * SECOND, is_join=True)
    assert it.join_us(second + 1, SECOND) == start + 11 * HOUR_US
    third = start + 11 * HOUR_US
    it.sent(third, 868_100_000, 8 * SECOND, is_join=True)
    assert it.join_us(third + 1, SECOND) == start + 35 * HOUR_US
    assert it.join_us(third + 1, SECOND // 2) == third + 1
    it.sent(third, 868_100_000, SECOND)  # data does not count
    assert it.join_us(third + 1, SECOND // 2) == third + 1
    it.restart(third + 2)
    assert it.join_us(third + 3, SECOND) == third + 3
