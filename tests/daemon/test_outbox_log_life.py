import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.daemon.outbox_fakes import AT, copy_of, number, open_log, put, read_all
from torhaus.daemon.outbox.log import Log
from torhaus.daemon.outbox.record import Damaged, Stored


class AgainstAList(RuleBasedStateMachine):
    """Put, roll, drop, reopen, crash: what was stored and not dropped is there once, in order, under its id."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="torhaus-log-"))
        self.crashes = 0
        self.next = 0
        self.have: list[tuple[int, str, int, int]] = []  # position, store, seq, number
        self.ids: set[tuple[str, int]] = set()
        self.positions: set[int] = set()
        self.log = self.open()

    def open(self) -> Log:
        log = open_log(self.root / f"log{self.crashes}")
        log.segment_bytes = 20_000
        return log

    @rule(n=st.integers(1, 5), weight=st.sampled_from([0, 10, 9_000]))
    def put(self, n: int, weight: int) -> None:
        for s in put(self.log, *range(self.next, self.next + n), weight=weight):
            assert (s.store, s.seq) not in self.ids
            assert s.pos not in self.positions
            self.ids.add((s.store, s.seq))
            self.positions.add(s.pos)
            self.have.append((s.pos, s.store, s.seq, number(s)))
        self.next += n

    @rule()
    def roll(self) -> None:
        was_full, segments = self.log.is_full, len(self.log.segments)
        assert self.log.roll(AT.wall_ns) == was_full
        assert len(self.log.segments) == segments + was_full

    @precondition(lambda self: len(self.log.segments) > 1)
    @rule(keep=st.integers(0, 2))
    def drop(self, keep: int) -> None:
        segments = self.log.segments
        below = segments[max(0, len(segments) - 1 - keep)]
        self.log.unlink_below(below)
        assert self.log.head == below
        self.have = [x for x in self.have if x[0] >= below]

    @rule()
    def read_somewhere(self) -> None:
        if self.have:
            pos = self.have[len(self.have) // 2][0]
            found = self.log.read(pos, 3)
            assert [(r.pos, number(r)) for r in found] == [(p, n) for p, _, _, n in self.have if p >= pos][: len(found)]

    @rule()
    def reopen(self) -> None:
        self.log.close()
        self.log = self.open()

    @rule()
    def crash(self) -> None:
        before = self.root / f"log{self.crashes}"
        self.crashes += 1
        copy_of(before, self.root / f"log{self.crashes}")
        self.log.close()
        shutil.rmtree(before)
        self.log = self.open()

    @invariant()
    def everything_is_there(self) -> None:
        found = read_all(self.log)
        assert [(r.pos, r.store, r.seq, number(r)) for r in found if isinstance(r, Stored)] == self.have
        assert not any(isinstance(r, Damaged) for r in found)
        assert self.log.records == len(self.have)
        assert not self.log.set_aside

    def teardown(self) -> None:
        self.log.close()
        shutil.rmtree(self.root)


AgainstAList.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestAgainstAList = AgainstAList.TestCase
