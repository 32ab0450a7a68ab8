"""What became of downlinks, told once each, whatever moment the daemon is killed at."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import Box, copy_of, reading
from tests.daemon.queue_scene import EUI, OTHER
from torhaus.daemon.lora import queue_events
from torhaus.daemon.lora.queue import DownlinkQueue
from torhaus.daemon.lora.queue_events import LOOK_S, MAX_REFUSALS, SOURCE, Teller, event_of
from torhaus.daemon.outbox.queued import Changes, Queued, Report
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.state import State

NAMES = {EUI: "ventil", OTHER: "klappe"}


class Site:
    """An outbox with a queue on top of it, as the daemon has it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.queue = DownlinkQueue(box.fake, self.write, box.boots)
        self.teller = Teller(self.queue, box, box.fake, NAMES)

    async def write(self, changes: Changes) -> None:
        await self.box.on_state(lambda s: s.save_downlinks(changes))

    async def put(self, **more: Any) -> Queued:
        item = await self.queue.put(EUI, 10, b"\1", expires_s=600, **more)
        assert item is not None
        return item

    async def told(self) -> None:
        """Until nothing is untold, and that is on disk."""
        await self.box.until(lambda: not self.queue.untold() and not self.queue._changed)
        await self.box.settled()

    async def events(self) -> list[dict[str, Any]]:
        found = [r.record for r in await self.box.everything() if isinstance(r, Stored)]
        assert all(r.driver == SOURCE and r.device == "ventil" and r.dev_eui == EUI for r in found if r.event)
        return [r.event for r in found if r.event]


@asynccontextmanager
async def opened(folder: Path, *, run: bool = True) -> AsyncIterator[Site]:
    box = Box(folder, clock=FakeClock())
    await box.open()
    site = Site(box)
    site.queue.restore((await box.on_state(State.downlinks))[0], NAMES)
    task = asyncio.create_task(site.teller.run()) if run else None
    try:
        yield site
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await box.close()


def play(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await body()

    asyncio.run(main())


def test_each_step_is_an_event_of_the_device(tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(tmp_path / "a") as site:
            item = await site.put(ref="auftrag-7", confirmed=True)
            await site.told()
            assert await site.queue.take(item, 5)
            site.queue.sent(item, 5)
            site.queue.acknowledged(item)
            await site.told()
            common = {"event": "downlink", "id": item.id, "ref": "auftrag-7", "fport": 10}
            assert await site.events() == [
                common | {"state": "queued"},
                common | {"state": "sent", "fcnt": 5, "tries": 1},
                common | {"state": "acknowledged", "fcnt": 5, "tries": 1},
            ]

    play(body)


def test_expiry_is_told_without_anybody_asking(tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(tmp_path / "a") as site:
            await site.put()
            await site.told()
            site.box.fake.advance(600 + LOOK_S)
            await site.box.until(lambda: site.queue.count() == 0)
            await site.told()
            assert [e["state"] for e in await site.events()] == ["queued", "expired"]
            assert "uplink" in (await site.events())[1]["detail"]

    play(body)


def test_killed_at_any_moment_every_step_is_told_once(tmp_path: Path) -> None:
    """The files are copied after each write of the state and each commit: each copy is what a kill there leaves."""
    snapshots: list[Path] = []

    async def record() -> None:
        async with opened(tmp_path / "first") as site:
            plain = site.box._write

            def snap() -> None:
                snapshots.append(copy_of(tmp_path / "first", tmp_path / f"kill-{len(snapshots)}"))

            def written(batch: Any) -> Any:
                result = plain(batch)
                snap()
                return result

            async def write(changes: Changes) -> None:
                def job(state: State) -> None:
                    state.save_downlinks(changes)
                    snap()

                await site.box.on_state(job)

            site.queue._write = write
            site.box._commits._write = written
            for n in range(3):
                item = await site.put(ref=f"r{n}", confirmed=True)
                await site.box.store(reading(n))
                assert await site.queue.take(item, n)
                site.queue.sent(item, n)
                if n:
                    await site.told()
                site.queue.acknowledged(item)
                await site.told()

    async def look(folder: Path) -> None:
        for _ in range(2):  # twice: what was told after the kill is not told again either
            async with opened(folder) as site:
                for item in [*site.queue.open()]:
                    if item.place == "waiting":
                        assert await site.queue.take(item, 40)
                        site.queue.sent(item, 40)
                    site.queue.acknowledged(item)
                await site.told()
                told = Counter((e["id"], e["state"], e.get("fcnt"), e.get("tries")) for e in await site.events())
                assert set(told.values()) == {1}
                done = Counter(e["id"] for e in await site.events() if e["state"] == "acknowledged")
                assert done == dict.fromkeys((q.id for q in site.queue.recent()), 1)

    async def body() -> None:
        await record()
        assert len(snapshots) > 20
        for folder in snapshots:
            await look(folder)
            shutil.rmtree(folder)

    play(body)


def test_what_could_not_be_stored_is_told_later(tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(tmp_path / "a") as site:
            plain = site.box._commits._write

            def fails(batch: Any) -> Any:
                result = plain(type(batch)())
                result.errors["main"] = OSError(28, "no space")
                return result

            site.box._commits._write = fails
            await site.put()
            await site.box.until(lambda: bool(site.box.told.refusals))
            assert len(site.queue.untold()) == 1
            site.box._commits._write = plain
            site.box.fake.advance(LOOK_S)
            await site.told()
            assert [e["state"] for e in await site.events()] == ["queued"]

    play(body)


def test_what_left_the_outbox_before_it_was_looked_through_counts_as_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_events, "MOST_RECORDS", 2)

    async def body() -> None:
        async with opened(tmp_path / "a", run=False) as site:
            item = await site.put()
            site.queue.telling(item.id, 0)
            later = await site.put()
            await site.box.store(*(reading(n) for n in range(5)))
            site.queue.telling(later.id, 4)
            await site.queue.persist()
        async with opened(tmp_path / "a") as site:
            await site.told()
            assert [e["id"] for e in await site.events()] == [later.id]

    play(body)


def test_refusals_are_told_but_not_without_end(tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(tmp_path / "a") as site:
            for n in range(MAX_REFUSALS + 5):
                site.teller.refused(EUI, {"ref": str(n)})
            site.box.fake.advance(3601)
            site.teller.refused(EUI, {"ref": "later", "reason": "fport"})
            await site.box.settled()
            events = await site.events()
            assert len(events) == MAX_REFUSALS + 1
            assert events[-1] == {"event": "downlink", "state": "refused", "ref": "later", "reason": "fport"}

    play(body)


def test_words_of_an_event() -> None:
    item = Queued(
        id="0" * 12, number=1, dev_eui=EUI, fport=3, payload=b"", at=FakeClock().stamp(), boot="b", expires_s=1
    )
    assert event_of(item, Report("failed", "because")) == {
        "event": "downlink",
        "state": "failed",
        "id": "0" * 12,
        "fport": 3,
        "detail": "because",
    }
