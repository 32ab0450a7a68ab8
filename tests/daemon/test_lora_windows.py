"""When and through which gateway a device can be answered."""

import pytest

from torhaus.codecs.lorawan.downlink import After, Immediately, TxItem
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.plan import Receive
from torhaus.daemon.lora.windows import Window, always_open, best_first, windows

EU868 = region("EU868")
A, B, C = "aa555a0000000101", "aa555a0000000102", "aa555a0000000103"


def test_the_gateway_that_heard_it_best() -> None:
    heard = [
        Reception(A, -90, -3, tmst_us=1),
        Reception(B, -100, 7, tmst_us=2),
        Reception(B, -99, 7, tmst_us=3, antenna=1),
        Reception(C, -40, 9),  # nothing to time an answer by
        Reception("aa555a0000000104", -40, tmst_us=4),
    ]
    assert [(r.gateway, r.tmst_us) for r in best_first(heard)] == [(B, 3), (A, 1), ("aa555a0000000104", 4)]
    assert best_first([]) == []


def test_both_windows_of_eu868() -> None:
    rx = Reception(A, tmst_us=1000)
    context = (1000).to_bytes(4, "big")
    both = windows(EU868, rx, 868_300_000, 5, Receive(869_525_000, 0, 5))
    assert [w.room_bytes for w in both] == [242, 51]
    assert tuple(w.item(b"x") for w in both) == (
        TxItem(b"x", 868_300_000, "LORA", "SF7BW125", After(5_000_000, context)),
        TxItem(b"x", 869_525_000, "LORA", "SF12BW125", After(6_000_000, context)),
    )


def first_of(found: tuple[Window, ...]) -> TxItem:
    return found[0].item(b"x")


def test_windows_that_the_network_has_set() -> None:
    """RX1DROffset, RX2, delay and dwell time: RP002-1.0.4, RX1 and maximum payload tables of EU868 and AS923."""
    at = Receive(869_100_000, 3, 5, 2)
    first, second = windows(EU868, Reception(A, tmst_us=1), 868_100_000, 5, at)
    assert (first.item(b"").datarate, first.room_bytes) == ("SF9BW125", 115)
    assert (second.freq_hz, second.rate.datarate, second.at) == (869_100_000, "SF9BW125", After(6_000_000, b"\0\0\0\1"))
    limited = windows(region("AS923"), Reception(A, tmst_us=1), 923_200_000, 2, Receive(923_200_000, 2, dwell=True))
    assert [w.room_bytes for w in limited] == [11, 11]


def test_class_c_listens_to_rx2() -> None:
    item = always_open(EU868, Receive(869_525_000, 3)).item(b"x")
    assert item == TxItem(b"x", 869_525_000, "LORA", "SF9BW125", Immediately())


@pytest.mark.parametrize(
    ("name", "freq_hz", "dr", "first"),
    [
        ("EU868", 868_800_000, 7, ("FSK", "50000", 868_800_000)),
        ("US915", 902_300_000, 0, ("LORA", "SF10BW500", 923_300_000)),
    ],
)
def test_first_windows_elsewhere(name: str, freq_hz: int, dr: int, first: tuple[str, str, int]) -> None:
    it = region(name)
    item = first_of(windows(it, Reception(A, tmst_us=1), freq_hz, dr, Receive(it.rx2_hz, it.rx2_dr)))
    assert (item.modulation, item.datarate, item.freq_hz) == first


@pytest.mark.parametrize(("freq_hz", "dr"), [(868_100_000, None), (868_100_000, 14)])
def test_the_second_window_alone(freq_hz: int, dr: int | None) -> None:
    (only,) = windows(EU868, Reception(A, tmst_us=1), freq_hz, dr, Receive(869_525_000, 0))
    item = only.item(b"x")
    assert (item.freq_hz, item.at) == (869_525_000, After(2_000_000, b"\0\0\0\1"))
