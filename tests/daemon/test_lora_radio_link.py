"""How a device is heard."""

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.lora.adr import WINDOW
from torhaus.daemon.lora.mac_requests import Outcome
from torhaus.daemon.lora.radio_link import MAX_ASKED, RadioLink

A, B = "aa555a0000000101", "aa555a0000000102"


def frame(clock: FakeClock, *rx: Reception, datarate: str = "SF9BW125") -> Frame:
    return Frame("roof", b"x", clock.stamp(), Radio(868_100_000, "LORA", datarate, rx=[*rx]))


def test_figures() -> None:
    clock, link = FakeClock(), RadioLink(1)
    assert (link.interval_ns(), link.margin_db(), link.loss()) == (None, None, 0)
    for n in (5, 6, 8):
        assert not link.note(n, frame(clock, Reception(A, snr_db=float(n), tmst_us=1)), 3)
        clock.advance(600)
    assert link.interval_ns() == 600 * 10**9
    assert (link.margin_db(), link.loss(), link.fcnt) == (20.5, 0.25, 8)
    link.copy(8, [Reception(B, snr_db=9.5, tmst_us=1)])
    link.copy(7, [Reception(B, snr_db=99.0, tmst_us=1)])
    link.copy(8, [Reception(B)])
    assert link.margin_db() == 22
    assert link.gateways == [B, A]
    link.copy(8, [Reception("aa555a0000000103", snr_db=-9.0, tmst_us=1)])
    assert link.gateways == [B, A, "aa555a0000000103"]


def test_another_data_rate_begins_anew() -> None:
    clock, link = FakeClock(), RadioLink(1)
    for n in range(WINDOW + 5):
        link.note(n, frame(clock, Reception(A, snr_db=1.0)), 3)
    assert len(link.heard) == WINDOW
    assert link.note(99, frame(clock, Reception(A), datarate="SF12BW125"), 0)
    assert len(link.heard) == 1
    assert link.margin_db() is None
    link.copy(99, [Reception(A, snr_db=-3.0)])
    assert link.margin_db() == 17


def test_asked_ever_less_often() -> None:
    clock, link = FakeClock(), RadioLink(1)
    asked = 0
    for n in range(1000):
        link.note(n, frame(clock, Reception(A)), 3)
        if link.due([b"\x06"]):
            asked += 1
            link.told([Outcome("DevStatusReq", "06", "unanswered")])
    assert asked == MAX_ASKED
    link.told([Outcome("DevStatusReq", "06", "accepted")])
    assert link.due([b"\x06"]) == [b"\x06"]


def test_what_was_adapted_begins_anew() -> None:
    clock, link = FakeClock(), RadioLink(1)
    link.note(1, frame(clock, Reception(A, snr_db=1.0)), 3)
    link.told([Outcome("LinkADRReq", "03", "accepted")])
    assert not link.heard
