"""Back-off, and components that are started again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.clocks import FakeClock
from torhaus.daemon import supervise
from torhaus.daemon.supervise import LONGEST_S, STABLE_S, Backoff, Told, end, keep_running, together, whole
from torhaus.drivers.base import DriverGone


class Notes(Told):
    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def gone(self, name: str, detail: str) -> None:
        self.said.append((name, detail))

    def defect(self, name: str, error: BaseException) -> None:
        self.said.append((name, repr(error)))


def test_bounds_double_up_to_the_longest() -> None:
    pause = Backoff(0.5, 8, rand=lambda: 1.0)
    assert [pause.next_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]
    pause.reset()
    assert pause.next_s() == 0.5


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 10_000))
def test_a_pause_is_anywhere_below_its_bound(rand: float, tries: int) -> None:
    pause = Backoff(rand=lambda: rand)
    pause.tries = tries
    assert 0 <= pause.next_s() <= LONGEST_S


def test_told_may_be_left_as_it_is() -> None:
    Told().gone("x", "y")
    Told().defect("x", ValueError())


async def supervised(run: Callable[[], Awaitable[None]], clock: FakeClock, seconds: float) -> list[tuple[str, str]]:
    notes = Notes()
    pause = Backoff(1, 4, rand=lambda: 1.0)
    task = asyncio.create_task(keep_running("part", run, clock, notes, pause))
    await clock.pass_s(seconds, step_s=0.5)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    return notes.said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DriverGone("unplugged"), "unplugged"),
        (DriverGone(), "gone"),
        (ValueError("x"), "ValueError('x')"),
        (asyncio.CancelledError(), "CancelledError()"),  # something inside it was cancelled, not it
        (None, "ended"),
    ],
)
def test_whatever_ends_it_it_is_started_again(error: BaseException | None, said: str) -> None:
    async def run() -> None:
        if error is not None:
            raise error

    notes = asyncio.run(supervised(run, FakeClock(), 7.5))
    assert notes == [("part", said)] * 4  # at 0, 1, 3 and 7 s


def test_a_long_run_makes_the_next_pause_short_again() -> None:
    async def main() -> None:
        clock = FakeClock()
        starts: list[int] = []

        async def run() -> None:
            starts.append(clock.boot_ns() // 10**9 - 1000)
            if len(starts) == 4:
                await clock.sleep(STABLE_S + 1)
            raise DriverGone

        await supervised(run, clock, 45)
        assert starts[:6] == [0, 1, 3, 7, 7 + 31 + 1, 7 + 31 + 1 + 2]

    asyncio.run(main())


def test_to_be_cancelled_inside_is_the_end_at_once() -> None:
    async def main() -> None:
        clock = FakeClock()
        notes = Notes()
        ended = asyncio.Event()

        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        task = asyncio.create_task(keep_running("part", run, clock, notes))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert ended.is_set()
        assert notes.said == []

    asyncio.run(main())


def test_what_is_no_exception_passes() -> None:
    async def run() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(keep_running("part", run, FakeClock(), Notes()))


def test_it_ends_when_told_to_although_something_fails_at_that_moment() -> None:
    async def main() -> None:
        async def fail_when_cancelled() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise DriverGone("gone") from None

        clock, told = FakeClock(), Notes()
        task = asyncio.create_task(keep_running("x", fail_when_cancelled, clock, told))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()
        assert clock.sleeping == 0

    asyncio.run(main())


def test_parts_run_together_until_one_finds_what_is_expected() -> None:
    ended: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def fail(error: Exception) -> None:
        await asyncio.sleep(0)
        raise error

    async def main() -> None:
        gone = DriverGone("gone")
        assert await together({"a": lambda: wait("a"), "b": lambda: fail(gone)}, DriverGone) is gone
        with pytest.raises(ExceptionGroup) as found:
            await together({"c": lambda: wait("c"), "d": lambda: fail(TypeError("defect"))}, DriverGone)
        assert isinstance(found.value.exceptions[0], TypeError)
        assert ended == ["a", "c"]

    asyncio.run(main())


def test_who_misses_that_it_was_cancelled_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "AGAIN_S", 0)
    told = 0

    async def deaf() -> None:
        nonlocal told
        while told < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told += 1

    async def main() -> None:
        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        await end(task)
        assert task.done()
        assert told == 3

    asyncio.run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_begun_is_undone_when_nobody_waits_for_it_any_more(fails: bool) -> None:
    async def main() -> None:
        begun = asyncio.Event()
        undone: list[str] = []
        go = asyncio.Event()

        async def begin() -> str:
            begun.set()
            await go.wait()
            if fails:
                raise OSError
            return "it"

        async def undo(what: str) -> None:
            undone.append(what)

        task = asyncio.get_running_loop().create_task(whole(begin(), undo))
        await begun.wait()
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done(), "it is not known yet what there is to undo"
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert undone == ([] if fails else ["it"])

    asyncio.run(main())


def test_what_was_begun_is_given_to_whom_waits() -> None:
    async def begin() -> str:
        return "it"

    async def undo(_: str) -> None:
        raise AssertionError

    assert asyncio.run(whole(begin(), undo)) == "it"
