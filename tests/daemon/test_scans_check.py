"""A process per document, whatever becomes of it: the real one, and ones with other work than checking."""

import asyncio
import gc
import os
import select
import sys
import threading
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.check import MAX_AT_ONCE, NURSERY, CheckUnavailable, ProcessCheck
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.states import Reason


def judge(path: Path, limits: Limits, *command: str, times: int = 1) -> Verdict:
    async def run() -> Verdict:
        check = ProcessCheck(Disk(), limits, command or NURSERY)
        try:
            verdicts = await asyncio.gather(*(check.check(path) for _ in range(times)))
        finally:
            await check.close()
        assert all(v == verdicts[0] for v in verdicts)
        return verdicts[0]

    return asyncio.run(run())


def python(code: str) -> tuple[str, ...]:
    """A nursery whose checkers do this; what they return is their exit code."""
    lines = "".join(f"\n    {line}" for line in code.splitlines())
    head = "import sys, os, signal, json, time\nfrom torhaus.daemon.scans import nursery\ndef work(limits, codes):"
    return (sys.executable, "-I", "-c", f"{head}{lines}\n    return 0\nnursery.main(sys.argv[1:], work)")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(make_pdf(3))
    return path


def test_the_real_child_judges_good_and_bad(document: Path) -> None:
    assert judge(document, Limits()) == Verdict("application/pdf", None, 3)
    document.write_bytes(make_pdf(3)[:-100])
    assert judge(document, Limits()).reason is Reason.DAMAGED


def test_too_much_memory_is_this_documents_fault(document: Path) -> None:
    document.write_bytes(make_image("PNG", size=(9000, 9000)))
    assert judge(document, Limits(memory_bytes=100 << 20)).reason in {Reason.TOO_BIG_TO_CHECK, Reason.CHECK_CRASHED}


def test_a_hanging_child_is_killed(document: Path) -> None:
    verdict = judge(document, Limits(wall_s=0.2), *python("time.sleep(600)"))
    assert verdict.reason is Reason.CHECK_TIME


def test_a_child_that_takes_too_much_cpu_time_is_told_from_a_crash(document: Path) -> None:
    code = "os.kill(os.getpid(), signal.SIGXCPU)"
    assert judge(document, Limits(), *python(code)).reason is Reason.CHECK_TIME


@pytest.mark.parametrize(
    "code",
    [
        "os.abort()",
        "raise SystemExit(0)",
        "return 1",
        "os.write(1, b'no json')",
        "os.write(1, b'{\"media_type\": 1}')",
        "pass",
        "os.write(1, bytes([255, 34]))",
        "os.write(1, b' ' * 9000)",
    ],
)
def test_a_crashing_or_babbling_child_is_a_verdict(document: Path, code: str) -> None:
    assert judge(document, Limits(), *python(code)).reason is Reason.CHECK_CRASHED


def test_endless_output_is_cut_off(document: Path) -> None:
    code = "while True: os.write(1, b'x' * 4096)"
    assert judge(document, Limits(wall_s=0.3), *python(code)).reason is Reason.CHECK_TIME


def test_missing_parsers_and_missing_programs_judge_nothing(document: Path) -> None:
    with pytest.raises(CheckUnavailable):
        judge(document, Limits(), *python("return 69"))
    with pytest.raises(CheckUnavailable):
        judge(document, Limits(), "/nonexistent/program")


def test_it_gets_a_descriptor_and_nothing_else(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s")
    code = (
        "fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1]\n"  # the last one is the listing's own
        "ok = os.read(0, 5) == b'%PDF-' and 'SECRET' not in os.environ and fds == [0, 1]\n"
        "os.write(1, json.dumps({'media_type': 'ok' if ok else f'bad {fds}'}).encode())"
    )
    assert judge(document, Limits(), *python(code), times=3).media_type == "ok"


def test_limits_are_set_in_it(document: Path) -> None:
    code = (
        "import resource as r\n"
        "from torhaus.daemon.scans.checker import bound\n"
        "bound(limits)\n"
        "ok = r.getrlimit(r.RLIMIT_AS)[0] == 1 << 30 and r.getrlimit(r.RLIMIT_FSIZE) == (0, 0)"
        " and r.getrlimit(r.RLIMIT_CPU) == (60, 61) and r.getrlimit(r.RLIMIT_CORE) == (0, 0)\n"
        "os.write(1, json.dumps({'media_type': 'ok' if ok else 'bad'}).encode())"
    )
    assert judge(document, Limits(), *python(code)).media_type == "ok"


def test_many_at_a_time_each_in_its_own_process(tmp_path: Path) -> None:
    async def run() -> list[Verdict]:
        paths = [tmp_path / str(n) for n in range(3 * MAX_AT_ONCE)]
        for n, path in enumerate(paths):
            path.write_bytes(make_pdf(n % 4 + 1))
        check = ProcessCheck(Disk(), Limits())
        try:
            return await asyncio.gather(*map(check.check, paths))
        finally:
            await check.close()

    assert [v.pages for v in asyncio.run(run())] == [n % 4 + 1 for n in range(3 * MAX_AT_ONCE)]


def test_a_terminals_ctrl_c_never_reaches_it(document: Path) -> None:
    async def run() -> None:
        check = ProcessCheck(Disk(), Limits(), NURSERY)
        try:
            await check.check(document)
            assert check._child is not None
            assert os.getsid(check._child.process.pid) == check._child.process.pid
        finally:
            await check.close()

    asyncio.run(run())


def test_what_one_document_leaves_behind_the_next_does_not_find(document: Path) -> None:
    code = "sys.seen = getattr(sys, 'seen', 0) + 1\nos.write(1, json.dumps({'media_type': str(sys.seen)}).encode())"
    assert judge(document, Limits(), *python(code), times=5).media_type == "1"


def test_a_nursery_that_is_killed_judges_nothing_and_is_made_anew(document: Path) -> None:
    async def run() -> None:
        check = ProcessCheck(Disk(), Limits(), python("os.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)"))
        try:
            for _ in range(2):
                with pytest.raises(CheckUnavailable):
                    await check.check(document)
        finally:
            await check.close()

    asyncio.run(run())


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8])
def test_given_up_while_the_nursery_starts_nothing_stays_open(document: Path, steps: int) -> None:
    async def run() -> None:
        check = ProcessCheck(Disk(), Limits(), python("time.sleep(600)"))
        asking = asyncio.create_task(check.check(document))
        await starting(check)
        for _ in range(steps):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await check.close()

    before = open_descriptors()
    asyncio.run(run())
    gc.collect()
    assert open_descriptors() == before


def test_closed_while_the_nursery_starts_it_is_ended(document: Path) -> None:
    async def run() -> None:
        check = ProcessCheck(Disk(), Limits(), python("time.sleep(600)"))
        asking = asyncio.create_task(check.check(document))
        await starting(check)
        await check.close()
        with pytest.raises(CheckUnavailable):
            await asking
        assert check._child is None

    asyncio.run(run())


def test_given_up_while_the_document_is_opened_nothing_stays_open(document: Path) -> None:
    begun, may_open = threading.Event(), threading.Event()

    class SlowDisk(Disk):
        def open_read(self, path: Path) -> int:
            begun.set()
            assert may_open.wait(60)
            return super().open_read(path)

    async def run() -> None:
        check = ProcessCheck(SlowDisk(), Limits())
        asking = asyncio.create_task(check.check(document))
        await asyncio.to_thread(begun.wait, 60)
        before = open_descriptors()
        asking.cancel()
        await asyncio.sleep(0)
        may_open.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert open_descriptors() == before

    asyncio.run(run())


async def starting(check: ProcessCheck) -> None:
    while not check._starting.locked():  # noqa: ASYNC110 - a step of the loop at a time
        await asyncio.sleep(0)


def open_descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are all there is


def test_the_checkers_end_with_their_nursery(document: Path, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    os.mkfifo(told)
    command = python(f"open({str(told)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)")

    async def run() -> int:
        check = ProcessCheck(Disk(), Limits(), command)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(refused(check))
            pid = int(await asyncio.to_thread(told.read_text))
            end = os.pidfd_open(pid)
            await check.close()
            await asking
        try:
            ready, _, _ = await asyncio.to_thread(select.select, [end], [], [], 30)
        finally:
            os.close(end)
        assert ready
        return pid

    async def refused(check: ProcessCheck) -> None:
        with pytest.raises(CheckUnavailable):
            await check.check(document)

    assert asyncio.run(run())
