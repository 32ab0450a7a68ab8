import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.daemon.outbox_fakes import Box, copy_of, number, pending, reading
from torhaus.codecs.model import Value
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Stored, Verdict
from torhaus.daemon.outbox.store import MAIN, Limits

T = TypeVar("T")


class Life(RuleBasedStateMachine):
    """What was acknowledged and not dropped is there once, in order, under its id: whatever happens to the process."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp(prefix="torhaus-outbox-"))
        self.lives = 0
        self.next = 0
        self.have: dict[int, tuple[str, int, int]] = {}  # position to store, number, what it says
        self.waiting: dict[int, str] = {}  # position to what its script will say
        self.ids: set[tuple[str, int]] = set()
        self.settled = Ranges()
        self.open()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def open(self) -> None:
        async def go() -> Box:
            box = Box(self.root / str(self.lives), Limits(max_bytes=1 << 21, commit_window_s=0))
            await box.open()
            return box

        self.box = self.run(go())
        self.box.logs[MAIN].segment_bytes = 30_000
        self.settled = self.run(self.box.on_state(lambda s: s.settled("mqtt", MAIN))) or Ranges()
        self.settled.forget_below(self.box.logs[MAIN].head)
        self.box.settled_by[MAIN]["mqtt"] = self.settled
        self.box.undecoded = Ranges([(p, p + 1) for p in self.waiting])
        self.box.scanned_to = 1 << 62
        self.box.before_flush.append(lambda f: f.settled.__setitem__(("mqtt", MAIN), list(self.settled)))
        self.box.subscribe(MAIN, self.fed)
        assert not self.box.set_aside

    def fed(self, batch: list[Stored]) -> None:
        for s in batch:
            if s.pos in self.have:
                assert self.have[s.pos] == (s.store, s.seq, number(s))  # its script has answered
                continue
            assert (s.store, s.seq) not in self.ids
            self.ids.add((s.store, s.seq))
            self.have[s.pos] = (s.store, s.seq, number(s))
            if s.record.pending:
                self.waiting[s.pos] = s.store

    @rule(n=st.integers(1, 4), weight=st.sampled_from([0, 12_000]), is_script=st.booleans())
    def put(self, n: int, weight: int, is_script: bool) -> None:
        numbered = range(self.next, self.next + n)
        self.next += n
        records = [pending(i) if is_script and i % 2 else reading(i, weight=weight) for i in numbered]
        before = len(self.have)
        assert self.run(self.box.store(*records))
        assert len(self.have) == before + n

    @precondition(lambda self: self.waiting)
    @rule()
    def script_answers(self) -> None:
        async def go() -> None:
            for one in await self.box.pending(0, 2):
                self.box.put_verdict(one, Verdict({"n": Value(number(one))}))
                self.waiting.pop(one.pos)
            await self.box.until(lambda: not self.box.has_waiting())

        self.run(go())

    @precondition(lambda self: self.have)
    @rule(share=st.integers(1, 4))
    def settle(self, share: int) -> None:
        for pos in sorted(self.have)[: len(self.have) * share // 4]:
            self.settled.add(pos, pos + 1)

    @rule()
    def save(self) -> None:
        async def go() -> None:
            await self.box.save()
            await self.box.settled()

        self.run(go())

    @rule()
    def reopen(self) -> None:
        self.run(self.box.close())
        self.open()

    @rule()
    def crash(self) -> None:
        self.run(self.box.settled())  # a copy of files that change meanwhile is not what a crash leaves
        self.lives += 1
        copy_of(self.root / str(self.lives - 1), self.root / str(self.lives))
        self.run(self.box.close())
        self.open()

    @invariant()
    def is_there(self) -> None:
        found = [s for s in self.run(self.box.everything()) if isinstance(s, Stored)]
        head = self.box.logs[MAIN].head
        kept = {p: x for p, x in self.have.items() if p >= head}
        assert [(s.pos, (s.store, s.seq, number(s))) for s in found] == sorted(kept.items())
        assert {s.pos for s in found if s.record.pending} == {p for p in self.waiting if p >= head}
        assert all(p in self.settled for p in self.have if p < head)
        assert all(p >= head for p in self.waiting), "unlinked before its script had answered"
        assert not self.box.told.drops

    def teardown(self) -> None:
        self.run(self.box.close())
        self.loop.close()
        shutil.rmtree(self.root)


Life.TestCase.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase
