"""Own scripts in an engine of this process: limits, kept contexts, and that neither changes a result."""

import pytest

from tests.daemon.scripts_fakes import Bench
from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.daemon.scripts.protocol import Job, Limits


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("fport", "reason", "detail"),
    [
        (1, RejectReason.SCRIPT_TIME, "took longer"),
        (2, RejectReason.SCRIPT_MEMORY, "more memory"),
        (3, RejectReason.SCRIPT_ERROR, "Maximum call stack"),
        (4, RejectReason.SCRIPT_TIME, "took longer"),
        (5, RejectReason.SCRIPT_RESULT, "a result of 100020 characters"),
        (6, RejectReason.SCRIPT_RESULT, "deeper than 16"),
        (7, RejectReason.SCRIPT_ERROR, "Maximum call stack"),
        (9, RejectReason.SCRIPT_ERROR, "promise"),
        (10, RejectReason.SCRIPT_RESULT, "returned undefined"),
        (11, RejectReason.SCRIPT_RESULT, "returned a number"),
        (12, RejectReason.SCRIPT_TIME, "took longer"),
        (13, RejectReason.SCRIPT_MEMORY, "more memory"),  # the engine throws null when it has none left for words
        (14, RejectReason.SCRIPT_ERROR, "only a text"),
        (15, RejectReason.SCRIPT_ERROR, "RangeError: from a getter"),
        (16, RejectReason.SCRIPT_RESULT, "more than 1024 values"),
        (17, RejectReason.SCRIPT_MEMORY, "more memory"),
        (18, RejectReason.SCRIPT_ERROR, "cannot be described"),
        (19, RejectReason.SCRIPT_ERROR, "circular"),
        (20, RejectReason.SCRIPT_RESULT, "JSON"),
        (21, RejectReason.SCRIPT_TIME, "took longer"),
    ],
)
def test_misdeeds(bench: Bench, fport: int, reason: RejectReason, detail: str) -> None:
    refusal = bench.refusal("hostile.js", b"\x01", fport)
    assert (refusal.reason, refusal.detail.startswith("hostile.js")) == (reason, True), refusal
    assert detail in refusal.detail
    assert bench.values("hostile.js", b"\x01", 50) == {"port": 50}
    assert bench.values("ttn2.js", b"\x01", 1) == {"port": 1, "sum": 1}


def test_console_storm() -> None:
    assert Bench(Limits(call_s=30)).values("hostile.js", b"\x01", 8) == {"lines": 100000}


def test_tampering_stays_in_its_script() -> None:
    bench = Bench()
    for _ in range(3):
        assert bench.values("tamper.js", b"\x05", 1) == {"first": 5}
        assert bench.values("untouched.js", b"\x05") == {"text": '["1","2"]', "first": 5, "error": "Error: e"}
    assert bench.refusal("tamper.js", b"\x05", 2).reason is RejectReason.SCRIPT_TIME
    assert bench.refusal("tamper.js", b"\x05", 3).reason is RejectReason.SCRIPT_TIME
    assert bench.values("tamper.js", b"\x06", 1) == {"first": 6}


def test_globals_are_put_back() -> None:
    bench = Bench()
    for _ in range(20):
        assert bench.values("globals.js") == {"count": 1, "leaked": 1, "fixed": 2}
    assert not bench.engine.keeps_state("globals.js")


def test_hidden_state_is_found() -> None:
    bench = Bench()
    for _ in range(20):
        assert bench.values("hidden_state.js") == {"calls": 1, "seen": 1}
    assert bench.engine.keeps_state("hidden_state.js")


def test_late_state_is_found() -> None:
    """State that shows only after many calls is found by a later comparison; results may differ up to then."""
    bench = Bench()
    bench.add("late.js", "let n = 0; function decodeUplink() { return { data: { late: n++ > 200 } }; }")
    results = [bench.values("late.js")["late"] for _ in range(600)]
    assert bench.engine.keeps_state("late.js")
    assert results[257:] == [False] * 343


def test_state_cannot_refuse_a_good_payload() -> None:
    bench = Bench()
    bench.add("sulky.js", "let n = 0; function decodeUplink() { if (n++ > 20) throw 1; return { data: { a: 1 } }; }")
    assert [bench.values("sulky.js")["a"] for _ in range(50)] == [1] * 50


def test_hoarded_memory_cannot_refuse_a_good_payload() -> None:
    bench = Bench(Limits(memory_bytes=4 << 20))
    bench.add(
        "hoard.js", "let h = []; function decodeUplink() { h.push('x'.repeat(200000)); return { data: { a: 1 } }; }"
    )
    assert [bench.values("hoard.js")["a"] for _ in range(60)] == [1] * 60


def test_kept_memory_is_bounded() -> None:
    bench = Bench(Limits(kept_bytes=1 << 20))
    bench.add("big.js", "let h = []; function decodeUplink() { h.push('x'.repeat(99999)); return { data: { a: 1 } }; }")
    for _ in range(300):
        bench.values("big.js")
    assert "big.js" not in bench.engine._kept or bench.engine._kept["big.js"].held_bytes() < 28 << 20


def test_fresh_on_request() -> None:
    bench = Bench()
    for _ in range(5):
        assert bench.decode("hidden_state.js", fresh=True).fields["calls"] == Value(1)
    assert not bench.engine._kept


def test_context_after_a_limit_is_another_one(bench: Bench) -> None:
    bench.values("hostile.js", b"\x01", 50)
    before = bench.engine._kept["hostile.js"]
    for fport in (1, 2, 3):
        bench.refusal("hostile.js", b"\x01", fport)
    bench.values("hostile.js", b"\x01", 50)
    assert bench.engine._kept["hostile.js"] is not before


def test_contexts_are_few() -> None:
    bench = Bench(Limits(contexts=3))
    for number in range(6):
        bench.add(f"{number}.js", "function decodeUplink() { return { data: { a: 1 } }; }")
        bench.values(f"{number}.js")
        bench.values("0.js")
    assert list(bench.engine._kept) == ["4.js", "5.js", "0.js"]


def test_load_failures(bench: Bench) -> None:
    for _ in range(2):
        assert str(bench.refusal("fails_at_load.js")).startswith("script_error: fails_at_load.js:3:")
        assert str(bench.refusal("empty.js")).startswith("script_error: empty.js: Error: the script has none of decode")
    bench.add("syntax.js", "function decodeUplink(input) {\n\n  return {{;\n}")
    assert str(bench.refusal("syntax.js")).startswith("script_error: syntax.js:3:")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("while (true);", RejectReason.SCRIPT_TIME),
        ("var a = []; while (true) a.push([a.length]);", RejectReason.SCRIPT_MEMORY),
        ("(function f() { f(); })();", RejectReason.SCRIPT_ERROR),
        ("import('os'); var x = 1;", RejectReason.SCRIPT_ERROR),
        ("export default 1;", RejectReason.SCRIPT_ERROR),
        ("", RejectReason.SCRIPT_ERROR),
        ("]" * 5000, RejectReason.SCRIPT_ERROR),
        ("[" * 5000, RejectReason.SCRIPT_ERROR),
    ],
)
def test_load_misdeeds(text: str, reason: RejectReason) -> None:
    bench = Bench(Limits(load_s=0.2))
    bench.add("load.js", text)
    assert bench.refusal("load.js").reason is reason
    assert bench.refusal("load.js").reason is reason


def test_withdrawn_script() -> None:
    bench = Bench()
    bench.values("ttn2.js")
    bench.engine.forget("ttn2.js")
    with pytest.raises(DecodeError, match="withdrawn"):
        bench.engine.decode(Job("ttn2.js", "ttn2.js", b""))
    bench.engine.forget("ttn2.js")
