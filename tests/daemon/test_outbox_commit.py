import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.daemon.outbox_fakes import AT, pending, reading
from torhaus.daemon.outbox import commit
from torhaus.daemon.outbox.commit import VERDICTS, Batch, GroupCommit, Result
from torhaus.daemon.outbox.record import Record, Stored, Verdict

WINDOW = 0.02


class Handle:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.is_cancelled = at, call, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Bench:
    """A group commit whose loop clock and writer thread are this object."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.timers: list[Handle] = []
        self.jobs: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.log: list[object] = []
        self.errors: dict[str, BaseException] = {}
        self.handled: list[dict[str, Any]] = []
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self)
        self.commits = GroupCommit(self, WINDOW, self.write, self.written)  # type: ignore[arg-type]

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> Handle:
        self.timers.append(Handle(at, call))
        return self.timers[-1]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.handled.append(context)

    def submit(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self.jobs.append((job, then))

    def write(self, batch: Batch) -> Result:
        result = Result()
        result.errors = dict(self.errors)
        self.log.append(("write", {k: len(v) for k, v in batch.records.items()}, len(batch.verdicts)))
        return result

    def written(self, batch: Batch, result: Result, seconds: float) -> None:
        self.log.append(("written", batch.count, round(seconds, 3)))

    def due(self) -> list[float]:
        return [round(t.at - 100.0, 3) for t in self.timers if not t.is_cancelled]

    def pass_to(self, at: float) -> None:
        self.now = 100.0 + at
        for t in [t for t in self.timers if t.at <= self.now + 1e-9 and not t.is_cancelled]:
            self.timers.remove(t)
            t.call()

    def finish(self, result: object = None) -> None:
        """The writer thread gets to its next job, and the loop to what comes after it."""
        job, then = self.jobs.pop(0)
        outcome = job()
        then(result if result is not None else outcome)

    def put(self, name: str, *logs: str, window_s: float = 0.0) -> None:
        for log in logs or ("main",):
            self.commits.put(log, [(AT, reading(1))], 1000)
        self.commits.commit(lambda ok: self.log.append((name, ok)), window_s)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def stored(record: Record) -> Stored:
    return Stored(0, "3f2a91c0", 0, "boot", AT, record)


def test_the_first_goes_at_once_and_the_next_when_the_window_is_over(bench: Bench) -> None:
    bench.put("a")
    assert bench.due() == [0]
    bench.pass_to(0)
    bench.put("b")
    assert bench.due() == []  # one commit at a time
    bench.now += 0.005
    bench.finish()
    assert bench.due() == [0.02]
    bench.put("c")
    assert bench.due() == [0.02]
    bench.pass_to(0.02)
    bench.now += 0.03  # a slow disk: longer than the window
    bench.finish()
    bench.put("d")
    assert bench.due() == [0.05]
    assert bench.log == [
        ("write", {"main": 1}, 0),
        ("a", True),
        ("written", 1, 0.005),
        ("write", {"main": 2}, 0),
        ("b", True),
        ("c", True),
        ("written", 2, 0.03),
    ]
    assert bench.commits.has_waiting()


def test_who_keeps_a_copy_waits_for_company(bench: Bench) -> None:
    bench.put("patient", window_s=5)
    assert bench.due() == [5]
    bench.pass_to(1)
    bench.put("later", window_s=60)
    assert bench.due() == [5]  # the first has waited long enough by then
    bench.pass_to(2)
    bench.put("a gateway")
    assert bench.due() == [2]  # one that cannot wait pulls the others along
    bench.pass_to(2)
    bench.put("next", window_s=5)
    bench.finish()
    assert bench.log == [
        ("write", {"main": 3}, 0),
        ("patient", True),
        ("later", True),
        ("a gateway", True),
        ("written", 3, 0),
    ]
    assert bench.due() == [7]
    bench.commits.put_verdict(stored(pending(1)), Verdict())
    assert bench.due() == [2.02]  # forwarders wait for what a script has said


def test_the_patient_wait_for_no_retry_and_the_retry_not_for_them(bench: Bench) -> None:
    bench.commits.put_verdict(stored(pending(1)), Verdict())
    bench.errors = {VERDICTS: OSError("no")}
    bench.pass_to(0)
    bench.put("patient", window_s=30)
    bench.finish()
    assert bench.due() == [1]
    bench.errors = {}
    bench.pass_to(1)
    bench.finish()
    assert bench.log[-2:] == [("patient", True), ("written", 1, 0)]
    assert not bench.commits.has_waiting()


def test_an_answer_is_about_the_logs_that_were_put(bench: Bench) -> None:
    bench.put("main only")
    bench.put("both", "main", "strangers")
    bench.put("strangers only", "strangers")
    bench.errors = {"strangers": OSError("no")}
    bench.pass_to(0)
    bench.finish()
    assert bench.log[1:4] == [("main only", True), ("both", False), ("strangers only", False)]


def test_a_defect_acknowledges_nothing(bench: Bench) -> None:
    bench.put("a")
    bench.commits.put_verdict(stored(pending(1)), Verdict())
    bench.pass_to(0)
    bench.finish(RuntimeError("no"))
    assert ("a", False) in bench.log
    assert bench.due() == [1]  # the verdict is tried again


def test_a_listener_that_raises_keeps_nobody_from_hearing(bench: Bench) -> None:
    def bad(_: bool) -> None:
        raise RuntimeError("defect")

    bench.commits.put("main", [(AT, reading(1))], 1)
    bench.commits.commit(bad)
    bench.put("b")
    bench.pass_to(0)
    bench.put("c")
    bench.finish()
    assert bench.log[1:] == [("b", True), ("written", 2, 0)]
    assert [str(c["exception"]) for c in bench.handled] == ["defect"]
    assert bench.due() == [0.02]


def test_verdicts_are_kept_until_they_are_written(bench: Bench) -> None:
    verdict = Verdict(None, "script_error")
    bench.errors = {VERDICTS: OSError("no")}
    bench.commits.put_verdict(stored(pending(1)), verdict)
    bench.pass_to(0)
    bench.finish()
    assert bench.due() == [1]
    bench.commits.put_verdict(stored(pending(2)), verdict)
    assert bench.due() == [1]
    bench.put("a")  # does not wait for the retry
    assert bench.due() == [0.02]
    bench.pass_to(0.02)
    bench.finish()
    assert bench.due() == [1.02]
    bench.errors = {}
    bench.pass_to(1.02)
    bench.finish()
    assert [x for x in bench.log if isinstance(x, tuple) and x[0] == "write"] == [
        ("write", {}, 1),
        ("write", {"main": 1}, 2),
        ("write", {}, 2),
    ]
    assert not bench.commits.has_waiting()


def test_what_waits_is_bounded(bench: Bench) -> None:
    assert bench.commits.has_room()
    bench.commits.put("main", [(AT, reading(1))], commit.MAX_WAITING_BYTES["main"])
    assert not bench.commits.has_room()
    assert bench.commits.has_room("strangers")  # each has a bound of its own
    bench.commits.commit(None)
    bench.pass_to(0)
    assert bench.commits.has_room()  # what is being written is no longer waiting: twice the bound at most


def test_drain_writes_everything_and_gives_up_on_what_cannot_be_written() -> None:
    from torhaus.daemon.outbox.writer import Writer

    async def go(fails: bool) -> tuple[list[bool], bool]:
        writer = Writer()
        told: list[bool] = []

        def write(batch: Batch) -> Result:
            result = Result()
            if fails:
                result.errors = dict.fromkeys(("main", VERDICTS), OSError("no"))
            return result

        commits = GroupCommit(writer, 1000.0, write, lambda *_: None)
        for _ in range(3):
            commits.put("main", [(AT, reading(1))], 1)
            commits.commit(told.append)
            commits.put_verdict(stored(pending(1)), Verdict())
            await asyncio.sleep(0)
        await commits.drain()
        await writer.stop()
        return told, commits.has_waiting()

    assert asyncio.run(go(fails=False)) == ([True] * 3, False)
    assert asyncio.run(go(fails=True)) == ([False] * 3, True)
