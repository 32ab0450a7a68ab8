"""The outbox and its forwarders against a list: all that is acknowledged is somewhere, and is itself."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.crash.load import rounds
from tests.crash.model import MANNERS, World, number_of
from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import reading
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.retention import Limit
from torhaus.daemon.outbox.store import MAIN

YEAR_S = 365 * 86_400
LIMIT_TURNS = 600
SHRUNK_BYTES = 60_000


class Life(RuleBasedStateMachine):
    """Put, send, settle, retry, drop, crash, corrupt, step the clock, change the configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp(prefix="torhaus-model-"))
        self.world = World(self.root)
        self.world.fed = self.fed
        self.next = 0
        self.acked: dict[int, str] = {}  # number to id
        self.ids: dict[str, int] = {}
        self.since: dict[str, int] = {"a": 0}  # what each forwarder is to have: numbers from here on
        self.is_strict = True  # nothing was destroyed that only one file knew
        self.seen = {"a": 0, "b": 0}
        self.dangers: set[str] = set()
        self.run(self.world.open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def fed(self, batch: list[Stored]) -> None:
        for s in batch:
            name = f"{self.world.box.site}/{s.store}/{s.seq}"
            n = int((s.record.device or "")[1:])
            assert name not in self.ids, f"{name} was {self.ids[name]} and is {n}"
            self.ids[name] = n

    @initialize(dangers=st.sets(st.sampled_from(["limit", "corrupt", "destroy"])))
    def choose(self, dangers: set[str]) -> None:
        """What may happen in this world: where nothing is destroyed, nothing at all may be missing."""
        self.dangers = dangers

    @rule(n=st.integers(1, 6), weight=st.sampled_from([0, 9_000]))
    def put(self, n: int, weight: int) -> None:
        numbers = range(self.next, self.next + n)
        self.next += n
        assert self.run(self.world.box.store(*(reading(i, weight=weight) for i in numbers)))
        by_number = {n: name for name, n in self.ids.items()}
        self.acked |= {i: by_number[i] for i in numbers}

    @rule(seconds=st.sampled_from([0.1, 5.0, 100.0, 4000.0]))
    def work(self, seconds: float) -> None:
        self.run(self.world.turn(seconds))

    @rule(name=st.sampled_from("ab"), manner=st.sampled_from(MANNERS))
    def manners(self, name: str, manner: str) -> None:
        self.world.far_sides[name].change(manner)
        self.run(self.world.turn(1.0, steps=3))

    @rule()
    def reopen(self) -> None:
        self.run(self.world.reopen())

    @rule(another_boot=st.booleans())
    def crash(self, another_boot: bool) -> None:
        if another_boot:
            now = self.world.clock
            self.world.clock = FakeClock(now.wall_ns(), 10**9, synced=now.is_synced, boot_id=f"{self.next:032x}")
        self.run(self.world.crash())

    @rule(seconds=st.sampled_from([-YEAR_S, -3600, -1.5, 1.5, 3600, YEAR_S]), synced=st.booleans())
    def step_clock(self, seconds: float, synced: bool) -> None:
        self.world.clock.step_wall(seconds)
        self.world.clock.is_synced = synced

    @precondition(lambda self: "limit" in self.dangers)
    @rule()
    def limit(self) -> None:
        """The disk's share shrinks for a moment: the oldest go, and are counted."""
        log = self.world.box.logs[MAIN]
        before, log.limit = log.limit, Limit(max_bytes=SHRUNK_BYTES)
        self.run(self.world.turn(2.0))
        log.limit = before

    @rule(enabled=st.sampled_from([True, False, None]))
    def second_forwarder(self, enabled: bool | None) -> None:
        """Added, disabled, removed: with a restart, as it is in life."""
        if enabled is None:
            self.world.enabled.pop("b", None)
        else:
            self.world.enabled["b"] = enabled
            if enabled:
                self.since.setdefault("b", self.next)  # positions before it may be there, and may be gone
        self.run(self.world.reopen())

    @precondition(lambda self: self.acked and self.dangers & {"corrupt", "destroy"})
    @rule(which=st.sampled_from(["closed", "newest", "state"]), where=st.integers(0, 1 << 30), bit=st.integers(0, 7))
    def corrupt(self, which: str, where: int, bit: int) -> None:
        """A bit of a file flips while the daemon is down."""

        def flip(folder: Path) -> None:
            files = sorted(p for p in (folder / "log").iterdir() if p.stat().st_size and not p.name.endswith("-shm"))
            newest = f"{self.world.box.logs[MAIN].segments[-1]:020d}"
            if "destroy" not in self.dangers or which == "closed":
                files = [p for p in files if not p.name.startswith(newest)]
            elif which == "state":
                files = [p for p in folder.glob("state.db*") if p.stat().st_size]
                self.is_strict = False
            else:
                files = [p for p in files if p.name.startswith(newest)]
                self.is_strict = False
            if files:
                path = files[where % len(files)]
                data = bytearray(path.read_bytes())
                data[where % len(data)] ^= 1 << bit
                path.write_bytes(data)

        self.run(self.world.crash(flip))

    @invariant()
    def what_arrives_is_what_was_put(self) -> None:
        for name, far_side in self.world.far_sides.items():
            for message in far_side.arrived[self.seen[name] :]:
                n = number_of(message)
                assert self.ids.get(message.id) == n, message
                assert message.fields is not None
                assert message.fields["n"].value == n
                assert message.raw is None or not any(message.raw)
            self.seen[name] = len(far_side.arrived)

    def teardown(self) -> None:
        try:
            self.run(self.finish())
        finally:
            self.run(self.world.stop())
            self.run(self.world.box.close())
            self.loop.close()
            shutil.rmtree(self.root)

    async def finish(self) -> None:
        """Everything is well again: in the end all is accounted for, with every forwarder."""
        world = self.world
        for far_side in world.far_sides.values():
            far_side.change("take")
        await world.reopen()
        for _ in range(LIMIT_TURNS):
            await world.turn(100.0, steps=1)
            if world.done():
                break
        assert world.done(), {name: list(r.cursor.settled) for name, r in world.runners.items()}
        await world.box.save()
        self.what_arrives_is_what_was_put()
        for name in world.runners:
            dead = {int((d.stored.record.device or "")[1:]) for d in await self.dead_letters(name)}
            arrived = {number_of(m) for m in world.far_sides[name].arrived}
            missing = [n for n in self.acked if n >= self.since[name] and n not in arrived and n not in dead]
            if self.is_strict and not world.set_aside:
                assert len(missing) <= await world.counted(name), f"{name} has never heard of {missing}"

    async def dead_letters(self, name: str) -> list[Any]:
        found: list[Any] = await self.world.box.on_state(lambda s: s.dead_letters(name))
        return found


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        pytest.param(15, 25, id="short"),
        pytest.param(rounds(500), 50, marks=[pytest.mark.crash, pytest.mark.timeout(7200)], id="long"),
    ],
)
def test_everything_acknowledged_is_accounted_for(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
