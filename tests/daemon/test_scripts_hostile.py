"""Hostile scripts in the real script process: each ends within its limit, the others' results come in their order, the
process lives on, and its memory returns.
"""

import re
from pathlib import Path

import pytest

from tests.daemon.scripts_fakes import Site, fields, serve, total
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.protocol import STRIKES, Decoded, Job

TRICKS = range(1, 26)
OUTCOMES = {
    RejectReason.SCRIPT_TIME: {2, 4, 9, 10, 12, 14, 24},
    RejectReason.SCRIPT_MEMORY: {15, 21},  # 19 has one or the other, as fast as the machine is
}
GROWN_MIB = 16


def memory_mib(pid: int) -> float:
    """Resident memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def job(site: Site, fport: int, ref: int, eui: str | None = None, name: str = "tricks.js") -> Job:
    return Job(name, site.hashes[name], b"\x01", fport, "2026-01-02T03:04:05Z", eui, ref=ref)


def test_every_trick_ends_and_others_go_on() -> None:
    kinds: dict[int, str] = {}

    async def body(site: Site) -> None:
        await site.prove()
        site.offer([job(site, 50, 0)])
        await site.until(1)
        pid, suspects = site.pid, site.host.status().suspect_pid
        assert suspects is not None
        before = memory_mib(pid), memory_mib(suspects)
        for fport in TRICKS:
            count = len(site.answers)
            site.offer(
                [job(site, fport, 10), site.job(b"\x07", ref=11), job(site, 50, 12), site.job(b"\x07\x08", ref=13)]
            )
            await site.until(count + 4)
            answers = {made.ref: answer for made, answer in site.answers[count:]}
            assert [made.ref for made, _ in site.answers[count:] if made.ref in {10, 12}] == [10, 12]
            assert [made.ref for made, _ in site.answers[count:] if made.ref in {11, 13}] == [11, 13]
            assert (fields(answers[11]), fields(answers[13])) == (total(b"\x07"), total(b"\x07\x08"))
            trick, honest = answers[10], answers[12]
            assert isinstance(honest, Decoded), (fport, honest)
            kinds[fport] = trick.reason if isinstance(trick, DecodeError) else "result"
            if isinstance(trick, DecodeError):
                assert trick.detail.startswith("tricks.js"), trick
        status = site.host.status()
        assert (site.pid, status.suspect_pid, status.deaths) == (pid, suspects, 0)
        assert memory_mib(pid) - before[0] < GROWN_MIB
        assert memory_mib(suspects) - before[1] < GROWN_MIB

    serve(body)
    for reason, fports in OUTCOMES.items():
        assert {fport for fport in fports if kinds[fport] != reason} == set(), kinds


def test_one_that_keeps_breaking_its_limits_is_set_aside() -> None:
    """Of a hundred records of a hopeless script a few cost time, and those of others are among the first answers."""

    async def body(site: Site) -> None:
        bad = [job(site, 9, n, "a1") for n in range(100)]
        site.offer([*bad[:50], *(site.job(b"\x07", ref=200 + n) for n in range(9)), *bad[50:]])
        await site.until(109)
        reasons = [answer.reason for _, answer in site.answers if isinstance(answer, DecodeError)]
        assert reasons.count(RejectReason.SCRIPT_TIME) == STRIKES
        assert reasons.count(RejectReason.SCRIPT_ASIDE) == 100 - STRIKES
        assert sum(isinstance(answer, Decoded) for _, answer in site.answers) == 9
        status = site.host.status()
        assert (status.aside, status.pauses) == (("tricks.js",), 1)
        site.clock.advance(61)
        site.offer([job(site, 50, 300, "a1")])
        await site.until(110)
        assert isinstance(site.answers[-1][1], Decoded)
        assert site.host.status().aside == ()

    serve(body)


def test_a_proven_script_that_turns_costs_little_within_one_batch() -> None:
    async def body(site: Site) -> None:
        site.offer([job(site, 50, 0, "a1")])
        await site.until(1)
        site.offer([job(site, 9, n, "a1") for n in range(100)] + [site.job(b"\x07", ref=200)])
        await site.until(102)
        reasons = [answer.reason for _, answer in site.answers if isinstance(answer, DecodeError)]
        assert reasons.count(RejectReason.SCRIPT_TIME) == STRIKES
        assert reasons.count(RejectReason.SCRIPT_ASIDE) == 100 - STRIKES

    serve(body)


@pytest.mark.parametrize("fport", [1, 7, 8, 16, 17, 18, 22, 23, 25])
def test_tricks_that_are_harmless_give_their_result(fport: int) -> None:
    async def body(site: Site) -> None:
        site.offer([job(site, fport, 1), job(site, 50, 2)])
        await site.until(2)
        assert fields(site.answers[0][1])["a"].value == 1
        assert fields(site.answers[1][1])["port"].value == 50

    serve(body)
