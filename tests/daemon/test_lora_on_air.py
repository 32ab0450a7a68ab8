"""When a gateway sends: by its own counter, which wraps; what is over or refused is not in the way."""

import msgspec
import pytest

from tests.daemon.clocks import FakeClock
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Immediately, TxItem
from torhaus.daemon.lora.duty_cycle import airtime_of
from torhaus.daemon.lora.on_air import MAX_GATEWAYS, MAX_SLOTS, OnAir

EUI, OTHER = "aa555a0000000101", "aa555a0000000102"
TOP = (1 << 32) - 1


def item(tmst_us: int, delay_us: int = 1_000_000) -> TxItem:
    return TxItem(bytes(20), 868_100_000, "LORA", "SF12BW125", After(delay_us, (tmst_us & TOP).to_bytes(4, "big")))


AIRTIME_US = airtime_of(item(0))


@pytest.mark.parametrize("start", [5_000, TOP - 1_000_000, TOP - 2_500_000])
def test_two_that_overlap(start: int) -> None:
    on_air = OnAir(FakeClock().boot_ns)
    on_air.take(EUI, item(start))
    for after_us in (-AIRTIME_US + 1, 0, 500_000, AIRTIME_US - 1):
        assert on_air.is_busy(EUI, item(start + after_us))
        assert on_air.is_busy(EUI, item(start + after_us - 1_000_000, 2_000_000))
    for after_us in (-AIRTIME_US, AIRTIME_US):
        assert not on_air.is_busy(EUI, item(start + after_us))
    assert not on_air.is_busy(OTHER, item(start))


def test_what_is_over_is_no_longer_in_the_way() -> None:
    clock = FakeClock()
    on_air = OnAir(clock.boot_ns)
    on_air.take(EUI, item(7))
    clock.advance(1 + AIRTIME_US / 1e6)
    assert on_air.is_busy(EUI, item(7))
    clock.advance(0.001)
    assert not on_air.is_busy(EUI, item(7)), "the counter is there again after 71 minutes"


def test_what_was_refused_is_not_in_the_way() -> None:
    on_air = OnAir(FakeClock().boot_ns)
    slot = on_air.take(EUI, item(7))
    assert slot is not None
    on_air.free(slot)
    assert not on_air.is_busy(EUI, item(7))
    on_air.free(slot)


@pytest.mark.parametrize("at", [Immediately(), AtGpsTime(1), After(1_000_000, b"?")])
def test_no_known_time(at: Immediately | AtGpsTime | After) -> None:
    on_air = OnAir(FakeClock().boot_ns)
    on_air.take(EUI, item(7))
    other = msgspec.structs.replace(item(7), at=at)
    assert not on_air.is_busy(EUI, other)
    assert on_air.take(EUI, other) is None


def test_what_is_remembered_is_bounded() -> None:
    clock = FakeClock()
    on_air = OnAir(clock.boot_ns)
    for n in range(MAX_SLOTS + 10):
        on_air.take(EUI, item(n))
    assert len(on_air._slots[EUI]) == MAX_SLOTS
    for n in range(MAX_GATEWAYS + 10):
        on_air.take(f"{n:016x}", item(n))
    assert len(on_air._slots) == MAX_GATEWAYS
    clock.advance(60)
    assert on_air.take(OTHER, item(0)) is not None
    assert list(on_air._slots) == [OTHER]
