"""The two processes as they come and go."""

import asyncio
import os
import signal
from pathlib import Path

from tests.daemon.scripts_fakes import Site, serve, total, until
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.host_model import HostLimits


def test_the_suspects_process_goes_when_there_are_none() -> None:
    """And comes again for the next one. The proven ones' stays."""

    async def body(site: Site) -> None:
        await site.prove()
        pid, suspects = site.pid, site.host.status().suspect_pid
        assert suspects is not None
        await until(lambda: site.clock.sleeping > 0)
        site.clock.advance(29.0)
        await asyncio.sleep(0)
        assert site.host.status().suspect_pid == suspects
        site.clock.advance(2.0)
        await until(lambda: not Path(f"/proc/{suspects}").exists())
        assert site.host.status().suspect_pid is None
        assert await site.host.submit(site.job(b"\x03")) == total(b"\x03")
        assert site.host.status().suspect_pid is None
        await site.host.submit(site.job(name="chirpstack.js", payload=b"\x01\x00\xd6", fport=5))
        assert site.host.status().suspect_pid is not None
        assert (site.pid, site.host.status().deaths) == (pid, 0)

    serve(body)


def test_it_does_not_go_while_it_works() -> None:
    async def body(site: Site) -> None:
        await site.prove()
        suspects = site.host.status().suspect_pid
        assert suspects is not None
        os.kill(suspects, signal.SIGSTOP)
        future = site.host.submit(site.job(b"\x01\x00\xd6", 5, "chirpstack.js"))
        await until(lambda: bool(site.host._second.in_hand))
        site.clock.advance(31.0)
        await asyncio.sleep(0.01)
        os.kill(suspects, signal.SIGCONT)
        assert await future
        assert site.host.status().deaths == 0

    serve(body, HostLimits(hang_s=1e6, hasty_hang_s=1e6))


def test_who_takes_long_is_tried_again_among_the_suspects() -> None:
    """Longer than it may among proven ones, less than the limit: a result, and no strike."""

    async def body(site: Site) -> None:
        slow = (
            "function Decoder(bytes) { var end = Date.now() + bytes[0]; while (Date.now() < end);"
            " return { waited: bytes[0] }; }"
        )
        site.hashes["slow.js"] = site.host.register(slow)
        site.offer([site.job(bytes([n]), name="slow.js", ref=ref) for ref, n in enumerate((0, 60, 0, 0))])
        await site.until(4)
        assert [job.ref for job, _ in site.answers] == [0, 1, 2, 3]
        assert not any(isinstance(answer, DecodeError) for _, answer in site.answers)
        status = site.host.status()
        assert (status.sent_away, status.pauses, status.aside) == (1, 0, ())

    serve(body)


def test_a_newcomer_gets_its_turn_beside_hopeless_ones() -> None:
    async def body(site: Site) -> None:
        await site.prove()
        for n in range(3):
            site.hashes[f"bad{n}"] = site.host.register(f"function Decoder() {{ while (true); }} // {n}")
            site.offer([site.job(name=f"bad{n}", ref=-1)] * 2)
        await until(lambda: bool(site.host._second.in_hand))
        new = site.host.submit(site.job(b"\x01\x00\xd6", 5, "chirpstack.js"))
        assert await site.host.submit(site.job(b"\x05")) == total(b"\x05")  # the proven one waits for nobody
        assert await new
        assert len(site.answers) <= 4  # of six
        await site.until(6)
        reasons = {answer.reason for _, answer in site.answers if isinstance(answer, DecodeError)}
        assert reasons == {RejectReason.SCRIPT_TIME}

    serve(body)
