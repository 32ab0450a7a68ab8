"""One forwarder over a real outbox, with a far side of bad manners and a clock that moves when it is told to."""

import random
from pathlib import Path

import pytest

from tests.daemon.forward_fakes import FarSide, Site, dead_letters, number, on_site, reading, seq_of, take_all
from torhaus.codecs.model import Value
from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.outbox.record import Record, Verdict
from torhaus.daemon.outbox.store import MAIN


def test_live_records_arrive_in_order_and_are_not_late(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        await s.readings(50)
        await s.until(lambda: len(far.arrived) == 50)
        store = s.outbox.logs[MAIN].store
        assert [m.id for m in far.arrived] == [f"rathaus/{store}/{n}" for n in range(50)]
        assert not any(m.late for m in far.arrived)
        assert runner.cursor.backlog(0) == 0
        assert (runner.tally.accepted, runner.tally.late, runner.tally.connects) == (50, 0, 1)

    on_site(tmp_path, body)


def test_what_was_there_before_is_late_with_the_same_ids(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        await s.readings(30)
        far = FarSide()
        runner = await s.start(far)
        await s.until(lambda: len(far.arrived) == 30)
        assert far.seqs == list(range(30))
        assert all(m.late for m in far.arrived)
        assert (runner.tally.accepted, runner.tally.late) == (30, 30)

    on_site(tmp_path, body)


def test_live_first_after_an_outage_and_the_backlog_at_its_rate(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide()
        far.refuse_open = True
        runner = await s.start(far, backfill_per_s=10)
        await s.rest(1)
        await s.readings(60)
        await s.rest(1)
        assert far.calls == []
        assert (runner.tally.up, runner.tally.detail) == (False, "nobody there")
        far.refuse_open = False
        await s.until(lambda: runner.tally.up, step_s=0.01)
        began = s.clock.boot_ns()
        await s.readings(5)
        await s.until(lambda: [m.late for m in far.arrived].count(False) == 5, step_s=0.01)
        assert len(far.arrived) < 15, "new values do not wait for the backlog"
        await s.until(lambda: len(far.arrived) == 65, step_s=0.01)
        assert 4 <= (s.clock.boot_ns() - began) / 1e9 <= 8  # 60 records at 10/s, less what had time to gather
        assert [seq_of(m) for m in far.arrived if m.late] == list(range(60))
        assert [seq_of(m) for m in far.arrived if not m.late] == list(range(60, 65))

    on_site(tmp_path, body)


def test_a_connection_lost_in_the_middle(tmp_path: Path) -> None:
    """What the far side took before it went comes again under the same id; nothing is left out."""

    async def body(s: Site) -> None:
        far = FarSide()
        calls = 0

        def script(batch: list[Item]) -> Outcome:
            nonlocal calls
            calls += 1
            if calls % 3 == 1:
                raise Unavailable("lost")
            if calls % 3 == 2:
                return Outcome([0])  # one receipt, then the line went
            return take_all(batch)

        far.script = script
        runner = await s.start(far)
        for _ in range(5):
            await s.readings(20)
            await s.rest(0.5)
        await s.until(lambda: len(far.arrived) >= 100)
        assert sorted(far.seqs) == list(range(100))
        assert runner.tally.connects > 2
        assert runner.cursor.backlog(0) == 0

    on_site(tmp_path, body)


@pytest.mark.parametrize("seed", range(12))
def test_bad_manners_of_every_kind_lose_nothing(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    poison = {n for n in range(200) if rng.random() < 0.03}
    refused = {n for n in range(200) if rng.random() < 0.03} - poison
    silent: list[int] = []  # taken by the far side, but the receipt was lost

    def script(batch: list[Item]) -> Outcome:
        seqs = [seq_of(item.message) for item in batch]
        if poison.intersection(seqs):
            raise ValueError("cannot be written")
        dice = rng.random()
        if dice < 0.1:
            raise Unavailable("before any receipt")
        if dice < 0.2:
            silent.extend(s for s in seqs if s not in refused)
            raise Unavailable("after it took them")
        outcome = Outcome([], {}, {})
        for i, seq in enumerate(seqs):
            if seq in refused:
                outcome.rejected[i] = "never"
            elif rng.random() < 0.8:
                outcome.accepted.append(i)
            elif rng.random() < 0.5:
                outcome.kept[i] = "not now"
        return outcome

    async def body(s: Site) -> None:
        far = FarSide(script)
        await s.readings(60)
        runner = await s.start(far)
        for _ in range(7):
            await s.readings(20)
            await s.rest(rng.random(), step_s=0.2)
        await s.until(lambda: runner.cursor.backlog(0) == 0 and runner.books.aside == 0, step_s=1)
        assert set(far.seqs) == set(range(200)) - poison - refused
        assert len(far.seqs) == len(set(far.seqs)), "accepted once is never sent again"
        assert {d.stored.seq for d in await dead_letters(s)} == poison | refused
        assert runner.tally.accepted == len(far.seqs)
        assert runner.tally.rejected == len(poison | refused)
        assert list(runner.cursor.settled) == [(0, 200)]

    on_site(tmp_path, body)


@pytest.mark.parametrize("seed", range(4))
def test_in_order_of_each_device_within_a_lane(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)

    def script(batch: list[Item]) -> Outcome:
        if rng.random() < 0.2:
            raise Unavailable("gone")
        return take_all(batch)

    async def body(s: Site) -> None:
        far = FarSide(script)
        runner = await s.start(far)
        for _ in range(10):
            await s.put(reading(0, rng.choice("abc")) for _ in range(12))
            await s.rest(rng.random(), step_s=0.2)
        await s.until(lambda: runner.cursor.backlog(0) == 0, step_s=1)
        assert sorted(far.seqs) == list(range(120))
        for late in (False, True):
            for device in "abc":
                of = [seq_of(m) for m in far.arrived if m.late is late and m.device == device]
                assert of == sorted(of)

    on_site(tmp_path, body)


def test_a_far_side_that_keeps_everything_is_not_hammered(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        far = FarSide(lambda batch: Outcome(kept=dict.fromkeys(range(len(batch)), "busy")))
        runner = await s.start(far)
        await s.until(lambda: runner.tally.up)
        await s.readings(20)
        await s.rest(120, step_s=0.2)
        assert len(far.calls) < 60
        assert far.arrived == []
        assert runner.cursor.backlog(0) == 20
        assert runner.tally.up
        far.script = take_all
        await s.until(lambda: len(far.arrived) == 20, step_s=1)
        assert runner.tally.set_aside == 0

    on_site(tmp_path, body)


# -- restart, filters, scripts -----------------------------------------------------------------------------------------


def test_a_new_runner_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    far = FarSide()

    async def first(s: Site) -> None:
        await s.start(far)
        await s.readings(20)
        await s.until(lambda: len(far.arrived) == 20)
        far.script = lambda batch: Outcome([i for i, m in enumerate(batch) if number(m) % 2])
        await s.readings(6)
        await s.until(lambda: len(far.arrived) == 23)

    async def second(s: Site) -> None:
        far.script = take_all
        far.arrived.clear()
        runner = await s.start(far)
        await s.until(lambda: runner.cursor.backlog(0) == 0)
        assert far.seqs == [20, 22, 24]
        await s.readings(1)
        await s.until(lambda: len(far.arrived) == 4)
        assert far.seqs[-1] == 26

    on_site(tmp_path, first)
    on_site(tmp_path, second)


def test_kinds_and_devices(tmp_path: Path) -> None:
    async def body(s: Site) -> None:
        frames, some, events = FarSide(), FarSide(), FarSide()
        runners = [
            await s.start(frames, name="frames", kinds=frozenset({"frame"})),
            await s.start(some, name="some", kinds=frozenset({"reading", "event"}), devices=frozenset({"keller"})),
            await s.start(events, name="events", kinds=frozenset({"event"})),
        ]
        refused = Record("frame", "roof", "keller", reason="short", raw=b"x")
        event = Record("event", "roof", event={"rxnb": 1})
        everything = [reading(0, "flur"), reading(1, "keller"), refused, event]
        await s.put(everything)
        await s.until(lambda: all(r.cursor.backlog(0) == 0 for r in runners))
        assert [(m.kind, seq_of(m), m.fields, m.reason) for m in frames.arrived] == [
            ("frame", 0, None, None),
            ("frame", 1, None, None),
            ("frame", 2, None, "short"),
        ]
        assert [(m.kind, seq_of(m)) for m in some.arrived] == [("reading", 1)]
        assert [(m.kind, seq_of(m)) for m in events.arrived] == [("event", 3)]
        for runner in runners:
            assert runner.tally.accepted + runner.tally.skipped == len(everything)

    on_site(tmp_path, body)


def pending(n: int) -> Record:
    return Record("frame", "roof", "flur", None, "script", raw=bytes((n,)), payload=bytes((n,)), pending=True)


@pytest.mark.parametrize("live", [False, True])
def test_a_reading_waits_for_its_script(tmp_path: Path, live: bool) -> None:
    async def body(s: Site) -> None:
        readings, frames, both = FarSide(), FarSide(), FarSide()
        if not live:
            await s.put(map(pending, range(3)))
        runners = [
            await s.start(readings, name="readings", kinds=frozenset({"reading"})),
            await s.start(frames, name="frames", kinds=frozenset({"frame"})),
            await s.start(both, name="both", kinds=frozenset({"frame", "reading"})),
        ]
        await s.until(lambda: all(r.tally.up for r in runners))
        if live:
            await s.put(map(pending, range(3)))
        await s.put([reading(3)])
        await s.until(lambda: len(frames.arrived) == 4)
        await s.rest(3)
        assert readings.seqs == both.seqs == [3]
        for stored, verdict in zip(
            [x for x in s.fed if x.record.pending] if live else await s.outbox.pending(0, 9),
            [Verdict({"n": Value(0)}), Verdict(None, "script_error", "boo"), Verdict({"n": Value(2)})],
            strict=True,
        ):
            s.outbox.put_verdict(stored, verdict)
        await s.until(lambda: all(r.cursor.backlog(0) == 0 for r in runners))
        await s.rest(3)
        assert readings.seqs == [3, 0, 2]
        assert [(seq_of(m), m.kind, m.reason) for m in both.arrived] == [
            (3, "reading", None),
            (0, "reading", None),
            (1, "frame", "script_error"),
            (2, "reading", None),
        ]
        assert sorted(frames.seqs) == [0, 1, 2, 3], "sent as a frame once, whatever the script says later"
        assert [r.tally.skipped for r in runners] == [1, 0, 0]

    on_site(tmp_path, body)
