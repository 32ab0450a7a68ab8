"""Who hears a frame: distance, spreading factor, collisions, a gateway that sends."""

import pytest

from torhaus.daemon.simulate.air import FLOOR_DB, NOISE_DBM, Air, floor_db, path_loss_db, places
from torhaus.daemon.simulate.model import Transmission


def sent(start_us: int = 0, freq_hz: int = 868_100_000, rate: str = "SF7BW125", power: float = 16.0) -> Transmission:
    return Transmission(b"x", freq_hz, 5, rate, power, start_us, start_us + 60_000)


def heard(air: Air, device: int, it: Transmission) -> list[int]:
    return [r.gateway for r in air.end(air.begin(device, it))]


def test_the_near_are_heard_and_the_far_are_not() -> None:
    air = Air([(0.0, 0.0), (60.0, 0.0)], [(0.1, 0.0), (0.0, 50.0)], seed=1)
    assert heard(air, 0, sent()) == [0]
    assert heard(air, 1, sent()) == []
    assert path_loss_db(1.0) == 128.95
    assert path_loss_db(0.0) == path_loss_db(0.02)
    assert air.snr_at(0, 0) == 12.0
    assert air.snr_at(1, 0) < floor_db("SF12BW125")


def test_slow_frames_are_heard_further() -> None:
    places_ = [(2.5, 0.0)] * 300
    air = Air(places_, [(0.0, 0.0)], seed=2)
    counts = {}
    for rate in ("SF7BW125", "SF10BW125", "SF12BW125"):
        counts[rate] = sum(bool(heard(air, n, sent(n * 100_000, rate=rate))) for n in range(300))
    assert 0 < counts["SF7BW125"] < counts["SF10BW125"] < counts["SF12BW125"] <= 300
    (one,) = Air([(0.01, 0.0)], [(0.0, 0.0)]).end(Air([(0.01, 0.0)], [(0.0, 0.0)]).begin(0, sent()))
    assert (one.rssi_dbm, one.snr_db) == pytest.approx((one.rssi_dbm, 12.0))
    assert one.rssi_dbm > NOISE_DBM + FLOOR_DB[7]
    assert floor_db("50000") == FLOOR_DB[7]


def test_frames_at_once_with_the_same_rate_and_frequency_collide() -> None:
    air = Air([(0.1, 0.0), (0.0, 0.1), (1.0, 1.0)], [(0.0, 0.0)], seed=3)
    air._gain_db = [[-60.0], [-61.0], [-90.0]]
    one, other = air.begin(0, sent()), air.begin(1, sent(59_999))
    assert (air.end(one), air.end(other)) == ([], [])
    assert air.collisions == 2
    after, weak = air.begin(0, sent(200_000)), air.begin(2, sent(230_000))
    assert len(air.end(after)) == 1  # the stronger one is received
    assert air.end(weak) == []
    for n, differs in enumerate(({"freq_hz": 868_300_000}, {"rate": "SF8BW125"}, {"start_us": 60_000})):
        at_us = (n + 2) * 1_000_000
        one = air.begin(0, sent(at_us))
        other = air.begin(1, sent(**({"start_us": at_us} | _later(differs, at_us))))  # type: ignore[arg-type]
        assert len(air.end(one)) == len(air.end(other)) == 1, differs


def _later(differs: dict[str, object], at_us: int) -> dict[str, object]:
    start = differs.get("start_us")
    return differs if start is None else {"start_us": at_us + 60_000}


def test_a_gateway_that_sends_is_deaf() -> None:
    air = Air([(0.1, 0.0)], [(0.0, 0.0), (0.1, 0.1)], seed=4)
    air.sends(0, 10_000, 20_000)
    assert heard(air, 0, sent()) == [1]
    assert heard(air, 0, sent(100_000)) == [0, 1]


def test_losses_without_a_reason() -> None:
    air = Air([(0.1, 0.0)], [(0.0, 0.0)], seed=5, loss=0.25)
    received = sum(len(heard(air, 0, sent(n * 100_000))) for n in range(1000))
    assert 700 < received < 800
    assert 200 < sum(air.is_lost() for _ in range(1000)) < 300
    assert not Air([(0.1, 0.0)], [(0.0, 0.0)]).is_lost()


def test_places() -> None:
    homes, masts = places(50, 5, 1, 2.0)
    assert len(homes) == 50
    assert all(x * x + y * y <= 4.0 for x, y in homes)
    assert all(x * x + y * y == pytest.approx(1.0) for x, y in masts)
    assert places(50, 5, 1, 2.0) == (homes, masts) != places(50, 5, 2, 2.0)
    assert places(1, 1, 1, 2.0)[1] == [(0.0, 0.0)]
