import random

from tests.daemon.scans_fakes import FakeClock
from torhaus.daemon.scans.circuit import CAP_S, MAX_AFTER_S, Circuit, backoff_s


def test_backoff_has_full_jitter_and_a_cap() -> None:
    rng = random.Random(1)
    for tries in (0, 1, 5, 40, 10**6):
        waits = [backoff_s(tries, rng) for _ in range(200)]
        cap = min(CAP_S, 2.0 * 2 ** min(tries, 30))
        assert all(0 <= wait <= cap for wait in waits)
        assert max(waits) > cap * 0.8
        assert min(waits) < cap * 0.2
    assert MAX_AFTER_S >= CAP_S


def test_while_it_is_down_one_document_at_a_time_is_tried_when_it_is_due() -> None:
    clock = FakeClock()
    circuit = Circuit(clock, random.Random(1))
    assert circuit.allows(15)
    assert circuit.failed(120)
    assert not circuit.failed(0)  # the others that were under way
    assert not circuit.is_up
    assert not circuit.allows(0)
    clock.pass_s(119)
    assert not circuit.allows(0)
    clock.pass_s(1)
    assert circuit.allows(0)
    assert not circuit.allows(1)
    assert not circuit.failed(0)  # down still: no news
    assert circuit.since_ns == 1_000 * 10**9
    clock.pass_s(CAP_S)
    assert circuit.worked()
    assert circuit.allows(15)
    assert not circuit.worked()


def test_a_pause_that_is_asked_for_has_a_limit() -> None:
    clock = FakeClock()
    circuit = Circuit(clock, random.Random(1))
    circuit.failed(0)
    circuit.failed(10**9)
    clock.pass_s(MAX_AFTER_S)
    assert circuit.allows(0)
