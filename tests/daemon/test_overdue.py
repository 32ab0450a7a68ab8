from torhaus.codecs.model import Stamp
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.overdue import Overdue

S = 1_000_000_000


def now(up_s: int, *, synced: bool = True) -> Stamp:
    return Stamp((1_000_000 + up_s) * S, up_s * S, synced)


def heard(up_s: int) -> int:
    return (1_000_000 + up_s) * S


def test_who_is_overdue() -> None:
    devices = [
        DeviceConfig(name="co2", interval_s=600),
        DeviceConfig(name="quick", interval_s=10),
        DeviceConfig(name="door"),
    ]
    overdue = Overdue.of(devices, now(0))
    assert overdue.names({}, now(299)) == []
    assert overdue.names({}, now(301)) == ["quick"]  # five minutes at least
    assert overdue.names({}, now(1801)) == ["co2", "quick"]
    assert overdue.names({"co2": heard(100), "quick": heard(1700)}, now(1801)) == []
    assert overdue.names({"co2": heard(100), "quick": heard(1700)}, now(1901)) == ["co2"]


def test_a_clock_that_is_not_synchronised_accuses_nobody() -> None:
    overdue = Overdue({"co2": 600.0}, now(0))
    assert overdue.names({}, now(10_000, synced=False)) == []
    assert Overdue({}, now(0)).names({}, now(10_000)) == []


def test_what_was_heard_before_the_start_does_not_count_at_once() -> None:
    overdue = Overdue({"co2": 600.0}, now(5000))
    assert overdue.names({"co2": heard(0)}, now(5001)) == []
    assert overdue.names({"co2": heard(0)}, now(6801)) == ["co2"]
