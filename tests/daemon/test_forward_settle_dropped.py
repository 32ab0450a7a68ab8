"""What a forwarder does not send, by a rule: settled, counted, never called delivered."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.forward_fakes import FarSide, on_site
from tests.daemon.test_forward_settle import books, stored
from torhaus.daemon.forward.base import Item, Outcome
from torhaus.daemon.outbox.state import SetAside


@pytest.mark.parametrize(
    ("outcome", "settled", "dropped", "accepted"),
    [
        (Outcome([0], dropped={1: "stale_join"}), {0, 1}, {"stale_join": 1}, 1),
        (Outcome([0, 1], dropped={1: "late"}), {0, 1}, {"late": 1}, 1),
        (Outcome([0, 1, 2], dropped={1: "late", 2: "stale_join"}), {0, 1, 2}, {"late": 1, "stale_join": 1}, 1),
        (Outcome([0], kept={1: "later"}, dropped={1: "late"}), {0}, {}, 1),
        (Outcome([0], rejected={1: "no"}, dropped={1: "late"}), {0, 1}, {}, 1),
        (Outcome([0], dropped={7: "late", -1: "late"}), {0}, {}, 1),
        (Outcome(dropped={0: "late", 1: "late", 2: "late"}), {0, 1, 2}, {"late": 3}, 0),
    ],
)
def test_dropped_is_not_accepted(outcome: Outcome, settled: set[int], dropped: dict[str, int], accepted: int) -> None:
    it, cursor, outbox, batch = books(3)
    assert it.settle(batch, outcome, late=True)
    assert {pos for pos in range(3) if pos in cursor.settled} == settled
    assert {reason: n for (_, reason), n in outbox.flush.dropped.items()} == dropped
    assert all(name == "city" for name, _ in outbox.flush.dropped)
    assert (it.tally.accepted, it.tally.late) == (accepted, accepted)


def test_one_that_was_set_aside(tmp_path: Path) -> None:
    async def main() -> None:
        it, _, outbox, _ = books(1, tmp_path)
        await outbox.open()
        await it.settle_due(SetAside(0, 1, 0, "later", stored(0)), Outcome(dropped={0: "stale_join"}))
        assert await outbox.on_state(lambda s: s.dropped()) == {("city", "stale_join"): 1}
        assert it.tally.accepted == 0
        await outbox.close()

    asyncio.run(main())


def test_under_the_runner_nothing_is_held_up(tmp_path: Path) -> None:
    def odd(batch: list[Item]) -> Outcome:
        out = Outcome([], {}, {}, {})
        for i, one in enumerate(batch):
            if int(one.message.id.rpartition("/")[2]) % 2:
                out.dropped[i] = "late"
            else:
                out.accepted.append(i)
        return out

    async def body(s: Any) -> None:
        await s.readings(20)
        far = FarSide(odd)
        runner = await s.start(far, order="device")
        await s.until(lambda: runner.backlog() == 0)
        assert far.seqs == list(range(0, 20, 2))
        assert runner.tally.accepted == 10
        await s.outbox.save()
        assert await s.outbox.on_state(lambda x: x.dropped()) == {("city", "late"): 10}

    on_site(tmp_path, body)
