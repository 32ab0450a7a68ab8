"""Any sequence of puts, sends, thinnings and restarts: nothing is confused with anything, every loss is counted."""

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.daemon.outbox_fakes import copy_of
from tests.daemon.thinner_fakes import backlog, forwarder, number, put, ready, record
from torhaus.daemon.outbox.record import Damaged, Stored
from torhaus.daemon.outbox.store import MAIN
from torhaus.daemon.outbox.thinner import Thinner

OP: Final = st.one_of(
    st.tuples(st.just("put"), st.lists(st.sampled_from("aabbbc!e"), min_size=1, max_size=40)),
    st.tuples(st.just("send"), st.sampled_from(["fast", "slow"]), st.integers(1, 60)),
    st.tuples(st.just("thin")),
    st.tuples(st.just("reopen"), st.booleans()),
)


class World:
    """An outbox, two forwarders, and a model of what they must have got or lost."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "0"
        self.lives = 0
        self.put: list[str] = []
        self.sent: dict[str, Counter[int]] = {"fast": Counter(), "slow": Counter()}

    async def open(self) -> None:
        self.box = await ready(self.folder)
        self.cursors = {name: await forwarder(self.box, name) for name in self.sent}
        self.thinner = Thinner(self.box, MAIN, 2)

    async def reopen(self, *, crash: bool) -> None:
        await self.box.save()
        old, self.lives = self.folder, self.lives + 1
        if crash:
            self.folder = copy_of(old, old.with_name(str(self.lives)))
        await self.box.close()
        await self.open()

    async def send(self, name: str, most: int) -> None:
        cursor = self.cursors[name]
        gap = cursor.gap(self.box.logs[MAIN].head)
        if gap is not None:
            batch, _ = await backlog(self.box, cursor).read(*gap, most)
            for s in batch:
                self.sent[name][number(s)] += 1
                cursor.settle(s.pos)

    async def check(self) -> None:
        found = await self.box.everything()
        assert not [r for r in found if isinstance(r, Damaged)]
        there = {number(r): r for r in found if isinstance(r, Stored)}
        for n, r in there.items():  # the id and what it stands for belong together for life
            assert r.seq == n
            assert r.record == record(self.put[n], n)
        dropped = await self.box.on_state(lambda s: s.dropped())
        for name, cursor in self.cursors.items():
            waiting = {number(r) for r in found if isinstance(r, Stored) and r.pos not in cursor.settled}
            assert cursor.backlog(self.box.logs[MAIN].head) == len(waiting)
            assert set(self.sent[name].values()) <= {1}
            assert not waiting & self.sent[name].keys()
            lost = dropped.get((name, "thinned"), 0)
            assert len(waiting) + len(self.sent[name]) + lost == len(self.put)
            whole = {n for n, what in enumerate(self.put) if what in "!e"}
            assert whole <= waiting | self.sent[name].keys()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OP, max_size=25))
def test_nothing_is_confused_and_every_loss_is_counted(ops: list[tuple[object, ...]]) -> None:
    async def go(folder: Path) -> None:
        world = World(folder)
        await world.open()
        for op in ops:
            match op:
                case ("put", list(whats)):
                    await put(world.box, *whats, start=len(world.put))
                    world.put += whats
                case ("send", str(name), int(most)):
                    await world.send(name, most)
                case ("thin",):
                    await world.thinner.look()
                case ("reopen", bool(crash)):
                    await world.reopen(crash=crash)
        await world.box.save()
        await world.check()
        await world.box.close()

    folder = Path(tempfile.mkdtemp(prefix="thinner-"))
    try:
        asyncio.run(go(folder))
    finally:
        shutil.rmtree(folder)
