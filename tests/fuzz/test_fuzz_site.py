"""A site that answers its devices, and what anybody can send it: refused and counted, and the device is served on.

Beside changed frames, as in targets.py: join-requests and MAC commands that were changed before their MIC was made, as
a device with a defect sends them.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.daemon.lora_device import JOIN_EUI
from tests.daemon.mac_scene import MacScene
from tests.daemon.test_lora_accepts import Rejoining
from tests.fuzz.mac_answers import SEEDS
from tests.fuzz.mutate import mutants
from torhaus.codecs.lorawan.aes import cmac
from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.join import build_join_request
from torhaus.codecs.lorawan.phy import DataFrame, parse
from torhaus.daemon.lora.join_book import MAX_ATTEMPTS, MAX_STRANGERS
from torhaus.daemon.lora.joins import MAX_UNPROVED

ROUNDS: Final = int(os.environ.get("TORHAUS_FUZZ_ROUNDS", "5000")) // 10
"""A tenth of the others' rounds: each has an answer, and its bytes were read there as well."""
SEED: Final = 20261127
TOGETHER: Final = 40
FOPTS_BYTES: Final = 15
FPORT_0_BYTES: Final = 222
CONFIG: Final[dict[str, Any]] = {
    "max_duty_cycle": 1,
    "rejoin_count_n": 1,
    "rejoin_time_n": 1,
    "dev_status_s": 60,
    "rx2_dr": 3,
}


class Site(MacScene):
    """With one device that has joined; time passes after every few frames."""

    def __init__(self) -> None:
        super().__init__(Rejoining(), **CONFIG, net_id="000013")
        self.sent = 0

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            self._task = asyncio.create_task(self.standalone.run())
            try:
                await self.join(self.it)
                await body()
                await self.passed()
                await self.still_serves()
            finally:
                await self._kill()

        asyncio.run(main())

    async def passed(self) -> None:
        """What was begun is answered."""
        await self.clock.pass_s(3.0, step_s=0.3)
        assert not self._task.done(), "no answer has failed"
        self.sent += len(self.radio.sent)
        self.radio.sent.clear()
        self.radio.asked.clear()
        assert len(self.book.attempts()) <= MAX_ATTEMPTS + MAX_STRANGERS
        assert len(self.joins._joiners[self.it.eui].live) <= MAX_UNPROVED + 2

    async def still_serves(self) -> None:
        """A confirmed uplink is acknowledged."""
        assert self.up(confirmed=True).reason is None
        await self.settle()
        phy, keys = self.last().data, self.it.keys
        frame = parse(phy)
        assert isinstance(frame, DataFrame)
        assert frame.ack
        assert keys is not None
        acked, counters = self.it.fcnt_up - 1 & 0xFFFF, range(frame.fcnt16, 1 << 20, 1 << 16)
        assert any(keys.verify_downlink(phy, frame, fcnt, conf_fcnt=acked) for fcnt in counters)


@pytest.mark.timeout(24 * 3600 if ROUNDS > 10_000 else 120)
def test_changed_frames() -> None:
    site = Site()

    async def body() -> None:
        it = site.it
        assert isinstance(it, Rejoining)
        assert it.keys is not None
        assert it.dev_addr is not None
        await site.still_serves()
        up = build_uplink(it.keys, it.dev_addr, it.fcnt_up + 9, 5, b"\x01\x00\xd6", fopts=b"\x02\x0d")
        seeds = [up, build_join_request(it.join_key, JOIN_EUI, it.dev_eui, 9), it.again(0), it.again(1)]
        for n, data in enumerate(mutants(seeds, ROUNDS, SEED)):
            got = site.heard(data)
            assert got.reason is None or got.stranger, "what is refused is not among the readings"
            if n % TOGETHER == 0:
                await site.passed()
        it.fcnt_up += 10
        it.counts = {0: 100, 1: 100}

    site.run(body)
    assert site.network.mic_failures > 0
    assert site.book.results.keys() >= {"requested", "wrong_key"}


@pytest.mark.timeout(24 * 3600 if ROUNDS > 10_000 else 120)
def test_changed_join_requests_with_a_right_mic() -> None:
    site = Site()

    async def body() -> None:
        it = site.it
        await site.still_serves()
        seeds = [build_join_request(it.join_key, JOIN_EUI, it.dev_eui, n)[:-4] for n in (2, 500, 65_535)]
        for n, data in enumerate(mutants(seeds, ROUNDS, SEED)):
            got = site.heard(data + cmac(it.join_key, data)[:4])
            assert got.payload is None
            if n % TOGETHER == 0:
                await site.passed()
            if n % (4 * TOGETHER) == 0:
                site.joins.forget_nonces(it.name)

    site.run(body)
    assert site.book.results.keys() >= {"accepted", "nonce_used", "unknown_device"}
    assert site.sent > 1


@pytest.mark.timeout(24 * 3600 if ROUNDS > 10_000 else 120)
def test_changed_mac_commands_of_a_genuine_device() -> None:
    site = Site()

    async def body() -> None:
        for n, data in enumerate(mutants([*SEEDS, b"\x0b\x01\x0c\x0e"], ROUNDS, SEED)):
            if n % 3:
                got = site.up(fopts=data[:FOPTS_BYTES], adr=bool(n & 1), confirmed=not n % 5, snr_db=n % 20 - 10.0)
            else:
                got = site.up(data[:FPORT_0_BYTES], fport=0, adr=True)
            assert got.reason is None
            if n % TOGETHER == 0:
                await site.passed()

    site.run(body)
    assert site.sent > ROUNDS // TOGETHER
    results = site.standalone.mac.requests
    assert {result for _, result in results} >= {"sent", "accepted", "unanswered"}
