"""Which telegrams are handed over, and what is said of those that are not."""

import pytest

from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value
from torhaus.drivers.thinning import Rule, Thinning

S = 1_000_000_000


def decode(data: bytes, fport: int | None = None) -> Fields:
    assert fport is None
    if data == b"bad":
        raise DecodeError(RejectReason.SYNTAX)
    return {"power": Value(float(data), "W"), "name": Value("x")} if data != b"none" else {"name": Value("y")}


def fed(rule: Rule, *telegrams: bytes, step_s: float = 1) -> list[tuple[int, bytes, Fields | None]]:
    """One telegram a second: the second, the telegram, what is derived."""
    thinning = Thinning(rule, decode)
    return [
        (n, *found)
        for n, telegram in enumerate(telegrams)
        for found in thinning.chosen([telegram], int((100 + n * step_s) * S))
    ]


def test_all_without_a_rule_and_nothing_is_decoded() -> None:
    assert fed(Rule(), b"1", b"bad") == [(0, b"1", None), (1, b"bad", None)]


def test_one_an_interval() -> None:
    assert [n for n, *_ in fed(Rule(3), *[b"bad"] * 9)] == [0, 2, 5, 8]  # stretches begin at 99, 102 and so on
    assert Thinning(Rule(3), decode).chosen([b"1", b"2"], 0) == [(b"2", None)]
    assert Thinning(Rule(3), decode).chosen([], 0) == []


def test_on_change() -> None:
    rule = Rule(on_change={"power": 10})
    assert [n for n, *_ in fed(rule, b"100", b"105", b"109", b"110", b"119", b"99", b"99")] == [0, 3, 5]
    assert [n for n, *_ in fed(Rule(on_change={"power": 0}), b"1", b"1", b"2", b"none", b"none", b"2")] == [0, 2, 3, 5]
    assert [n for n, *_ in fed(Rule(on_change={"name": 0}), b"1", b"2", b"none", b"3")] == [0, 2, 3]


def test_changes_come_beside_the_interval() -> None:
    rule = Rule(10, {"power": 10})
    assert [n for n, *_ in fed(rule, b"0", *[b"1"] * 3, b"50", *[b"50"] * 7, b"bad")] == [0, 4, 10]


def test_a_summary_covers_each_telegram_once() -> None:
    found = fed(Rule(4, summarise=("power", "none")), b"1", b"2", b"9", b"3", b"4", b"bad", b"none", b"6", b"7")
    assert [(n, telegram) for n, telegram, _ in found] == [(0, b"1"), (4, b"4"), (8, b"7")]
    derived = [
        {name: value.value for name, value in (fields or {}).items() if name != "power_samples"}
        for _, _, fields in found
    ]
    assert derived[1] == {"power_min": 2, "power_mean": 4.5, "power_max": 9}
    assert derived[2] == {"power_min": 6, "power_mean": 6.5, "power_max": 7}
    assert found[1][2] is not None
    assert found[1][2]["power_mean"] == Value(4.5, "W", derived=True)
    assert found[1][2]["power_samples"] == Value(4, derived=True)


def test_what_means_nothing_is_handed_over_when_it_is_due() -> None:
    assert fed(Rule(2, {"power": 1}), b"bad", b"bad", b"5") == [(0, b"bad", None), (2, b"5", None)]


def test_a_summary_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^summarise: needs interval_s or on_change"):
        Rule(summarise=("power",)).check()
    Rule(1, summarise=("power",)).check()
