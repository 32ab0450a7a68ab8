"""The two lanes against a model: every wanted position is settled or within reach, and never handed out twice."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from torhaus.codecs.model import Stamp
from torhaus.daemon.forward.cursor import Cursor
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.record import Record, Stored

LIMIT = 4


def stored(pos: int, *, alarm: bool = False) -> Stored:
    return Stored(pos, "0" * 8, pos, "b" * 32, Stamp(1, 1, synced=True), Record("reading", "d", alarm=alarm))


class Machine(RuleBasedStateMachine):
    """Positions are in exactly one of: settled, waiting for a script, live, in a sender's hand, backlog."""

    def __init__(self) -> None:
        super().__init__()
        self.holes = Ranges()
        self.cursor = Cursor(Ranges([(0, 2)]), 3, LIMIT, holes=lambda: self.holes)
        self.tail = 3
        self.head = 0
        self.settled = {0, 1}
        self.waiting: set[int] = set()
        self.live: list[int] = []
        self.alarms: list[int] = []
        self.urgent: set[int] = set()
        self.hand: list[int] = []
        self.is_live = False

    @property
    def backlog(self) -> list[int]:
        busy = self.settled | self.waiting | {*self.live, *self.alarms, *self.hand}
        return [pos for pos in range(self.tail) if pos not in busy and pos not in self.holes]

    @rule(wanted=st.booleans(), ready=st.booleans(), alarm=st.booleans(), skip=st.sampled_from([0, 0, 0, 2]))
    def commit(self, wanted: bool, ready: bool, alarm: bool, skip: int) -> None:
        pos = self.tail + skip
        self.holes = Ranges([*self.holes, (self.tail, pos)])  # positions are left out after damage
        assert self.cursor.feed(stored(pos, alarm=alarm), wanted=wanted, ready=ready) is not wanted
        self.tail = pos + 1
        if wanted and ready and alarm:
            self.urgent.add(pos)
        if not wanted:
            self.settled.add(pos)
        elif not ready:
            self.waiting.add(pos)
        elif self.is_live and alarm:
            self.alarms.append(pos)
            if len(self.alarms) > LIMIT:
                del self.alarms[0]
        elif self.is_live:
            self._into_live(pos)

    @rule(n=st.integers(1, 7))
    def commit_run(self, n: int) -> None:
        positions = range(self.tail, self.tail + n)
        self.cursor.feed_run([stored(pos) for pos in positions])
        self.tail += n
        if self.is_live:
            for pos in positions:
                self._into_live(pos)

    @property
    def gone(self) -> set[int]:
        return {pos for pos in range(self.tail) if pos in self.holes}

    def _into_live(self, pos: int) -> None:
        self.live.append(pos)
        if len(self.live) > LIMIT:
            del self.live[0]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), wanted=st.booleans())
    def answer(self, data: st.DataObject, wanted: bool) -> None:
        pos = data.draw(st.sampled_from(sorted(self.waiting)))
        self.waiting.remove(pos)
        assert self.cursor.feed(stored(pos), wanted=wanted, ready=True) is not wanted
        if not wanted:
            self.settled.add(pos)
        elif self.is_live:
            self._into_live(pos)

    @rule(data=st.data())
    def answer_to_what_does_not_wait(self, data: st.DataObject) -> None:
        """A forwarder of frames sends a record before its script answers; or it lies in the backlog then."""
        pos = data.draw(st.integers(0, self.tail - 1))
        if pos not in self.waiting and pos not in self.holes:
            assert not self.cursor.feed(stored(pos), wanted=True, ready=True)

    @precondition(lambda self: len(self.holes) > 0)
    @rule(data=st.data())
    def salvage(self, data: st.DataObject) -> None:
        """Of what was left out after damage the beginning is found again."""
        start, end = data.draw(st.sampled_from(list(self.holes)))
        smaller = Ranges(self.holes)
        smaller.remove(start, data.draw(st.integers(start, end)))
        self.holes = smaller

    @rule()
    def connect(self) -> None:
        self.cursor.start_live()
        self.is_live = True

    @rule()
    def disconnect(self) -> None:
        self.cursor.stop_live()
        self.is_live = False
        self.live.clear()
        self.alarms.clear()

    @rule(n=st.integers(1, 6))
    def take_live(self, n: int) -> None:
        taken = [s.pos for s in self.cursor.take_live(n)]
        assert taken == self.live[:n]
        del self.live[:n]
        self.hand += taken

    @rule(n=st.integers(1, 6))
    def take_alarms(self, n: int) -> None:
        taken = [s.pos for s in self.cursor.take_alarms(n)]
        assert taken == self.alarms[:n]
        del self.alarms[:n]
        self.hand += taken

    @rule(n=st.integers(1, 6), pending=st.booleans())
    def take_backlog(self, n: int, pending: bool) -> None:
        gap = self.cursor.gap(self.head)
        if gap is None:
            return
        for pos in range(gap[0], min(gap[1], gap[0] + n)):
            if pending:
                self.cursor.wait(pos)
                self.waiting.add(pos)
            else:
                self.cursor.take(pos)
                self.hand.append(pos)

    @precondition(lambda self: self.hand)
    @rule(data=st.data(), how=st.sampled_from(["settle", "release"]))
    def finish(self, data: st.DataObject, how: str) -> None:
        pos = self.hand.pop(data.draw(st.integers(0, len(self.hand) - 1)))
        if how == "settle":
            self.cursor.settle(pos)
            self.settled.add(pos)
        else:
            self.cursor.give_back(stored(pos, alarm=pos in self.urgent))

    @precondition(lambda self: self.backlog)
    @rule()
    def lost_in_the_log(self) -> None:
        """A hole or a damaged stretch is settled as a run."""
        gap = self.cursor.gap(self.head)
        assert gap is not None
        self.cursor.settle(gap[0], gap[1] - gap[0])
        self.settled |= set(range(*gap))

    @invariant()
    def nothing_is_lost_and_nothing_is_handed_out_twice(self) -> None:
        cursor = self.cursor
        assert [s.pos for s in cursor.live] == self.live
        assert [s.pos for s in cursor.alarms] == self.alarms
        first_alarm = next((pos for pos in self.backlog if pos in self.urgent), None)
        assert (cursor.alarm_gap(self.head) or (None,))[0] == first_alarm
        places = [*self.live, *self.alarms, *self.hand, *self.waiting, *self.backlog]
        assert len(places) == len(set(places))
        found: list[int] = []
        start = self.head
        while (gap := cursor.gap(start)) is not None:
            assert gap[0] < gap[1]
            found += range(*gap)
            start = gap[1]
        assert found == self.backlog
        assert cursor.tail == self.tail
        assert {p for p in range(self.tail) if p in cursor.settled} == self.settled
        assert cursor.backlog(self.head) == len([p for p in range(self.tail) if p not in self.settled | self.gone])


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCursor = Machine.TestCase


def test_the_oldest_fall_out_of_a_full_live_lane() -> None:
    cursor = Cursor(Ranges(), 0, 3)
    cursor.start_live()
    for pos in range(10):
        cursor.feed(stored(pos), wanted=True, ready=True)
    assert [s.pos for s in cursor.take_live(99)] == [7, 8, 9]
    assert cursor.gap(0) == (0, 7)


def test_a_frame_that_is_under_way_is_not_sent_again_when_its_script_answers() -> None:
    cursor = Cursor(Ranges(), 0)
    cursor.start_live()
    cursor.feed(stored(0), wanted=True, ready=True)
    cursor.feed(stored(0), wanted=True, ready=True)
    assert len(cursor.take_live(9)) == 1
    cursor.feed(stored(0), wanted=True, ready=True)
    assert cursor.take_live(9) == []
    assert cursor.gap(0) is None
    cursor.settle(0)
    cursor.feed(stored(0), wanted=True, ready=True)
    assert cursor.take_live(9) == []


def test_what_was_dropped_while_it_waited_does_not_come_back() -> None:
    cursor = Cursor(Ranges(), 0)
    cursor.start_live()
    cursor.feed(stored(0), wanted=True, ready=False)
    cursor.settled.forget_below(5)
    cursor.feed(stored(0), wanted=True, ready=True)
    assert cursor.take_live(9) == []
    assert cursor.gap(0) is None


@pytest.mark.parametrize(("head", "gap"), [(0, (0, 3)), (2, (2, 3)), (3, (5, 9)), (9, None), (50, None)])
def test_the_backlog_begins_at_the_head(head: int, gap: tuple[int, int] | None) -> None:
    assert Cursor(Ranges([(3, 5)]), 9).gap(head) == gap


def test_in_hand_is_what_is_neither_settled_nor_backlog() -> None:
    cursor = Cursor(Ranges([(0, 3)]), 20)
    assert cursor.in_hand(0) == 0
    cursor.take(5)
    cursor.take(6)
    cursor.wait(10)
    assert (cursor.in_hand(0), cursor.in_hand(6)) == (3, 2)
    cursor.settle(5)
    assert cursor.in_hand(0) == 2


def test_what_is_rewritten_is_left_alone_until_it_is_let_go() -> None:
    cursor = Cursor(Ranges(), 20)
    cursor.note_alarm(7)
    cursor.take(3)
    assert not cursor.hold(0, 5)  # somebody has it in hand
    assert cursor.hold(5, 10)
    assert (cursor.is_held(0, 5), cursor.is_held(0, 6), cursor.is_held(9, 30)) == (False, True, True)
    assert (cursor.gap(5), cursor.alarm_gap(0), cursor.first_waiting()) == ((10, 20), None, 5)
    assert cursor.backlog(0) == 20  # it still has to be sent
    cursor.let_go(5, 10, None)
    assert (cursor.gap(5), cursor.alarm_gap(0), cursor.first_waiting()) == ((5, 20), (7, 8), 20)
    assert cursor.hold(5, 10)
    cursor.let_go(5, 10, (6,))
    assert cursor.alarm_gap(0) == (6, 7)  # where it is now


def state(cursor: Cursor) -> tuple[object, ...]:
    lanes = [s.pos for s in cursor.live], [s.pos for s in cursor.alarms]
    return (*lanes, list(cursor._busy), list(cursor._waiting), list(cursor.settled), cursor.tail, cursor.is_live)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("answered", [2, 3, LIMIT + 2])
def test_runs_that_wait_for_scripts_are_as_one_by_one(ordered: bool, live: bool, answered: int) -> None:
    """More of them than memory holds, and such as do not wait any more, too."""
    one, all_ = (Cursor(Ranges(), 0, LIMIT, ordered=ordered) for _ in range(2))
    run = [stored(pos) for pos in range(LIMIT + 2)]
    for cursor in (one, all_):
        if live:
            cursor.start_live()
    for s in run:
        one.feed(s, wanted=True, ready=False)
    all_.wait_run(run)
    assert state(all_) == state(one)
    for cursor in (one, all_):
        cursor.settle(1)
    for s in run[:answered]:
        one.feed(s, wanted=True, ready=True)
    all_.feed_answered(run[:answered])
    assert state(all_) == state(one)


def test_answered_ones_go_to_the_live_lane_in_one_go() -> None:
    cursor = Cursor(Ranges(), 0, LIMIT)
    cursor.start_live()
    run = [stored(pos) for pos in range(3)]
    cursor.wait_run(run)
    cursor.feed_answered(run)
    assert cursor.take_live(10) == run
    assert cursor.gap(0) is None


def test_whether_a_stretch_is_free() -> None:
    cursor = Cursor(Ranges([(0, 2)]), 10)
    cursor.take(5, 2)
    assert [cursor.is_free(*stretch) for stretch in ((2, 5), (1, 5), (2, 6), (6, 10), (7, 10))] == [
        True, False, False, False, True,
    ]  # fmt: skip
