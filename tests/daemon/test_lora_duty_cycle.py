"""A sliding hour of airtime for each gateway and sub-band."""

import random

import msgspec
import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.gateway_fakes import A, B
from torhaus.codecs.lorawan.downlink import Immediately, TxAnswer, TxItem, TxStatus
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.duty_cycle import OTHER, DutyCycle, Hour, airtime_of

RX1 = TxItem(bytes(12), 868_100_000, "LORA", "SF12BW125", Immediately())
RX2 = TxItem(bytes(12), 869_525_000, "LORA", "SF9BW125", Immediately())
OK, LATE = TxAnswer(TxStatus.OK), TxAnswer(TxStatus.TOO_LATE)
LONG_US = airtime_of(RX1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_the_hour_slides() -> None:
    random_ = random.Random(7)
    now, sent, hour = 10**12, list[tuple[int, int]](), Hour()
    for _ in range(3000):
        now += random_.randrange(30_000_000_000)
        us = random_.randrange(1000, 2_000_000)
        hour.forget(now)
        hour.add(us, now)
        sent.append((now, us))
        exact = sum(one for at, one in sent if now - at < 3600 * 10**9)
        generous = sum(one for at, one in sent if now - at < 3610 * 10**9)
        assert exact <= hour.used_us <= generous  # never too little, and hardly too much
        assert len(hour._steps) <= 361
    hour.forget(now + 3610 * 10**9)
    assert (hour.used_us, len(hour._steps)) == (0, 0)


def test_time_on_air_of_a_downlink() -> None:
    """12 bytes at SF12, without the radio CRC that uplinks have."""
    assert LONG_US == 991_232  # 30.25 symbols
    assert airtime_of(msgspec.structs.replace(RX1, crc=True)) == 1_155_072
    assert airtime_of(msgspec.structs.replace(RX1, preamble=16)) == LONG_US + 8 * 32_768
    assert airtime_of(msgspec.structs.replace(RX1, modulation="FSK", datarate="50000")) == 3680
    assert airtime_of(msgspec.structs.replace(RX1, datarate="SF99")) == 0


def test_what_was_sent_or_may_have_been_is_on_the_account(clock: FakeClock) -> None:
    duty = DutyCycle("EU868", clock.boot_ns)
    duty.sent("radio", A, A, (RX1, RX2), (OK, TxAnswer(TxStatus.IGNORED)))
    duty.sent("radio", A, A, (RX1, RX2), (LATE, OK))
    duty.sent("radio", A, A, (RX1, RX2), (LATE, LATE))
    duty.sent("radio", A, A, (RX1,), (TxAnswer(TxStatus.NO_ANSWER),))
    duty.sent("radio", B, "unknown", (msgspec.structs.replace(RX1, freq_hz=868_650_000),), (OK,))
    short_us = airtime_of(RX2)
    assert duty.airtime_us == {
        ("radio", A, "868.0-868.6"): 2 * LONG_US,
        ("radio", A, "869.4-869.65"): short_us,
        ("radio", "unknown", OTHER): LONG_US,
    }
    assert duty.used() == {
        (A, "868.0-868.6"): pytest.approx(2 * LONG_US / 36e6),
        (A, "869.4-869.65"): pytest.approx(short_us / 360e6),
    }
    assert set(duty.table()[A]) == {"868.0-868.6", "869.4-869.65"}
    clock.advance(3611)
    assert duty.used() == {}
    assert sum(duty.airtime_us.values()) == 3 * LONG_US + short_us


def test_only_what_is_enforced_is_refused(clock: FakeClock) -> None:
    shown, enforced = (DutyCycle("EU868", clock.boot_ns, enforce=e) for e in (False, True))
    n = 0
    while enforced.fits(A, RX1):
        for duty in (shown, enforced):
            duty.sent("radio", A, A, (RX1,), (OK,))
        n += 1
    assert n == 36_000_000 // LONG_US
    assert shown.fits(A, RX1)
    assert enforced.fits(A, RX2)  # another sub-band
    assert enforced.fits(B, RX1)  # another gateway
    clock.advance(3611)
    assert enforced.fits(A, RX1)


def test_regions_without_duty_cycle_are_counted_and_not_limited(clock: FakeClock) -> None:
    duty = DutyCycle("US915", clock.boot_ns, enforce=True)
    item = msgspec.structs.replace(RX1, freq_hz=923_300_000)
    for _ in range(100):
        duty.sent("radio", A, A, (item,), (OK,))
    assert duty.fits(A, item)
    assert duty.used() == {}
    assert set(duty.airtime_us) == {("radio", A, OTHER)}


def test_as_configured(clock: FakeClock) -> None:
    duty = DutyCycle.of(Lorawan(region="US915", enforce_duty_cycle=True), clock)
    assert (duty.region, duty.enforce) == ("US915", True)


def test_gateways_that_are_silent_are_forgotten_without_anybody_looking(clock: FakeClock) -> None:
    duty = DutyCycle("EU868", clock.boot_ns)
    for n in range(50):
        duty.sent("radio", f"{n:016x}", "unknown", (RX1,), (OK,))
    clock.advance(3700)
    duty.sent("radio", A, A, (RX1,), (OK,))
    assert [eui for eui, _ in duty._hours] == [A]
