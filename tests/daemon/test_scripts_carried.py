"""What a script keeps of a device between its messages: in the engine, between the processes, and its bounds."""

import msgspec
import pytest

from tests.daemon.scripts_fakes import Bench, Site, fields, serve
from torhaus.codecs.model import DecodeError, Value
from torhaus.daemon.scripts.carried import Carried
from torhaus.daemon.scripts.protocol import MAX_CONTEXT, Decoded, Job

SCRIPT = "remembers.js"


def job(payload: bytes, dev_eui: str | None = "a81758fffe0312ab", fport: int = 5, context: str = "") -> Job:
    return Job(SCRIPT, SCRIPT, payload, fport, None, dev_eui, context=context)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.add(SCRIPT)
    return made


def decoded(bench: Bench, work: Job) -> Decoded:
    found = bench.engine.decode(work)
    assert isinstance(found, Decoded)
    return found


def test_the_next_message_finds_what_the_last_one_left(bench: Bench) -> None:
    assert decoded(bench, job(b"\x2a\x00")).context == '[{"serial":42}]'
    for _ in range(20):  # kept and fresh contexts alike
        found = decoded(bench, job(b"\x07"))
        assert found.fields == {"serial": Value(42), "value": Value(7)}
        assert found.context is None
    assert not bench.engine.keeps_state(SCRIPT)


def test_each_device_has_its_own_and_a_job_brings_what_was_kept_before(bench: Bench) -> None:
    decoded(bench, job(b"\x2a\x00"))
    with pytest.raises(DecodeError, match="nothing is known"):
        bench.engine.decode(job(b"\x07", "a81758fffe0312ac"))
    found = decoded(bench, job(b"\x07", "a81758fffe0312ac", context='[{"serial":3}]'))
    assert found.fields["serial"] == Value(3)
    bench.engine.left.clear()
    with pytest.raises(DecodeError, match="nothing is known"):
        bench.engine.decode(job(b"\x07"))


def test_without_a_device_nothing_is_kept(bench: Bench) -> None:
    assert decoded(bench, job(b"\x2a\x00", None)).context is None
    with pytest.raises(DecodeError, match="nothing is known"):
        bench.engine.decode(job(b"\x07", None))


def test_too_much_is_not_kept_and_the_technician_is_told(bench: Bench) -> None:
    found = decoded(bench, job(b"\x01", fport=9))
    assert found.fields == {"kept": Value(1)}
    assert found.context is None
    assert found.warnings == [f"a context of 5004 characters is not kept, {MAX_CONTEXT} may be"]


def test_what_is_no_list_is_not_kept(bench: Bench) -> None:
    assert decoded(bench, job(b"\x01", fport=8)).context is None
    with pytest.raises(DecodeError, match="nothing is known"):
        bench.engine.decode(job(b"\x07"))


@pytest.mark.parametrize("own", ["function context() { return 1; }", "var context = function () { return 1; };"])
def test_a_script_may_have_something_else_of_that_name(own: str) -> None:
    bench = Bench()
    bench.add("own.js", own + " function decodeUplink(input) { return { data: { is: context() } }; }")
    for _ in range(3):
        assert bench.values("own.js") == {"is": 1}


def test_it_follows_the_device_between_the_processes() -> None:
    async def body(site: Site) -> None:
        def made(payload: bytes, ref: int) -> Job:
            return msgspec.structs.replace(site.job(payload, 5, SCRIPT, ref), dev_eui="a81758fffe0312ab")

        first = [made(b"\x2a\x00", 0), made(b"\x01", 1)]
        site.offer(first)
        await site.until(2)
        site.offer([made(bytes([n]), n) for n in range(2, 40)])
        await site.until(40)
        assert all(fields(answer)["serial"] == Value(42) for _, answer in site.answers)
        site.offer([made(b"\x2b\x00", 40), made(b"\x05", 41)])
        await site.until(42)
        assert fields(site.answers[-1][1]) == {"serial": Value(43), "value": Value(5)}

    serve(body)


def test_a_script_that_is_withdrawn_is_forgotten() -> None:
    carried = Carried()
    carried.keep(job(b""), "[1]")
    carried.forget("another.js")
    assert carried.given([job(b"")])[0].context == "[1]"
    carried.forget(SCRIPT)
    assert carried.given([job(b"")]) == [job(b"")]


def test_it_is_bounded_and_the_longest_silent_go_first() -> None:
    carried = Carried(most_chars=30)
    for n in range(5):
        carried.keep(job(b"", str(n)), "[" + "1" * 8 + "]")
    assert len(carried) == 3
    carried.keep(job(b"", "2"), "[2]")
    carried.keep(job(b"", "5"), "[55555555]")
    assert [work.context for work in carried.given([job(b"", str(n)) for n in range(6)])] == [
        "", "", "[2]", "", "[11111111]", "[55555555]"
    ]  # fmt: skip
    carried.keep(job(b"", "5"), "[]")
    assert len(carried) == 2
