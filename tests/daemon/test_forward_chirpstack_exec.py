"""Programs that a network server may have run: those that are named, with their time, their output and no remains."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import uvloop

from torhaus.codecs.framing.chirpstack_gw.commands import GatewayCommandExecRequest as Request
from torhaus.daemon.forward.chirpstack_exec import MAX_OUTPUT_BYTES, Answer, Executor


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], autouse=True)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both loops: the daemon runs on uvloop, whose processes are its own."""
    monkeypatch.setattr("asyncio.run", lambda main: _run(main, request.param))


def _run(main: Any, factory: Any) -> Any:
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def run(argv: tuple[str, ...], timeout_s: float = 20, **request: object) -> Answer:
    executor = Executor({"it": argv}, timeout_s)
    return asyncio.run(executor.run(Request(command="it", **request)))  # type: ignore[arg-type]


def sh(script: str, timeout_s: float = 20, **request: object) -> Answer:
    return run(("/bin/sh", "-c", script), timeout_s, **request)


def test_output_and_input() -> None:
    response, result = sh("cat; echo oh >&2", stdin=b"moin")
    assert (response.stdout, response.stderr, response.error, result) == (b"moin", b"oh\n", "", "ok")


def test_what_the_program_says_of_itself() -> None:
    response, result = sh("echo a; echo b >&2; exit 3")
    assert (response.stdout, response.stderr, response.error, result) == (b"a\n", b"b\n", "exit code 3", "failed")
    response, result = sh("kill -9 $$")
    assert (response.error, result) == ("ended by signal 9", "failed")


def test_only_what_is_named_and_nothing_of_the_servers_but_input() -> None:
    async def ask(**request: object) -> Answer:
        return await Executor({"it": ("/bin/true",)}, 20).run(Request(**request))  # type: ignore[arg-type]

    for command in ("", "other", "it ", "/bin/true"):
        response, result = asyncio.run(ask(command=command))
        assert (response.error, result) == ("this command is not allowed here", "refused")
    response, result = asyncio.run(ask(command="it", environment={"LD_PRELOAD": "/tmp/x.so"}))
    assert (response.error, result) == ("environment variables are not taken", "refused")


def test_no_shell_and_a_bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    response, _ = run(("/usr/bin/env",))
    assert sorted(line.partition(b"=")[0] for line in response.stdout.splitlines()) == [b"LANG", b"PATH"]
    response, _ = run(("/bin/echo", "$PATH; echo y"))
    assert response.stdout == b"$PATH; echo y\n"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    response, result = run((str(tmp_path / "gone"),))
    assert result == "failed"
    assert response.error.endswith("cannot be run: No such file or directory")


def test_both_outputs_are_read_and_only_their_beginnings_kept() -> None:
    """More than pipes hold, on both at once, and input that nobody reads."""
    response, result = sh("head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero", stdin=bytes(40_000))
    assert result == "ok"
    assert (len(response.stdout), len(response.stderr)) == (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES)
    assert response.error == f"stdout and stderr cut to {MAX_OUTPUT_BYTES} bytes"


@pytest.mark.parametrize(
    "script",
    [
        "echo $$; sleep 600",
        "exec 2>&-; echo $$; exec >&-; sleep 600",  # has closed its outputs, and goes on
        "sleep 600 & echo $!; exit 0",  # has ended, and left somebody who holds them
        "trap '' TERM INT HUP; echo $$; while :; do sleep 1; done",
    ],
)
def test_what_takes_too_long_is_ended_with_all_it_has_started(script: str) -> None:
    response, result = sh(script, timeout_s=0.3)
    assert result == "timeout"
    assert response.error == "ended after 0.3 s"
    pid = int(response.stdout)
    while is_alive(pid):  # it has its signal; the kernel may still be at it
        os.sched_yield()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return state not in "ZX"  # one that was handed to a parent that does not look is dead all the same


def test_one_at_a_time() -> None:
    async def main() -> None:
        executor = Executor({"it": ("/bin/cat",)}, 20)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(executor.run(Request(command="it", stdin=b"x")))
            second = group.create_task(executor.run(Request(command="it")))
        assert first.result()[1] == "ok"
        assert (second.result()[0].error, second.result()[1]) == ("another command is running", "busy")
        assert (await executor.run(Request(command="it")))[1] == "ok"

    asyncio.run(main())


def _children() -> list[str]:
    return [c for t in Path("/proc/self/task").iterdir() for c in (t / "children").read_text().split()]


def test_who_stops_waiting_ends_it() -> None:
    """Whenever that is: before the program is there, while it starts, and when it runs."""

    async def main() -> None:
        executor = Executor({"it": ("/bin/sleep", "600")}, 20)
        for turns in (0, 1, 2, 3, 5, 8, 200):
            task = asyncio.get_running_loop().create_task(executor.run(Request(command="it")))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not executor._running
            assert not _children()

    asyncio.run(main())
