"""One frame down: gateways in their order, windows that are left out."""

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
from torhaus.daemon.lora.plan import Receive
from torhaus.daemon.lora.rounds import Round
from torhaus.daemon.lora.transmit import Sent, Transmit, Way

RX1, RX2 = 868_100_000, 869_525_000
RECEIVE = Receive(RX2, 0)


class Scene:
    def __init__(self) -> None:
        self.clock, self.radio = FakeClock(), Radio()
        self.duty = DutyCycle("EU868", self.clock.boot_ns)
        self.downlinks = Downlinks({GATEWAY: "roof", OTHER: "roof"}.get, duty=self.duty)
        self.downlinks.add("roof", self.radio)
        self.transmit = Transmit(region("EU868"), Network([], "EU868"), self.downlinks)
        rx = [Reception(GATEWAY, snr_db=9, tmst_us=1), Reception(OTHER, snr_db=1, tmst_us=2)]
        heard = Heard(RX1, "LORA", "SF7BW125", "4/5", rx)
        self.round = Round(Frame("roof", b"", self.clock.stamp(), heard), rx)

    def send(self, size: int = 20, *, airtime: bool = False) -> tuple[TxStatus, str | None]:
        sent = asyncio.run(self.transmit.send(self.round, bytes(size), RECEIVE, None, airtime=airtime))
        return sent.status, sent.gateway

    def fill(self, gateway: str, hz: int) -> None:
        band = next(b for b in EU868 if b.low_hz <= hz <= b.high_hz)
        self.duty._hour(gateway, band).add(band.allowed_us, self.clock.boot_ns())

    def windows(self) -> list[tuple[str, int]]:
        return [(d.gateway, i.freq_hz) for d in self.radio.sent for i in d.items]


def test_by_the_gateway_that_heard_it_best_then_by_the_next() -> None:
    scene = Scene()
    assert scene.send() == (TxStatus.OK, GATEWAY)
    scene.radio.refuses = [TxStatus.TX_FREQ] * 2
    assert scene.send() == (TxStatus.OK, OTHER)
    scene.radio.refuses = [TxStatus.NO_ANSWER, TxStatus.IGNORED]
    assert scene.send() == (TxStatus.NO_ANSWER, GATEWAY), "the device may have it"
    scene.radio.refuses = [TxStatus.TX_FREQ] * 3 + [TxStatus.TOO_LATE]
    assert scene.send() == (TxStatus.TOO_LATE, OTHER)


@pytest.mark.parametrize(("size", "found"), [(64, [RX1, RX2]), (65, [RX1]), (255, [RX1])])
def test_windows_for_which_a_frame_is_too_long_are_left_out(size: int, found: list[int]) -> None:
    scene = Scene()
    scene.send(size)
    assert [hz for _, hz in scene.windows()] == found


def test_by_a_gateway_that_has_airtime() -> None:
    scene = Scene()
    scene.fill(GATEWAY, RX1)
    assert scene.transmit.has_airtime(scene.round, 20, RECEIVE)
    scene.send(airtime=True)
    scene.fill(GATEWAY, RX2)
    scene.send(airtime=True)
    assert scene.windows() == [(GATEWAY, RX2), (OTHER, RX1), (OTHER, RX2)]
    for hz in (RX1, RX2):
        scene.fill(OTHER, hz)
    assert not scene.transmit.has_airtime(scene.round, 20, RECEIVE)
    assert scene.send(airtime=True) == (TxStatus.NO_GATEWAY, None)
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
