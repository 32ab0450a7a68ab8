"""Join-requests that were heard lately."""

from tests.daemon.clocks import FakeClock
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem
from torhaus.codecs.model import Frame, Radio, Reception
from torhaus.daemon.lora.requests import ANSWER_S, MAX_RECEPTIONS, MAX_REQUESTS, Requests

A = "aa555a0000000101"


def frame(clock: FakeClock, tmst_us: int) -> Frame:
    rx = [Reception(A, tmst_us=tmst_us)]
    return Frame("roof", b"x", clock.stamp(), Radio(868_100_000, "LORA", "SF7BW125", rx=rx))


def down(tmst_us: int | None) -> Downlink:
    at = Immediately() if tmst_us is None else After(5_000_000, tmst_us.to_bytes(4, "big"))
    return Downlink(A, (TxItem(b"x", 868_100_000, "LORA", "SF7BW125", at),))


def test_by_the_reception_it_is_timed_by() -> None:
    clock = FakeClock()
    it = Requests(clock)
    for n in (1, 2):
        it.remember(frame(clock, n), f"eui{n}", 7, n)
    found, is_sure = it.asked(down(2))
    assert ([r.dev_eui for r in found], is_sure) == (["eui2"], True)
    found, is_sure = it.asked(down(None))
    assert ([r.dev_eui for r in found], is_sure) == (["eui2", "eui1"], False)
    clock.advance(ANSWER_S + 1)
    assert it.asked(down(2)) == ([], False)


def test_bounded() -> None:
    clock = FakeClock()
    it = Requests(clock)
    for n in range(MAX_REQUESTS + 5):
        it.remember(frame(clock, n), "eui", 7, n)
    for n in range(MAX_RECEPTIONS + 5):
        it.remember(frame(clock, n), "eui", 7, 9999)
    found, _ = it.asked(down(None))
    assert len(found) == MAX_REQUESTS
    assert len(found[0].heard) == MAX_RECEPTIONS
