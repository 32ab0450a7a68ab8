"""One frame down: gateways and windows in their order, those that are left out, those that are busy."""

import asyncio

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.join_scene import GATEWAY
from tests.daemon.standalone_scene import OTHER, Radio
from torhaus.codecs.lorawan.downlink import TxStatus
from torhaus.codecs.lorawan.duty_cycle import EU868
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Frame, Reception
from torhaus.codecs.model import Radio as Heard
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.lora.duty_cycle import DutyCycle
from torhaus.daemon.lora.network import Network
from torhaus.daemon.lora.on_air import OnAir
from torhaus.daemon.lora.plan import Receive
from torhaus.daemon.lora.rounds import Round
from torhaus.daemon.lora.transmit import Sent, Transmit, Way

RX1, RX2 = 868_100_000, 869_525_000
RECEIVE = Receive(RX2, 0)


class Scene:
    """By how many dB SNR each gateway heard a frame at SF7, which needs -7.5."""

    def __init__(self, snr_db: float = 1.0, *, tells: bool = True) -> None:
        self.clock, self.radio = FakeClock(), Radio()
        self.duty = DutyCycle("EU868", self.clock.boot_ns)
        on_air = OnAir(self.clock.boot_ns)
        self.downlinks = Downlinks({GATEWAY: "roof", OTHER: "yard"}.get, duty=self.duty, on_air=on_air)
        self.radio.tells_refusals = tells
        self.downlinks.add("roof", self.radio)
        self.downlinks.add("yard", self.radio)
        self.transmit = Transmit(region("EU868"), Network([], "EU868"), self.downlinks)
        rx = [Reception(GATEWAY, snr_db=9, tmst_us=1), Reception(OTHER, snr_db=snr_db, tmst_us=2)]
        heard = Heard(RX1, "LORA", "SF7BW125", "4/5", rx)
        self.round = Round(Frame("roof", b"", self.clock.stamp(), heard), rx)

    def send(self, size: int = 20, *, airtime: bool = False) -> tuple[TxStatus, str | None]:
        sent = asyncio.run(self.transmit.send(self.round, bytes(size), RECEIVE, None, airtime=airtime))
        return sent.status, sent.gateway

    def fill(self, gateway: str, hz: int) -> None:
        band = next(b for b in EU868 if b.low_hz <= hz <= b.high_hz)
        self.duty._hour(gateway, band).add(band.allowed_us, self.clock.boot_ns())

    def later(self, seconds: float) -> None:
        """The next question, so long after the one before."""
        self.clock.advance(seconds)
        for rx in self.round.receptions:
            rx.tmst_us = (rx.tmst_us or 0) + round(seconds * 1_000_000)

    def windows(self) -> list[tuple[str, int]]:
        return [(d.gateway, i.freq_hz) for d in self.radio.sent for i in d.items]

    def asked(self) -> list[tuple[str, int]]:
        found = [(d.gateway, i.freq_hz) for d in self.radio.asked for i in d.items]
        self.radio.asked.clear()
        return found


def test_rx1_by_the_best_and_by_the_next_then_rx2_by_each() -> None:
    scene = Scene()
    assert scene.send() == (TxStatus.OK, GATEWAY)
    scene.later(10)
    scene.radio.asked.clear()
    scene.radio.refuses = [TxStatus.TX_FREQ] * 3
    assert scene.send() == (TxStatus.OK, OTHER)
    assert scene.asked() == [(GATEWAY, RX1), (OTHER, RX1), (GATEWAY, RX2), (OTHER, RX2)]
    scene.later(10)
    scene.radio.refuses = [TxStatus.NO_ANSWER]
    assert scene.send() == (TxStatus.NO_ANSWER, GATEWAY), "the device may have it"
    scene.later(10)
    scene.radio.refuses = [TxStatus.TX_FREQ] * 3 + [TxStatus.TOO_LATE]
    assert scene.send() == (TxStatus.TOO_LATE, OTHER)


@pytest.mark.parametrize(
    ("snr_db", "found"),
    [
        (-4.5, [(GATEWAY, RX1), (OTHER, RX1), (GATEWAY, RX2), (OTHER, RX2)]),
        (-4.6, [(GATEWAY, RX1), (GATEWAY, RX2), (OTHER, RX2)]),
        (-17.1, [(GATEWAY, RX1), (GATEWAY, RX2)]),
    ],
)
def test_only_by_gateways_that_heard_the_device_well_enough(snr_db: float, found: list[tuple[str, int]]) -> None:
    scene = Scene(snr_db)
    scene.radio.refuses = [TxStatus.TX_FREQ] * 4
    scene.send()
    assert scene.asked() == found


def test_the_best_is_tried_however_badly_it_heard_the_device() -> None:
    scene = Scene()
    del scene.round.receptions[1]
    scene.round.receptions[0].snr_db = -22.0
    scene.radio.refuses = [TxStatus.TX_FREQ]
    assert scene.send() == (TxStatus.OK, GATEWAY)
    assert [[i.freq_hz for i in d.items] for d in scene.radio.asked] == [[RX1, RX2]], "one alone is told all at once"


def test_a_gateway_that_is_known_to_send_then_is_not_asked() -> None:
    scene = Scene()
    assert [scene.send()[1] for _ in range(5)] == [GATEWAY, OTHER, GATEWAY, OTHER, OTHER]
    assert scene.send() == (TxStatus.COLLISION_PACKET, OTHER)
    assert scene.asked() == [(GATEWAY, RX1), (OTHER, RX1), (GATEWAY, RX2), (OTHER, RX2)]
    scene.later(1)
    assert scene.send() == (TxStatus.COLLISION_PACKET, OTHER), "their RX2 is on the air"
    scene.later(3)
    assert scene.send() == (TxStatus.OK, GATEWAY)


def test_what_is_asked_at_the_same_time_is_asked_once() -> None:
    scene = Scene()

    async def go() -> list[str | None]:
        sending = (scene.transmit.send(scene.round, bytes(20), RECEIVE, None) for _ in range(2))
        return [sent.gateway for sent in await asyncio.gather(*sending)]

    scene.radio.takes_turns = 3
    assert asyncio.run(go()) == [GATEWAY, OTHER]
    assert scene.asked() == [(GATEWAY, RX1), (OTHER, RX1)]


def test_one_that_refused_is_asked_by_the_next() -> None:
    scene = Scene()
    scene.radio.refuses = [TxStatus.TX_POWER]
    assert scene.send() == (TxStatus.OK, OTHER)
    assert scene.send() == (TxStatus.OK, GATEWAY)


def test_a_gateway_that_does_not_say_what_it_refuses_gets_both_windows() -> None:
    scene = Scene(tells=False)
    assert [scene.send()[1] for _ in range(3)] == [GATEWAY, OTHER, GATEWAY]
    assert scene.asked() == [(GATEWAY, RX1), (GATEWAY, RX2), (OTHER, RX1), (OTHER, RX2), (GATEWAY, RX2)]


@pytest.mark.parametrize(("size", "found"), [(64, [RX1, RX1, RX2, RX2]), (65, [RX1, RX1]), (255, [RX1, RX1])])
def test_windows_for_which_a_frame_is_too_long_are_left_out(size: int, found: list[int]) -> None:
    scene = Scene()
    scene.radio.refuses = [TxStatus.TX_POWER] * 4
    scene.send(size)
    assert [hz for _, hz in scene.asked()] == found


def test_by_a_gateway_that_has_airtime() -> None:
    scene = Scene()
    scene.fill(GATEWAY, RX1)
    assert scene.transmit.has_airtime(scene.round, 20, RECEIVE)
    for gateway, hz in ((GATEWAY, RX2), (OTHER, RX1)):
        scene.send(airtime=True)
        scene.fill(gateway, hz)
        scene.later(10)
    scene.send(airtime=True)
    assert scene.windows() == [(OTHER, RX1), (OTHER, RX1), (OTHER, RX2)]
    scene.fill(OTHER, RX2)
    assert not scene.transmit.has_airtime(scene.round, 20, RECEIVE)
    assert scene.send(airtime=True) == (TxStatus.NO_GATEWAY, None)
    scene.later(10)
    assert scene.send() == (TxStatus.OK, GATEWAY), "limits are not enforced for what has to be said"


def test_nobody_who_heard_it_can_answer() -> None:
    scene = Scene()
    scene.round.receptions = [Reception(GATEWAY)]
    assert scene.send() == (TxStatus.NO_GATEWAY, None)


def sent(way: Way, *, airtime: bool) -> Sent:
    async def go() -> Sent:
        return await way.send(bytes(20), airtime)

    return asyncio.run(go())


def test_room_and_airtime_of_both_ways() -> None:
    scene = Scene()
    after = scene.transmit.answering(scene.round, RECEIVE, None)
    now = scene.transmit.at_once([GATEWAY, OTHER], RECEIVE, None)
    assert (after.room_bytes, now.room_bytes) == (242, 51)
    scene.fill(GATEWAY, RX2)
    assert sent(now, airtime=True).gateway == OTHER
    assert sent(now, airtime=False).gateway == GATEWAY
    scene.fill(OTHER, RX2)
    assert not now.has_airtime(20)
    assert after.has_airtime(20)
    assert sent(now, airtime=True).status is TxStatus.NO_GATEWAY
    scene.round.receptions = []
    assert scene.transmit.answering(scene.round, RECEIVE, None).room_bytes == 0
