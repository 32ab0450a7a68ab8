import pytest

from torhaus.daemon.page.limit import BY_ADDRESS, BY_NAME, MAX_KEYS, WINDOW_S, Failures, network_of


class Clock:
    now_s = 1.0

    def __call__(self) -> int:
        return int(self.now_s * 1e9)


def test_from_one_address_only_so_many() -> None:
    clock = Clock()
    failures = Failures(clock)
    for i in range(BY_ADDRESS):
        assert failures.wait_s("192.0.2.1", f"n{i}") == 0
        failures.failed("192.0.2.1", f"n{i}")
        clock.now_s += 1
    assert failures.wait_s("192.0.2.1", "x") == pytest.approx(WINDOW_S - BY_ADDRESS)
    assert failures.wait_s("192.0.2.2", "x") == 0
    clock.now_s += WINDOW_S
    assert failures.wait_s("192.0.2.1", "x") == 0


def test_for_one_name_only_so_many_from_wherever() -> None:
    failures = Failures(Clock())
    for i in range(BY_NAME):
        assert failures.wait_s(f"192.0.2.{i}", "a") == 0
        failures.failed(f"192.0.2.{i}", "a")
    assert failures.wait_s("198.51.100.1", "a") > 0
    assert failures.wait_s("198.51.100.1", "b") == 0


def test_the_right_password_makes_good() -> None:
    failures = Failures(Clock())
    for _ in range(BY_ADDRESS - 1):
        failures.failed("::1", "a")
    failures.succeeded("::1", "a")
    failures.failed("::1", "a")
    assert failures.wait_s("::1", "a") == 0


def test_whoever_tries_memory_is_bounded() -> None:
    failures = Failures(Clock())
    for i in range(3 * MAX_KEYS):
        failures.failed(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", "x" * 10_000 + str(i))
    assert len(failures._by) == MAX_KEYS
    assert all(len(name) <= 64 for _, name in failures._by)


def test_networks() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::"
    assert network_of("2001:db8:0:1::1") != "2001:db8::"
    assert network_of("fe80::1%eth0") == "fe80::"
    assert network_of("::ffff:192.0.2.1") != network_of("::ffff:192.0.2.2")
    assert network_of("<b>") == network_of("") == ""
