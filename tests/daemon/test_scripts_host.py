"""The host with a real script process: answers in order, bounds, registering, shutting down."""

import asyncio
import os
import signal

import pytest
import uvloop

from tests.daemon.clocks import FakeClock
from tests.daemon.scripts_fakes import SCRIPTS, Site, fields, refusal, serve, total
from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.daemon.scripts import source
from torhaus.daemon.scripts.host import ScriptHost
from torhaus.daemon.scripts.host_model import HostLimits
from torhaus.daemon.scripts.protocol import MAX_PAYLOAD_BYTES, MAX_SOURCE_BYTES


def test_one_job() -> None:
    async def body(site: Site) -> None:
        assert await site.host.submit(site.job(b"\x01\x02")) == total(b"\x01\x02")
        with pytest.raises(DecodeError, match=r"script_error: climate\.js:17:42: Error: unknown channel"):
            await site.host.submit(site.job(b"\x07", name="climate.js"))
        with pytest.raises(DecodeError, match=r"script_time: hostile\.js:\d+:\d+: took longer"):
            await site.host.submit(site.job(b"\x07", name="hostile.js"))
        assert await site.host.submit(site.job(b"\x03")) == total(b"\x03")

    status = serve(body).host.status()
    assert (status.starts, status.deaths) == (2, 0)  # the suspects', and that of the proven one


def test_started_by_the_first_job() -> None:
    async def body(site: Site) -> None:
        await asyncio.sleep(0)
        assert (site.host.status().pid, site.host.status().starts) == (None, 0)
        await site.host.submit(site.job())
        assert site.host.status().starts == 1

    serve(body)


def test_many_jobs_in_order() -> None:
    async def body(site: Site) -> None:
        jobs = [site.job(bytes([n % 256, n // 256]), ref=n) for n in range(1000)]
        assert site.offer(jobs) == 1000
        await site.until(1000)
        assert [job.ref for job, _ in site.answers] == list(range(1000))
        assert all(fields(answer) == total(job.payload) for job, answer in site.answers)

    serve(body)


def test_refusals_leave_their_neighbours_alone() -> None:
    async def body(site: Site) -> None:
        jobs = [site.job(b"\x05", port, "hostile.js" if port % 2 else "ttn2.js", port) for port in range(1, 22)]
        site.offer(jobs)
        await site.until(21)
        for job, answer in site.answers:
            if job.fport in {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21}:
                assert refusal(answer).detail.startswith("hostile.js")
            else:
                assert fields(answer) == total(b"\x05", job.fport or 0)

    assert serve(body).host.status().deaths == 0


def test_results_larger_than_a_frame_together() -> None:
    async def body(site: Site) -> None:
        name = "large.js"
        site.hashes[name] = site.host.register(
            "function Decoder() { var d = {}; for (var i = 0; i < 31; i++) d[i] = '\u20ac'.repeat(2000); return d; }"
        )
        site.offer([site.job(name=name, ref=n) for n in range(128)])
        await site.until(128)
        assert {len(fields(answer)) for _, answer in site.answers} == {31}

    assert serve(body).host.status().deaths == 0


def test_full_queue_is_said() -> None:
    async def main() -> None:
        site = Site(HostLimits(queued=10))
        jobs = [site.job(bytes([n]), ref=n) for n in range(12)]
        assert site.offer(jobs) == 10
        assert site.host.room == 0
        assert site.offer(jobs[10:]) == 0
        with pytest.raises(asyncio.QueueFull):
            site.host.submit(jobs[11])
        async with asyncio.TaskGroup() as group:
            running = group.create_task(site.host.run())
            await site.until(10)
            assert site.offer(jobs[10:]) == 2
            await site.until(12)
            running.cancel()
        assert [job.ref for job, _ in site.answers] == list(range(12))

    asyncio.run(main())


def test_too_long_payload_is_refused() -> None:
    async def body(site: Site) -> None:
        longest = b"\x01" * MAX_PAYLOAD_BYTES
        assert await site.host.submit(site.job(longest)) == total(longest)
        with pytest.raises(DecodeError) as caught:
            await site.host.submit(site.job(longest + b"\x01"))
        assert caught.value.reason is RejectReason.LONG

    serve(body)


def test_forgotten_script() -> None:
    async def body(site: Site) -> None:
        job = site.job(b"\x02")
        assert await site.host.submit(job) == total(b"\x02")
        site.host.forget(job.source_hash)
        with pytest.raises(DecodeError, match="withdrawn"):
            await site.host.submit(job)
        assert site.host.register((SCRIPTS / "ttn2.js").read_text()) == job.source_hash
        assert await site.host.submit(job) == total(b"\x02")
        site.host.forget("no such script")

    serve(body)


def test_bounds_on_scripts() -> None:
    host = ScriptHost(FakeClock())
    with pytest.raises(ValueError, match="at most"):
        host.register("//" + "x" * MAX_SOURCE_BYTES)
    for number in range(source.MAX_SCRIPTS):
        host.register(f"// {number}")
    assert host.register("// 1") == host.register("// 1")
    with pytest.raises(ValueError, match="more than"):
        host.register("// one more")
    host.forget(host.register("// 1"))
    host.register("// one more")


def test_text_in_another_encoding() -> None:
    async def body(site: Site) -> None:
        text = b"function Decoder() { return { unit: '\xb0C' }; }".decode("utf-8", "surrogateescape")
        site.hashes["old.js"] = site.host.register(text)
        assert await site.host.submit(site.job(name="old.js")) == {"unit": Value("\u00b0C")}

    serve(body)


def test_shutdown_cancels_what_waits() -> None:
    async def main() -> None:
        site = Site()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(site.host.run())
            await site.prove()
            pid = site.pid
            os.kill(pid, signal.SIGSTOP)
            in_hand = site.host.submit(site.job())
            await site.until_in_hand()
            queued = site.host.submit(site.job())
            running.cancel()
        assert in_hand.cancelled()
        assert queued.cancelled()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    asyncio.run(main())


def test_cancelled_future_is_no_trouble() -> None:
    async def body(site: Site) -> None:
        site.host.submit(site.job()).cancel()
        assert await site.host.submit(site.job(b"\x04")) == total(b"\x04")

    serve(body)


def test_uvloop() -> None:
    async def main() -> None:
        site = Site()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(site.host.run())
            await site.prove()
            os.kill(site.pid, signal.SIGKILL)
            assert await site.host.submit(site.job()) == total(b"\x01")
            running.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
