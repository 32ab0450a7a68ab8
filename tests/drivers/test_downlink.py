"""The words of the way down: statuses are wire names and metric labels, so they are frozen here."""

from torhaus.codecs.model import Reception
from torhaus.drivers.downlink import After, Downlink, TxItem, TxStatus, context_of


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


def test_a_packet_forwarder_s_context_is_its_counter() -> None:
    gateway = "aa555a0000000101"
    assert context_of(Reception(gateway, tmst_us=0x01020304)) == b"\1\2\3\4"
    assert context_of(Reception(gateway, tmst_us=0)) == bytes(4)
    assert context_of(Reception(gateway, tmst_us=7, context=b"its own")) == b"its own"
    assert context_of(Reception(gateway)) is None
