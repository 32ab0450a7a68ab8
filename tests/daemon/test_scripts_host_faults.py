"""Script processes that die, hang or talk nonsense: each fault blamed on its own record, nothing lost or mixed up."""

import asyncio
import os
import signal
import sys

import pytest

from tests.daemon.scripts_fakes import POISON, POISONED, Site, fields, refusal, serve, total
from torhaus.codecs.model import RejectReason, Value
from torhaus.daemon.scripts.host_model import HostLimits
from torhaus.daemon.scripts.protocol import Answers, Decoded, Failed, Ready, Refused, encode


def test_poisonous_record_is_refused_alone() -> None:
    async def body(site: Site) -> None:
        payloads = [POISON if n in {20, 33} else bytes([n]) for n in range(50)]
        site.offer([site.job(payload, ref=n) for n, payload in enumerate(payloads)])
        await site.until(50)
        answers = {job.ref: answer for job, answer in site.answers}
        assert len(answers) == len(site.answers) == 50
        for n, payload in enumerate(payloads):
            if payload == POISON:
                crash = refusal(answers[n])
                assert crash.reason is RejectReason.SCRIPT_CRASH
                assert crash.detail == "ttn2.js: the script process ended 2 times on it: SIGKILL"
            else:
                assert fields(answers[n]) == total(payload)

    site = serve(body, command=POISONED)
    assert site.host.status().deaths >= 5  # the batch once, each poisonous record alone twice


def test_killed_in_the_middle_of_a_batch() -> None:
    async def body(site: Site) -> None:
        await site.prove()
        os.kill(site.pid, signal.SIGSTOP)
        site.offer([site.job(bytes([n]), ref=n) for n in range(100)])
        await site.until_in_hand()
        os.kill(site.pid, signal.SIGKILL)
        await site.until(100)
        assert [job.ref for job, _ in site.answers] == list(range(100))
        assert all(fields(answer) == total(job.payload) for job, answer in site.answers)

    status = serve(body).host.status()
    assert (status.starts, status.deaths, status.last_death) == (3, 1, "SIGKILL")


def test_killed_again_and_again() -> None:
    """Whenever the process dies, every record has exactly one answer in the end, and a sound one."""

    async def body(site: Site) -> None:
        for n in range(40):
            site.offer([site.job(bytes([n, k]), ref=n) for k in range(20)])
            await asyncio.sleep(0.001 * n)
            if (pid := site.host.status().pid) is not None and n % 3 == 0:
                os.kill(pid, signal.SIGKILL)
        await site.until(800)
        assert sorted(job.payload for job, _ in site.answers) == [bytes([n, k]) for n in range(40) for k in range(20)]
        assert all(fields(answer) == total(job.payload) for job, answer in site.answers)

    serve(body, HostLimits(crashes=1000))


def test_killed_while_idle() -> None:
    async def body(site: Site) -> None:
        await site.prove()
        os.kill(site.pid, signal.SIGKILL)
        await site.until_deaths(1)
        assert site.host.status().pid is None
        assert await site.host.submit(site.job(b"\x09")) == total(b"\x09")

    assert serve(body, HostLimits(crashes=1)).host.status().starts == 3


def test_hung_process_is_ended() -> None:
    async def body(site: Site) -> None:
        await site.prove()
        os.kill(site.pid, signal.SIGSTOP)
        site.offer([site.job(bytes([n]), ref=n) for n in range(10)])
        await site.until_in_hand()
        while site.host.status().hangs == 0:
            await asyncio.sleep(0)
            site.clock.advance(5.0)
        await site.until(10)
        assert all(fields(answer) == total(job.payload) for job, answer in site.answers)

    status = serve(body, HostLimits(linger_s=1e6)).host.status()
    assert (status.starts, status.deaths, status.hangs) == (3, 1, 1)
    assert status.last_death == "gave no answer for 3 s (SIGKILL)"


def test_process_that_never_gets_ready() -> None:
    """Its records are not to blame: they wait."""

    async def body(site: Site) -> None:
        future = site.host.submit(site.job())
        await site.until_deaths(5)
        assert not future.done()
        assert site.host.status().last_death == "exit status 3"
        assert site.host.status().queued == 1

    serve(body, command=(sys.executable, "-c", "raise SystemExit(3)"))


def test_command_that_does_not_exist() -> None:
    async def body(site: Site) -> None:
        future = site.host.submit(site.job())
        await site.until_deaths(5)
        assert not future.done()

    serve(body, command=("/nonexistent/interpreter",))


REFUSED = Refused(RejectReason.SCRIPT_ERROR, "")


@pytest.mark.parametrize(
    ("spoken", "heard"),
    [
        (b"\xff" * 8, "a frame of 4294967295 bytes"),
        (b"\0\0\0\2\xc1\xc1", "not a message"),
        (encode(Answers([])), "the first message was not Ready"),
        (encode(Ready()) * 2, "Ready was said twice"),
        (encode(Ready()) + encode(Answers([REFUSED] * 3)), "3 answers to 1 jobs"),
        (encode(Ready()) + encode(Answers([])), "0 answers to 1 jobs"),
        (encode(Ready()) + encode(Answers([Decoded({"x" * 65: Value(1)})])), "not a message"),
        (encode(Ready()) + encode(Answers([Decoded({str(n): Value(n) for n in range(1025)})])), "not a message"),
        (encode(Failed("no memory left")), "no memory left"),
    ],
    ids=["length", "junk", "early", "twice", "many", "none", "long name", "many values", "failed"],
)
def test_process_that_speaks_nonsense(spoken: bytes, heard: str) -> None:
    async def body(site: Site) -> None:
        future = site.host.submit(site.job())
        await site.until_deaths(2)
        assert heard in site.host.status().last_death
        assert not future.done()

    program = f"import os, time; os.write(0, {spoken!r}); time.sleep(600)"
    serve(body, HostLimits(crashes=1000), (sys.executable, "-c", program))
