"""Anything may happen to the store while it is copied: what the copy says about who has what is never too much."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.daemon.backup_fakes import home_of, put
from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import Box, numbers, reading
from torhaus.daemon.backup.put_back import Restore
from torhaus.daemon.backup.take import Backup
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.store import MAIN


async def step(box: Box, dice: random.Random) -> None:
    """New records, a new segment, deliveries in any order, a save with what it unlinks."""
    log, settled = box.logs[MAIN], box.settled_by[MAIN]["archive"]
    match dice.randrange(4):
        case 0:
            await box.store(*(reading(log.tail + n) for n in range(dice.randrange(1, 4))))
        case 1:
            await put(box, 1)
        case 2:
            low = dice.randrange(log.head, log.tail)
            settled.add(low, min(log.tail, low + dice.randrange(1, 8)))
        case 3:
            settled.add(0, log.tail - dice.randrange(3))
    box.flush.settled["archive", MAIN] = list(settled)
    if dice.random() < 0.5:
        await box.save()


async def copy_while_it_changes(home_folder: Path, target: Path, dice: random.Random) -> tuple[int, Ranges]:
    """Where the log ended when the copy began, and what was settled when it ended."""
    home = home_of(home_folder)
    box = Box(home.store)
    await box.open()
    box.scanned_to = 1 << 60
    box.adopt(MAIN, "archive", Ranges(), is_new=True)
    await put(box, 2)
    for _ in range(8):
        await step(box, dice)
    tail, loop = box.logs[MAIN].tail, asyncio.get_running_loop()

    def meanwhile(_done: int, _of: int) -> None:
        if dice.random() < 0.7:
            for _ in range(3):
                asyncio.run_coroutine_threadsafe(step(box, dice), loop).result()

    backup = Backup(home.load(), home.config, target, FakeClock(), meanwhile)
    await asyncio.to_thread(backup.take)
    settled = Ranges(box.settled_by[MAIN]["archive"])
    await box.close()
    return tail, settled


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    target = tmp_path / "b.tar"
    tail, settled = asyncio.run(copy_while_it_changes(tmp_path / "a", target, random.Random(seed)))
    home = home_of(tmp_path / "c")
    Restore(home.load(), target, FakeClock()).run(lambda *_: None)

    async def look() -> tuple[list[int], Ranges, int, list[tuple[str, str, int, str]]]:
        box = Box(home.store)
        await box.open()
        has = await box.on_state(lambda s: s.settled("archive", MAIN))
        box.adopt(MAIN, "archive", has)
        found = numbers(await box.everything())
        out = found, has, box.logs[MAIN].tail, box.told.drops
        await box.close()
        return out

    found, has, new_tail, drops = asyncio.run(look())
    assert found == list(range(found[0], new_tail)) if found else new_tail >= tail
    assert new_tail >= tail
    assert all(p in settled for p in range(tail) if p not in found)  # what is not there had been delivered
    assert all(p in settled for low, high in has for p in range(low, high))  # and nothing counts as sent that was not
    assert has.count(new_tail, 1 << 60) == 0  # least of all what is yet to come
    assert drops == []
