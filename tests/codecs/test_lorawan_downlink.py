"""The words of the way down: statuses are wire names and metric labels, so they are frozen here."""

import pytest

from torhaus.codecs.lorawan.downlink import After, Downlink, TxItem, TxStatus, context_of, counter_us
from torhaus.codecs.model import Reception


def test_the_statuses_are_those_of_the_gateway_api_and_two_of_ours() -> None:
    assert [s.value for s in TxStatus] == [
        "OK", "IGNORED", "TOO_LATE", "TOO_EARLY", "COLLISION_PACKET", "COLLISION_BEACON", "TX_FREQ", "TX_POWER",
        "GPS_UNLOCKED", "QUEUE_FULL", "INTERNAL_ERROR", "DUTY_CYCLE_OVERFLOW", "NO_GATEWAY", "NO_ANSWER",
    ]  # fmt: skip


def test_an_item_is_a_lorawan_downlink_unless_it_says_otherwise() -> None:
    item = TxItem(b"\x60", 868_100_000, "LORA", "SF7BW125", After(1_000_000, b"\0\0\0\1"))
    assert item.invert_polarization
    assert not item.crc
    assert Downlink("aa555a0000000101", (item,)).priority == 0


@pytest.mark.parametrize(
    ("reception", "context"),
    [
        (Reception("aa555a0000000101", tmst_us=0x01020304), b"\1\2\3\4"),
        (Reception("aa555a0000000101", tmst_us=0xFFFF_FFFF), b"\xff\xff\xff\xff"),
        (Reception("aa555a0000000101", tmst_us=0), b"\0\0\0\0"),
        (Reception("aa555a0000000101", tmst_us=5, context=b"its own"), b"its own"),
        (Reception("aa555a0000000101"), b""),
    ],
)
def test_the_context_is_the_drivers_own_or_the_gateways_counter(reception: Reception, context: bytes) -> None:
    assert context_of(reception) == context


@pytest.mark.parametrize(
    ("context", "us"),
    [
        ("000f4240", 1_000_000),
        ("ffffffff", 0xFFFF_FFFF),
        ("000000000000000000510000000f4240", 1_000_000),
        ("", None),
        ("0f4240", None),
        ("0000000f4240", None),
    ],
)
def test_the_counter_of_a_context(context: str, us: int | None) -> None:
    assert counter_us(bytes.fromhex(context)) == us
