"""One device before a server that is written out here: its windows, its repeats, its patience."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.daemon.test_simulate_member import ADDR, accept, session
from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.mac_commands import encode
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, RejoinRequest, parse
from torhaus.codecs.lorawan.region import region
from torhaus.daemon.simulate.device import EndDevice
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.model import SECOND_US, Habits, Transmission

EU868 = region("EU868")


class Scene:
    """A device, the time, and what a server says: `answer` takes a frame and gives a downlink and its window."""

    def __init__(self, version: str = "1.0.3", name: str = "EU868", **habits: object) -> None:
        one = identities(1, (version,), 7)[0]
        given = {"period_s": 100.0, "is_limited": False} | habits
        self.it = EndDevice(one, region(name), 3, Habits(**given))  # type: ignore[arg-type]
        self.sent: list[Transmission] = []
        self.now_us = 0
        self.fcnt = 0
        self.server: SessionKeys
        self.answer: Callable[[Transmission], bytes | None] = lambda _: None
        self.window = 0

    def step(self) -> Transmission | None:
        """The next thing that the device does."""
        self.now_us = self.it.due_us
        sent = self.it.act(self.now_us)
        if sent is None:
            return None
        self.sent.append(sent)
        phy = self.answer(sent)
        if phy is not None:
            window = self.it.windows[self.window]
            assert self.it.hear(window.at_us, phy, window.freq_hz, window.datarate, 5.0)
        return sent

    def next(self) -> Transmission:
        """The next frame."""
        for _ in range(50):
            if (sent := self.step()) is not None:
                return sent
        raise AssertionError("it is silent")

    def join(self) -> None:
        """The server takes it in."""

        def answer(sent: Transmission) -> bytes:
            asked = parse(sent.phy)
            assert isinstance(asked, JoinRequest)
            self.server = session(self.it.member.identity, asked.dev_nonce)
            return accept(self.it.member.identity, asked.dev_nonce)

        self.answer = answer
        self.next()
        self.answer = lambda _: None
        assert self.it.is_joined

    def down(self, fport: int | None = None, payload: bytes = b"", **more: object) -> bytes:
        self.fcnt += 1
        return build_downlink(self.server, ADDR, self.fcnt - 1, fport, payload, **more)  # type: ignore[arg-type]


def fcnt_of(sent: Transmission) -> int:
    frame = parse(sent.phy)
    assert isinstance(frame, DataFrame)
    return frame.fcnt16


def test_a_join_has_its_windows_five_and_six_seconds_after_it() -> None:
    scene = Scene()
    sent = scene.next()
    first, second = scene.it.windows
    assert (first.at_us - sent.end_us, second.at_us - sent.end_us) == (5 * SECOND_US, 6 * SECOND_US)
    assert (first.freq_hz, first.datarate) == (sent.freq_hz, "SF7BW125")
    assert (second.freq_hz, second.datarate) == (869_525_000, "SF12BW125")
    phy = accept(scene.it.member.identity, scene.it.member.dev_nonce)
    it = scene.it
    for at_us, hz, rate in (
        (first.at_us + 21, first.freq_hz, first.datarate),
        (first.at_us, first.freq_hz + 200_000, first.datarate),
        (first.at_us, first.freq_hz, "SF8BW125"),
        (sent.end_us + SECOND_US, first.freq_hz, first.datarate),
    ):
        assert not it.hear(at_us, phy, hz, rate)
    assert not it.hear(first.at_us, phy[:-1] + b"x", first.freq_hz, first.datarate)
    assert it.hear(second.at_us + 20, phy, second.freq_hz, second.datarate)
    assert (it.counts["rx2"], it.counts["joined"], it.counts["foreign"]) == (1, 1, 1)


def test_without_an_answer_it_asks_slower_and_keeps_to_the_back_off() -> None:
    scene = Scene(is_limited=True)
    for _ in range(400):
        scene.step()
    assert [s.dr for s in scene.sent[:14]] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0, 5, 5]
    hour = 3600 * SECOND_US
    spent = sum(s.end_us - s.start_us for s in scene.sent if s.start_us < hour)
    assert 20 * SECOND_US < spent <= 36 * SECOND_US
    assert sum(s.end_us - s.start_us for s in scene.sent if hour <= s.start_us < 11 * hour) <= 36 * SECOND_US
    assert {s.freq_hz for s in scene.sent} == {868_100_000, 868_300_000, 868_500_000}


def test_a_region_with_fixed_channels() -> None:
    scene = Scene(name="US915")
    rates = {scene.next().dr for _ in range(8)}
    assert len(rates) > 1
    scene.join()
    sent = scene.next()
    assert 902_300_000 <= sent.freq_hz <= 914_900_000
    assert 923_300_000 <= scene.it.windows[0].freq_hz <= 927_500_000


def test_uplinks_come_at_their_period_and_rise() -> None:
    scene = Scene()
    scene.join()
    sent = [scene.next() for _ in range(8)]
    assert [fcnt_of(s) for s in sent] == list(range(8))
    gaps = [(b.start_us - a.start_us) / SECOND_US for a, b in pairwise(sent)]
    assert all(90 <= gap <= 110.1 for gap in gaps)


def test_the_duty_cycle_is_kept() -> None:
    scene = Scene(is_limited=True, period_s=0.5)
    scene.join()
    scene.sent.clear()
    for _ in range(300):
        scene.step()
    hours = scene.sent[-1].end_us - scene.sent[0].start_us
    assert sum(s.end_us - s.start_us for s in scene.sent) <= 0.0105 * hours


def test_a_confirmed_uplink_is_repeated_until_it_is_acknowledged() -> None:
    scene = Scene(confirmed_every=1)
    scene.join()
    first = scene.next()
    again = scene.next()
    assert again.phy == first.phy
    assert 1 <= (again.start_us - first.end_us) / SECOND_US - 2.05 <= 3.01
    scene.answer = lambda _: scene.down()  # an answer, but no acknowledgement
    assert scene.next().phy == first.phy
    scene.answer = lambda _: scene.down(ack=True)
    assert scene.next().phy == first.phy
    assert scene.it.counts["acked"] == 1
    scene.answer = lambda _: None
    new = scene.next()
    assert fcnt_of(new) == 1
    tries = [scene.next() for _ in range(8)]
    assert [fcnt_of(s) for s in tries] == [1] * 7 + [2]
    assert [s.dr for s in (new, *tries[:7])] == [4, 4, 3, 3, 2, 2, 1, 1]  # slower after every second
    assert scene.it.counts["unacked"] == 1


@pytest.mark.parametrize("version", ["1.0.4", "1.1"])
def test_newer_devices_repeat_as_often_as_the_network_wants(version: str) -> None:
    scene = Scene(version, confirmed_every=1)
    scene.join()
    many = encode("LinkADRReq", data_rate=4, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=3)
    scene.answer = lambda _: scene.down(ack=True, fopts=many)
    scene.next()
    scene.answer = lambda _: None
    assert [fcnt_of(scene.next()) for _ in range(4)] == [1, 1, 1, 2]
    scene.it.habits = Habits(is_limited=False)
    scene.answer = lambda _: scene.down()
    assert [fcnt_of(scene.next()) for _ in range(5)] == [2, 2, 3, 4, 5]  # an answer ends an unconfirmed one


def test_it_asks_for_a_sign_of_life_and_then_gets_slower() -> None:
    scene = Scene()
    scene.join()
    sent = [scene.next() for _ in range(64 + 32 * 6 + 2)]
    asks = [n for n, s in enumerate(sent) if parse(s.phy).adr_ack_req]  # type: ignore[union-attr]
    assert asks == list(range(64, len(sent)))
    assert [n for n in range(1, len(sent)) if sent[n].dr < sent[n - 1].dr] == [96, 128, 160, 192, 224]
    scene.answer = lambda _: scene.down()
    scene.next()
    assert not parse(scene.next().phy).adr_ack_req  # type: ignore[union-attr]


def test_what_the_network_sets_is_used() -> None:
    scene = Scene()
    scene.join()
    setup = encode("RXParamSetupReq", rx2_data_rate=3, rx1_dr_offset=2, freq_hz=868_500_000)
    scene.answer = lambda _: scene.down(0, setup + encode("RXTimingSetupReq", delay_s=4))
    scene.next()
    scene.answer = lambda _: None
    sent = scene.next()
    assert parse(sent.phy).fopts == bytes.fromhex("050708")  # type: ignore[union-attr]
    first, second = scene.it.windows
    assert (first.at_us - sent.end_us, first.datarate) == (4 * SECOND_US, "SF9BW125")
    assert (second.freq_hz, second.datarate) == (868_500_000, "SF9BW125")


def test_pending_data_is_fetched_and_confirmed_data_acknowledged() -> None:
    scene = Scene()
    scene.join()
    scene.answer = lambda _: scene.down(5, b"x", confirmed=True, f_pending=True)
    first = scene.next()
    scene.answer = lambda _: None
    second = scene.next()
    assert second.start_us - first.start_us < 10 * SECOND_US
    assert parse(second.phy).ack  # type: ignore[union-attr]


def test_class_c_hears_at_any_time() -> None:
    for is_c in (True, False):
        scene = Scene(class_c=is_c)
        scene.join()
        scene.next()
        scene.step()
        at_us = scene.it.busy_until_us + 10 * SECOND_US
        phy = scene.down(5, b"x", confirmed=True)
        assert not scene.it.hear(at_us, phy, 868_100_000, "SF12BW125")
        assert scene.it.hear(at_us, phy, 869_525_000, "SF12BW125") == is_c
        assert not scene.it.hear(at_us, scene.down(5, b"y")[:-1] + b"x", 869_525_000, "SF12BW125")
        if is_c:
            assert scene.next().start_us < at_us + 10 * SECOND_US


def test_a_rejoin_that_the_network_wants() -> None:
    scene = Scene("1.1")
    scene.join()
    scene.answer = lambda _: scene.down(
        fopts=encode("ForceRejoinReq", data_rate=2, rejoin_type=0, max_retries=0, period=0)
    )
    scene.next()
    scene.answer = lambda sent: accept(scene.it.member.identity, parse(sent.phy).rj_count, 2, kind=0)  # type: ignore[union-attr]
    sent = scene.next()
    assert isinstance(parse(sent.phy), RejoinRequest)
    assert sent.dr == 2
    assert (scene.it.counts["joined"], scene.it.member.join_nonce) == (2, 2)


def test_a_power_cut_ends_the_session_and_not_the_nonces() -> None:
    scene = Scene("1.0.4")
    scene.join()
    before = scene.it.member.dev_nonce
    scene.it.reset(scene.now_us + 5 * SECOND_US)
    assert not scene.it.is_joined
    asked = parse(scene.next().phy)
    assert isinstance(asked, JoinRequest)
    assert asked.dev_nonce == before + 1


def test_what_does_not_fit_a_data_rate_is_not_sent() -> None:
    scene = Scene(name="US915")
    scene.join()
    scene.it.settings.dr = 0  # 11 bytes
    scene.it.settings.rx1_delay_s = 1
    sent = scene.next()
    assert parse(sent.phy).fport is None  # type: ignore[union-attr]
    assert scene.it.counts["too_long"] == 1
