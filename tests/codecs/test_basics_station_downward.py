"""Downlinks in the words of a station, as the documentation's examples have them, for all three classes of devices."""

import json
from typing import Any

import pytest

from tests.codecs.station_messages import GOLDEN, said
from torhaus.codecs.framing.basics_station import upward
from torhaus.codecs.framing.basics_station.downward import NOBODY, Attempt, attempts, dnmsg, timesync, which
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, Timing, TxItem, TxStatus
from torhaus.codecs.lorawan.region import downlink_dr_index, region

EU868 = region("EU868")
XTIME = 19_422_017_551_421_418
CONTEXT = (0).to_bytes(8, "big") + XTIME.to_bytes(8, "big")
PHY = bytes.fromhex("60010203040001000105aabbccdd")
SECOND = 1_000_000


def item(at: Timing, freq_hz: int = 868_100_000, datarate: str = "SF7BW125", **more: Any) -> TxItem:
    given: dict[str, Any] = {"data": PHY, "freq_hz": freq_hz, "modulation": "LORA", "datarate": datarate, "at": at}
    return TxItem(**(given | more))


def rx1(delay_us: int = SECOND, **more: Any) -> TxItem:
    return item(After(delay_us, CONTEXT), **more)


def rx2(delay_us: int = 2 * SECOND, **more: Any) -> TxItem:
    given: dict[str, Any] = {"freq_hz": 869_525_000, "datarate": "SF12BW125"}
    return item(After(delay_us, CONTEXT), **(given | more))


def down(*items: TxItem, **more: Any) -> Downlink:
    return Downlink("aa555a0000000101", items, **more)


def messages(downlink: Downlink) -> list[dict[str, Any]]:
    found = []
    for n, attempt in enumerate(attempts(downlink, EU868)):
        assert attempt.refusal is None
        assert attempt.message is not None
        found.append(json.loads(dnmsg(attempt.message, n + 1)))
    return found


def test_class_a_names_both_windows() -> None:
    (found,) = messages(down(rx1(), rx2(), dev_eui="a81758fffe0312ab", priority=3))
    assert found == {
        "msgtype": "dnmsg",
        "DevEui": "A8-17-58-FF-FE-03-12-AB",
        "dC": 0,
        "diid": 1,
        "pdu": PHY.hex(),
        "priority": 3,
        "RxDelay": 1,
        "xtime": XTIME,
        "rctx": 0,
        "RX1Freq": 868_100_000,
        "RX1DR": 5,
        "RX2Freq": 869_525_000,
        "RX2DR": 0,
    }


def test_a_join_accept_has_its_own_delay() -> None:
    (found,) = messages(down(rx1(5 * SECOND), rx2(6 * SECOND)))
    assert (found["RxDelay"], found["xtime"]) == (5, XTIME)


def test_one_window_alone_is_a_first_window_at_its_own_time() -> None:
    (found,) = messages(down(rx2()))
    assert (found["RxDelay"], found["RX1Freq"], found["RX1DR"]) == (2, 869_525_000, 0)
    assert "RX2Freq" not in found


@pytest.mark.parametrize(
    ("delay_us", "rx_delay", "shift"),
    [(1_500_000, 1, 500_000), (15 * SECOND, 15, 0), (16 * SECOND, 1, 15 * SECOND), (600 * SECOND, 1, 599 * SECOND)],
)
def test_a_delay_that_is_no_rxdelay_shifts_the_uplink(delay_us: int, rx_delay: int, shift: int) -> None:
    (found,) = messages(down(rx1(delay_us)))
    assert (found["RxDelay"], found["xtime"]) == (rx_delay, XTIME + shift)
    assert found["xtime"] + found["RxDelay"] * SECOND == XTIME + delay_us


def test_class_c_says_no_time() -> None:
    (found,) = messages(down(item(Immediately(), 869_525_000, "SF9BW125", antenna=1)))
    assert found == {
        "msgtype": "dnmsg",
        "DevEui": NOBODY,
        "dC": 2,
        "diid": 1,
        "pdu": PHY.hex(),
        "priority": 0,
        "RxDelay": 1,
        "RX2Freq": 869_525_000,
        "RX2DR": 3,
        "rctx": 1,
    }


def test_class_b_says_the_time_of_the_ping_slot() -> None:
    (found,) = messages(down(item(AtGpsTime(1_435_000_000_960_000), 869_525_000, "SF9BW125")))
    assert found == {
        "msgtype": "dnmsg",
        "DevEui": NOBODY,
        "dC": 1,
        "diid": 1,
        "pdu": PHY.hex(),
        "priority": 0,
        "DR": 3,
        "Freq": 869_525_000,
        "gpstime": 1_435_000_000_960_000,
        "rctx": 0,
    }


def test_fsk_preamble_and_crc() -> None:
    fsk: dict[str, Any] = {"freq_hz": 868_800_000, "modulation": "FSK", "datarate": "50000", "preamble": 5, "crc": True}
    (found,) = messages(down(rx1(**fsk)))
    assert (found["RX1DR"], found["preamble"], found["addcrc"]) == (7, 5, 1)


@pytest.mark.parametrize(
    "second",
    [
        rx2(3 * SECOND),  # not one second after the first
        rx2(data=PHY + b"\0"),
        item(After(2 * SECOND, CONTEXT[:-1] + b"\0")),  # another uplink
        item(Immediately()),
        rx2(preamble=10),
        rx2(crc=True),
    ],
)
def test_what_are_not_two_windows_are_two_messages(second: TxItem) -> None:
    assert len(messages(down(rx1(), second))) == 2


def test_three_items() -> None:
    found = attempts(down(rx1(), rx2(), item(Immediately())), EU868)
    assert [a.items for a in found] == [(0, 1), (2,)]


@pytest.mark.parametrize("dev_eui", [None, "", "0" * 16, "a817", "x" * 16, "a81758fffe0312ab0"])
def test_the_deveui_is_never_all_zero(dev_eui: str | None) -> None:
    """Else the station would not say that it has sent (lorabasics/basicstation issue 71)."""
    (found,) = messages(down(rx1(), dev_eui=dev_eui))
    assert found["DevEui"] == NOBODY


@pytest.mark.parametrize(("priority", "said_as"), [(-1, 0), (0, 0), (255, 255), (1000, 255)])
def test_priorities_are_those_of_stations(priority: int, said_as: int) -> None:
    assert messages(down(rx1(), priority=priority))[0]["priority"] == said_as


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (rx1(freq_hz=862_999_999), TxStatus.TX_FREQ),
        (rx1(freq_hz=923_300_000), TxStatus.TX_FREQ),
        (rx1(datarate="SF7BW500"), TxStatus.INTERNAL_ERROR),
        (rx1(modulation="LR-FHSS", datarate="M0CW137"), TxStatus.INTERNAL_ERROR),
        (rx1(invert_polarization=False), TxStatus.INTERNAL_ERROR),
        (rx1(data=b""), TxStatus.INTERNAL_ERROR),
        (rx1(data=bytes(256)), TxStatus.INTERNAL_ERROR),
        (rx1(preamble=-1), TxStatus.INTERNAL_ERROR),
        (item(Immediately(), antenna=-1), TxStatus.INTERNAL_ERROR),
        (item(Immediately(), antenna=1 << 70), TxStatus.INTERNAL_ERROR),
        (rx1(0), TxStatus.TOO_LATE),
        (rx1(-5), TxStatus.TOO_LATE),
        (rx1(601 * SECOND), TxStatus.TOO_EARLY),
        (item(After(SECOND, b"\1\2\3\4")), TxStatus.INTERNAL_ERROR),  # a packet forwarder's
        (item(AtGpsTime(-1)), TxStatus.TOO_EARLY),
        (item(AtGpsTime(1 << 64)), TxStatus.TOO_EARLY),
    ],
)
def test_what_a_station_cannot_send(one: TxItem, status: TxStatus) -> None:
    (found,) = attempts(down(one), EU868)
    assert found.message is None
    assert found.refusal is not None
    assert found.refusal.status is status
    assert found.refusal.detail


def test_a_thousand_answers_to_uplinks_are_timed_by_them() -> None:
    """An answer to an uplink goes back on its channel, its xtime and its antenna untouched, whatever they are."""
    for n in range(1000):
        xtime, rctx, dr = (n % 128 << 56) + (1 + n % 255 << 48) + n * 7_777_777, n % 5, n % 6
        info = {"xtime": xtime, "rctx": rctx, "rssi": -80, "snr": 5}
        heard = upward.parse(json.dumps(said(GOLDEN[3][1], DR=dr, upinfo=info)).encode())
        assert isinstance(heard, upward.Heard)
        _, radio = upward.frame(heard, EU868, "aa555a0000000101")
        context = radio.rx[0].context
        assert context is not None
        delay_s = 1 + n % 15
        first = item(After(delay_s * SECOND, context), radio.freq_hz, radio.datarate)
        second = item(After((delay_s + 1) * SECOND, context), 869_525_000, "SF12BW125")
        (found,) = messages(down(first, second))
        assert (found["xtime"], found["rctx"], found["RxDelay"]) == (xtime, rctx, delay_s)
        assert (found["RX1DR"], found["RX1Freq"]) == (dr, radio.freq_hz)


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        (upward.Sent(diid=1, DR=5, Freq=868_100_000), 0),
        (upward.Sent(diid=1, DR=0, Freq=869_525_000), 1),
        (upward.Sent(diid=1), 0),  # an old station does not say
        (upward.Sent(diid=1, xtime=XTIME + 1_001_000), 0),
        (upward.Sent(diid=1, xtime=XTIME + 1_990_000), 1),
    ],
)
def test_which_window_was_used(sent: upward.Sent, place: int) -> None:
    (attempt,) = attempts(down(rx1(), rx2()), EU868)
    assert which(attempt, sent) == place


def test_windows_that_are_alike_are_told_apart_by_time() -> None:
    (attempt,) = attempts(down(rx1(), rx2(freq_hz=868_100_000, datarate="SF7BW125")), EU868)
    alike = {"DR": 5, "Freq": 868_100_000}
    assert [which(attempt, upward.Sent(xtime=XTIME + n * SECOND, **alike)) for n in (1, 2)] == [0, 1]
    assert which(Attempt((4,)), upward.Sent()) == 0


def test_us915_answers_with_rates_for_gateways() -> None:
    us915 = region("US915")
    assert downlink_dr_index(us915, "LORA", "SF8BW500") == 12
    (found,) = attempts(down(rx1(freq_hz=923_300_000, datarate="SF8BW500")), us915)
    assert found.rates == ((923_300_000, 12),)


def test_the_time() -> None:
    want = {"msgtype": "timesync", "txtime": 5, "gpstime": 1_435_000_000_000_001, "MuxTime": 1_750_964_782.5}
    assert json.loads(timesync(5, 1_435_000_000_000_001, 1_750_964_782.5)) == want
    (attempt,) = attempts(down(rx1()), EU868)
    assert attempt.message is not None
    assert json.loads(dnmsg(attempt.message, 2, 1.5))["MuxTime"] == 1.5
