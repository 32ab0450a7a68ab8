"""Adaptive data rate, with figures worked out by hand from Semtech's paper.

"LoRaWAN - simple rate adaptation recommended algorithm", revision 1.0: SNRmargin = best SNR - required SNR - margin_db,
NStep = int(SNRmargin / 3).
"""

import pytest

from torhaus.codecs.lorawan.region import region
from torhaus.daemon.lora.adr import WINDOW, Heard, Limits, Setting, decide, loss, margin_db, snr_floor_db

EU868 = region("EU868")
LIMITS = Limits(max_dr=5, max_tx_power=7)


def heard(snr_db: float | None, count: int = WINDOW, step: int = 1) -> list[Heard]:
    """The best SNR comes once, all others are 10 dB worse."""
    found = [Heard(n * step, None if snr_db is None else snr_db - 10) for n in range(count)]
    found[count // 2].snr_db = snr_db
    return found


@pytest.mark.parametrize(
    ("dr", "power", "snr_db", "margin", "then"),
    [
        # DR0 needs -20: 5 + 20 - 10 = 15 dB, 5 steps, all by the data rate
        (0, 0, 5.0, 10, (5, 0)),
        # 8.9 + 20 - 10 = 18.9 dB, 6 steps: five by the data rate, one by the power
        (0, 0, 8.9, 10, (5, 1)),
        # the same with 15 dB: 13.9 dB, 4 steps
        (0, 0, 8.9, 15, (4, 0)),
        # DR5 needs -7.5: 10 + 7.5 - 15 = 2.5 dB, less than one step
        (5, 0, 10.0, 15, (5, 0)),
        # DR3 needs -12.5: 11.5 + 12.5 - 10 = 14 dB, 4 steps: two by the data rate, two by the power
        (3, 1, 11.5, 10, (5, 3)),
        # power ends at the least that there is
        (5, 6, 30.0, 10, (5, 7)),
        # -5 + 7.5 - 10 = -7.5 dB, 2 steps back, by the power alone
        (5, 5, -5.0, 10, (5, 3)),
        (5, 1, -7.5, 15, (5, 0)),
        # -10 + 17.5 - 10 = -2.5 dB: not a whole step back
        (1, 4, -10.0, 10, (1, 4)),
        # never to a lower data rate
        (4, 0, -12.0, 10, (4, 0)),
    ],
)
def test_steps(dr: int, power: int, snr_db: float, margin: float, then: tuple[int, int]) -> None:
    assert decide(heard(snr_db), Setting(dr, power), LIMITS, EU868, margin) == Setting(*then)


def test_too_little_is_known() -> None:
    now = Setting(0, 0)
    assert decide(heard(9.0, WINDOW - 1), now, LIMITS, EU868, 10) == now
    assert decide(heard(None), now, LIMITS, EU868, 10) == now
    assert decide(heard(9.0), Setting(7, 0), LIMITS, EU868, 10) == Setting(7, 0), "FSK has no spreading factor"
    assert decide(heard(9.0), Setting(14, 0), LIMITS, EU868, 10) == Setting(14, 0)


def test_what_the_device_refused_is_not_asked_for() -> None:
    assert decide(heard(20.0), Setting(0, 0), Limits(3, 2), EU868, 10) == Setting(3, 2)
    assert decide(heard(20.0), Setting(5, 3), Limits(3, 2), EU868, 10) == Setting(5, 3)
    assert decide(heard(-30.0), Setting(0, 0), Limits(5, 7, min_dr=2), EU868, 10) == Setting(2, 0)


@pytest.mark.parametrize(
    ("step", "now", "then"),
    [(1, 1, 1), (1, 2, 1), (1, 3, 2), (2, 1, 3), (2, 3, 3)],
)
def test_repetitions_follow_the_loss(step: int, now: int, then: int) -> None:
    """Every second one lost is more than 30 %."""
    assert decide(heard(10.0, step=step), Setting(5, 0, now), LIMITS, EU868, 15) == Setting(5, 0, then)


def test_losses_between() -> None:
    two_of_22 = [Heard(n + 2 * (n > 5), 10.0) for n in range(WINDOW)]
    assert loss(two_of_22) == pytest.approx(2 / 22)
    assert decide(two_of_22, Setting(5, 0, 2), LIMITS, EU868, 15).nb_trans == 2
    five_of_25 = [Heard(n + 5 * (n > 5), 10.0) for n in range(WINDOW)]
    assert decide(five_of_25, Setting(5, 0, 1), LIMITS, EU868, 15).nb_trans == 2
    assert loss([]) == loss([Heard(7, 1.0)]) == loss([Heard(7, 1.0), Heard(2, 1.0)]) == 0


def test_margins() -> None:
    assert margin_db(heard(5.0), "SF9BW125") == 17.5
    assert margin_db(heard(None), "SF9BW125") is None
    assert snr_floor_db("50000") is snr_floor_db("SFxBW125") is snr_floor_db("SF125BW") is None


def test_it_settles() -> None:
    """A device that does as it is told: after few rounds nothing is left to be changed, and it is still heard."""
    now, snr_at_full_power = Setting(0, 0), 14.0
    for _ in range(10):
        then = decide(heard(snr_at_full_power - 2 * now.tx_power), now, LIMITS, EU868, 10)
        if then == now:
            break
        now = then
    else:
        pytest.fail("it goes on for ever")
    assert now.data_rate == 5
    assert snr_at_full_power - 2 * now.tx_power + 7.5 >= 10 - 3
