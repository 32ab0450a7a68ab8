"""Who is set aside, for how long, and what brings him back."""

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import RejectReason
from torhaus.daemon.scripts.aside import PAUSE_MAX_S, PAUSE_S, Aside
from torhaus.daemon.scripts.protocol import STRIKES, Job

TIME = RejectReason.SCRIPT_TIME


def job(eui: str | None = "a1", name: str = "bad.js") -> Job:
    return Job(name, f"hash of {name}", b"", dev_eui=eui)


def strike(aside: Aside, times: int = STRIKES, given: Job | None = None) -> None:
    for _ in range(times):
        aside.note(given or job(), TIME)


def test_after_three_in_a_row() -> None:
    aside = Aside(FakeClock())
    strike(aside, 2)
    assert aside.refusal(job()) is None
    strike(aside, 1)
    refusal = aside.refusal(job())
    assert refusal is not None
    assert refusal.reason is RejectReason.SCRIPT_ASIDE
    assert refusal.detail == "bad.js: set aside for another 60 s: it kept breaking its limits"
    assert aside.refusal(job("b2")) is not None  # the script as a whole
    assert aside.refusal(job(name="good.js")) is None
    assert (aside.names(), aside.pauses) == (["bad.js"], 1)


def test_one_device_does_not_silence_the_others() -> None:
    aside = Aside(FakeClock())
    for _ in range(STRIKES):
        strike(aside, 1)
        aside.note(job("b2"), None)
    assert aside.refusal(job("b2")) is None
    refusal = aside.refusal(job("a1"))
    assert refusal is not None
    assert "set aside for a1" in refusal.detail
    assert (aside.names(), aside.pauses) == (["bad.js"], 0)


def test_the_pause_doubles_up_to_an_hour() -> None:
    clock = FakeClock()
    aside = Aside(clock)
    strike(aside)
    pause_s = PAUSE_S
    for _ in range(9):
        clock.advance(pause_s - 1)
        assert aside.refusal(job()) is not None
        clock.advance(1)
        assert aside.refusal(job()) is None
        strike(aside, 1)
        pause_s = min(PAUSE_MAX_S, pause_s * 2)
    assert pause_s == PAUSE_MAX_S


def test_a_good_result_clears_it() -> None:
    clock = FakeClock()
    aside = Aside(clock)
    strike(aside)
    clock.advance(PAUSE_S)
    aside.note(job(), None)
    assert not aside
    strike(aside, 2)
    assert aside.refusal(job()) is None
    assert aside.names() == []


def test_refusals_of_its_own_are_no_result() -> None:
    aside = Aside(FakeClock())
    strike(aside, 2)
    aside.note(job(), RejectReason.SCRIPT_ASIDE)
    strike(aside, 1)
    assert aside.refusal(job()) is not None


def test_a_withdrawn_script_is_forgotten() -> None:
    aside = Aside(FakeClock())
    strike(aside)
    strike(aside, given=job(name="other.js"))
    aside.forget(job().source_hash)
    assert aside.names() == ["other.js"]
