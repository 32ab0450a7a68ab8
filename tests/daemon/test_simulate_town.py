"""A few devices and two gateways in time: frames end when they end, downlinks reach who listens."""

from tests.daemon.test_simulate_member import accept, session
from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, parse
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Reception
from torhaus.daemon.simulate.air import Air, places
from torhaus.daemon.simulate.device import EndDevice
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import SECOND_US, Habits, Transmission
from torhaus.daemon.simulate.town import Town, radio_of

EUIS = ("aa555a0000000101", "aa555a0000000102")
Told = list[tuple[int, EndDevice, Transmission, list[tuple[int, Reception]]]]


def town_of(count: int = 6, seed: int = 1, loss: float = 0.0, **habits: object) -> tuple[Town, Told]:
    told: Told = []
    homes, masts = places(count, 2, seed, 0.2)
    given = {"period_s": 60.0, "spread_s": 30.0} | habits
    devices = [EndDevice(one, region("EU868"), seed, Habits(**given)) for one in identities(count, seed=2)]  # type: ignore[arg-type]
    return Town(devices, EUIS, Air(homes, masts, seed, loss), lambda *a: told.append(a)), told


def serve(town: Town, told: Told, until_us: int) -> None:
    """Move on, and answer every join at once."""
    seen = len(told)
    while (due := town.due_us()) is not None and due <= until_us:
        town.run_until(due)
        for at_us, device, sent, found in told[seen:]:
            asked = parse(sent.phy)
            if isinstance(asked, JoinRequest) and found:
                window = device.windows[0]
                phy = accept(device.member.identity, asked.dev_nonce)
                assert at_us == sent.end_us
                town.send(found[0][0], phy, window.freq_hz, window.datarate, window.at_us)
        seen = len(told)


def test_all_join_and_send() -> None:
    town, told = town_of()
    serve(town, told, 600 * SECOND_US)
    counts = town.counts()
    assert (counts["joined_now"], counts["joined"], counts["rx1"]) == (6, 6, 6)
    assert 45 <= counts["uplinks"] <= 60
    assert [at_us for at_us, *_ in told] == sorted(at_us for at_us, *_ in told)
    at_us, device, sent, found = told[-1]
    radio = radio_of(sent, device, [r for _, r in found])
    assert {r.gateway for r in radio.rx} == set(EUIS)
    assert all(r.tmst_us == at_us for r in radio.rx)
    assert (radio.datarate, radio.coderate, radio.freq_hz) == ("SF7BW125", "4/5", sent.freq_hz)


def test_the_same_seed_is_the_same_town() -> None:
    runs = []
    for seed in (1, 1, 2):
        town, told = town_of(seed=seed, loss=0.2)
        serve(town, told, 300 * SECOND_US)
        runs.append([(at_us, sent.phy, len(found)) for at_us, _, sent, found in told])
    assert runs[0] == runs[1] != runs[2]
    assert any(n < 2 for *_, n in runs[0])


def test_a_downlink_is_heard_by_whom_it_is_for() -> None:
    town, told = town_of(class_c=True)
    serve(town, told, 300 * SECOND_US)
    device = town.devices[3]
    keys = session(device.member.identity, device.member.dev_nonce)
    before = town.counts()
    at_us = town.now_us + SECOND_US
    town.send(0, build_downlink(keys, device.member.dev_addr or 0, 0, 5, b"x"), 869_525_000, "SF12BW125", at_us)
    town.run_until(at_us)
    after = town.counts() - before
    assert device.counts["class_c"] == 1
    assert after["class_c"] == 1


def test_a_reset_device_joins_again() -> None:
    town, told = town_of()
    serve(town, told, 300 * SECOND_US)
    town.reset(2)
    assert town.counts()["joined_now"] == 5
    serve(town, told, 600 * SECOND_US)
    assert town.counts()["joined_now"] == 6
    assert town.devices[2].counts["joined"] == 2
    frames = [parse(s.phy) for _, d, s, _ in told if d is town.devices[2]]
    counters = [f.fcnt16 for f in frames if isinstance(f, DataFrame)]
    assert counters.count(0) == 2
