"""When and through which gateway a device can be answered."""

import pytest

from torhaus.codecs.lorawan.downlink import After, TxItem
from torhaus.codecs.lorawan.region import region
from torhaus.codecs.model import Reception
from torhaus.daemon.lora.windows import best_first, windows

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
    assert windows(region("EU868"), b"x", rx, 868_300_000, 5, 5) == (
        TxItem(b"x", 868_300_000, "LORA", "SF7BW125", After(5_000_000, context)),
        TxItem(b"x", 869_525_000, "LORA", "SF12BW125", After(6_000_000, context)),
    )


@pytest.mark.parametrize(
    ("name", "freq_hz", "dr", "first"),
    [
        ("EU868", 868_800_000, 7, ("FSK", "50000", 868_800_000)),
        ("US915", 902_300_000, 0, ("LORA", "SF10BW500", 923_300_000)),
    ],
)
def test_first_windows_elsewhere(name: str, freq_hz: int, dr: int, first: tuple[str, str, int]) -> None:
    item = windows(region(name), b"x", Reception(A, tmst_us=1), freq_hz, dr, 1)[0]
    assert (item.modulation, item.datarate, item.freq_hz) == first


@pytest.mark.parametrize(("freq_hz", "dr"), [(868_100_000, None), (868_100_000, 14)])
def test_the_second_window_alone(freq_hz: int, dr: int | None) -> None:
    (item,) = windows(region("EU868"), b"x", Reception(A, tmst_us=1), freq_hz, dr, 1)
    assert (item.freq_hz, item.at) == (869_525_000, After(2_000_000, b"\0\0\0\1"))
