"""The two processes' work against processes that are played: every job has one answer, each device's in order."""

import random
from collections import defaultdict

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.aside import Aside
from torhaus.daemon.scripts.host_model import Answer, HostLimits, Waiting
from torhaus.daemon.scripts.protocol import Decoded, Job
from torhaus.daemon.scripts.trust import Trust
from torhaus.daemon.scripts.work import MAX_BATCH, Proven, Suspects

TIME = DecodeError(RejectReason.SCRIPT_TIME, "")
PUT_OFF = DecodeError(RejectReason.SCRIPT_ASIDE, "")
ERROR = DecodeError(RejectReason.SCRIPT_ERROR, "")
GOOD = Decoded({})


class House:
    """Both works, wired as the host does it."""

    def __init__(self, bounds: HostLimits | None = None) -> None:
        self.clock = FakeClock()
        self.trust = Trust()
        self.answers: list[tuple[Job, Answer]] = []
        aside = Aside(self.clock)

        def settle(pairs: list[tuple[Waiting, Answer]]) -> None:
            for waiting, answer in pairs:
                aside.note(waiting.job, answer.reason if isinstance(answer, DecodeError) else None)
                self.answers.append((waiting.job, answer))

        self.suspects = Suspects(self.trust, aside, self.clock, bounds or HostLimits(), settle)
        self.proven = Proven(self.trust, settle, self.suspects.turns.add)
        self.suspects.move = self.proven.queue.append
        self._ref = 0

    def put(self, script: str, eui: str = "a1", payload: bytes = b"") -> None:
        job = Job(script, script, payload, dev_eui=eui, ref=self._ref)
        self._ref += 1
        waiting = Waiting(job, None, None)
        if self.trust.trusts(job):
            self.proven.queue.append(waiting)
        else:
            self.suspects.turns.add(waiting)

    def suspect(self, answer: Answer = GOOD) -> str:
        """One turn among the suspects; the script that had it."""
        (waiting,) = self.suspects.take()
        self.suspects.answered([(waiting, answer)])
        self.suspects.finished()
        return waiting.job.source_hash

    @property
    def refs(self) -> list[int]:
        return [job.ref for job, _ in self.answers]


def test_what_waits_behind_a_first_good_result_moves_with_it() -> None:
    house = House()
    for n in range(5):
        house.put("good", f"{n % 2}")
    house.put("other")
    house.suspect()
    assert [w.job.ref for w in house.proven.take()] == [1, 2, 3, 4]
    assert len(house.suspects.turns) == 1


def test_an_error_proves_nothing() -> None:
    house = House()
    house.put("s")
    house.put("s")
    house.suspect(ERROR)
    assert (len(house.proven.queue), len(house.suspects.turns)) == (0, 1)


def test_cut_short_is_no_verdict() -> None:
    """The device moves with all that it has waiting, in order; others of the script stay."""
    house = House()
    house.put("s", "a1")
    house.suspect()
    for eui in ("a1", "b2", "a1"):
        house.put("s", eui)
    batch = house.proven.take()
    house.put("s", "a1")
    house.put("s", "b2")
    house.proven.answered([(batch[0], TIME)])
    house.put("s", "a1")  # while the batch is still under way
    house.proven.answered(list(zip(batch[1:], [PUT_OFF, PUT_OFF], strict=True)))
    house.proven.finished()
    assert [w.job.ref for w in house.proven.queue] == [2, 5]
    assert [w.job.ref for w in house.suspects.turns.clear()] == [1, 3, 4, 6]
    assert house.refs == [0]


def test_a_lost_batch_is_tried_one_by_one() -> None:
    house = House(HostLimits(crashes=2))
    for script in ("s", "t"):
        house.put(script)
        house.suspect()
        house.put(script)
        house.put(script)
    batch = house.proven.take()
    house.proven.lost(batch, "SIGKILL")
    assert not house.proven
    first = house.suspects.take()
    house.suspects.lost(first, "SIGKILL")
    assert house.refs == [0, 3]
    house.suspects.lost(house.suspects.take(), "SIGKILL")
    house.suspects.lost(house.suspects.take(), "SIGKILL")
    crash = next(answer for job, answer in house.answers if job.ref == first[0].job.ref)
    assert isinstance(crash, DecodeError)
    assert (crash.reason, crash.detail) == ("script_crash", "s: the script process ended 2 times on it: SIGKILL")


def test_an_end_that_was_asked_for_blames_nobody() -> None:
    house = House(HostLimits(crashes=1))
    house.put("s")
    house.suspects.lost(house.suspects.take(), None)
    house.suspect()
    house.put("s")
    house.proven.lost(house.proven.take(), None)
    assert (len(house.proven), len(house.suspects.turns), house.trust.sent_away) == (1, 0, 0)


def test_a_slow_script_does_not_fill_the_queue() -> None:
    """Its oldest are given up. One that is quick, or was not tried yet, may have as many as it likes."""
    house = House(HostLimits(line=10))
    for name in ("slow", "quick"):
        for _ in range(50):
            house.put(name)
    (waiting,) = house.suspects.take()
    house.clock.advance(0.4)
    house.suspects.answered([(waiting, ERROR)])
    assert len(house.answers) == 40
    gone = [answer for _, answer in house.answers[1:]]
    assert {g.reason for g in gone if isinstance(g, DecodeError)} == {RejectReason.SCRIPT_ASIDE}
    assert house.refs == list(range(40))
    assert house.suspect(ERROR) == "quick"
    assert house.suspects.turns.length("quick") == 49


@pytest.mark.parametrize("seed", range(40))
def test_one_answer_each_and_in_order_per_device(seed: int) -> None:
    """Scripts and devices that are good, slow, broken or deadly by chance; processes that end at any moment."""
    rng = random.Random(seed)
    house = House(HostLimits(crashes=2))
    put = 0
    busy: list[Waiting] = []
    batch: list[Waiting] = []
    bad = {(str(s), str(d)) for s in range(4) for d in range(3) if rng.random() < 0.3}

    def answer(waiting: Waiting, hasty: bool, broken: set[str]) -> Answer:
        job = waiting.job
        if hasty and job.source_hash in broken:
            return PUT_OFF
        if (job.source_hash, job.dev_eui) in bad and rng.random() < 0.5:
            broken.add(job.source_hash)
            return TIME
        return ERROR if rng.random() < 0.1 else GOOD

    broken: set[str] = set()
    while put < 600 or house.proven or house.suspects.turns or batch or busy:
        for _ in range(rng.randrange(40) if put < 600 else 0):
            house.put(str(rng.randrange(4)), str(rng.randrange(3)))
            put += 1
        if not batch and house.proven.waits():
            batch, broken = house.proven.take(), set()
            assert len(batch) <= MAX_BATCH
        if batch and rng.random() < 0.05:
            house.proven.lost(batch, rng.choice(["SIGKILL", None]))
            batch = []
        elif batch:
            some = batch[: rng.randrange(1, len(batch) + 1)]
            del batch[: len(some)]
            house.proven.answered([(w, answer(w, True, broken)) for w in some])
            if not batch:
                house.proven.finished()
        if not busy and house.suspects.waits():
            busy = house.suspects.take()
        if busy and rng.random() < 0.8:
            house.clock.advance(rng.random() / 10)
            if rng.random() < 0.05:
                house.suspects.lost(busy, rng.choice(["SIGKILL", None]))
            else:
                house.suspects.answered([(busy[0], answer(busy[0], False, set()))])
            busy = []
        house.clock.advance(rng.random() * 3)
    assert sorted(house.refs) == list(range(put))
    order: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for job, _ in house.answers:
        order[job.source_hash, job.dev_eui].append(job.ref)
    assert all(refs == sorted(refs) for refs in order.values())
