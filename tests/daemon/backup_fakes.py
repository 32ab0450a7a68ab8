"""A store with something in it, its backup, and what is in a restored one."""

import asyncio
import tarfile
from pathlib import Path

from tests.daemon.clocks import FakeClock
from tests.daemon.home import Home, archive
from tests.daemon.outbox_fakes import Box, numbers, reading
from torhaus.daemon.backup.take import Backup, Taken
from torhaus.daemon.outbox.ranges import Ranges
from torhaus.daemon.outbox.store import MAIN

SITE = "rathaus"


def home_of(folder: Path) -> Home:
    home = Home(folder, archive(folder))
    home.config.write_text(home.config.read_text().replace('id = "test"', f'id = "{SITE}"'))
    (folder / "devices.keys.toml").write_text("# SECRET\n")
    return home


def back_up(home: Home, target: Path) -> Taken:
    return Backup(home.load(), home.config, target, FakeClock(), lambda *_: None).take()


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def member(path: Path, name: str) -> bytes:
    with tarfile.open(path) as tar:
        found = tar.extractfile(name)
        assert found is not None
        return found.read()


def fill(store: Path, *, segments: int = 3, settled: int = 2) -> str:
    """So many segments of two records each; `archive` has the first ones. Returns the store id."""

    async def go() -> str:
        box = Box(store)
        await box.open()
        await put(box, segments)
        box.adopt(MAIN, "archive", Ranges([(0, settled)]), is_new=True)
        store_id = box.logs[MAIN].store
        await box.close()
        return store_id

    return asyncio.run(go())


async def put(box: Box, segments: int) -> None:
    log = box.logs[MAIN]
    log.segment_bytes = 1 << 40  # it is begun when we say so
    for _ in range(segments):
        if log.tail > log.segments[-1]:
            log.segment_bytes = 1
            await box.on_state(lambda _: log.roll(0))
            log.segment_bytes = 1 << 40
        await box.store(reading(log.tail), reading(log.tail + 1))


def contents(store: Path) -> tuple[list[int], Ranges | None, str, int]:
    """Opened as the daemon does: records' numbers, what `archive` has, the store id, what was dropped."""

    async def go() -> tuple[list[int], Ranges | None, str, int]:
        box = Box(store)
        await box.open()
        settled: Ranges | None = await box.on_state(lambda s: s.settled("archive", MAIN))
        if settled is not None:
            box.adopt(MAIN, "archive", settled)
        found = numbers(await box.everything())
        await box.store(reading(1000))
        drops = sum(n for _, _, n, _ in box.told.drops)
        out = found, settled, box.logs[MAIN].store, drops
        await box.close()
        return out

    return asyncio.run(go())
