"""The frame log over a real outbox: history from disk, live while somebody watches, nothing otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.frame_fakes import ROOF, TOWER, WALL_NS, downlink, join, stored, stranger, uplink
from torhaus.codecs.lorawan.downlink import TxAnswer, TxStatus
from torhaus.codecs.model import Stamp, Value
from torhaus.daemon.lora import frame_log
from torhaus.daemon.lora.frame_log import FrameLog, Viewer
from torhaus.daemon.outbox.record import Record, Stored
from torhaus.daemon.outbox.store import MAIN, STRANGERS, Limits, Outbox
from torhaus.daemon.watch import Watch

OK = (TxAnswer(TxStatus.OK),)


class Box:
    """An outbox on a folder, and a frame log over it."""

    def __init__(self, folder: Path) -> None:
        self.watch = Watch(WALL_NS)
        self.outbox = Outbox(folder, "rathaus", FakeClock(), Limits(commit_window_s=0.0), self.watch)
        self.log = FrameLog(self.outbox, self.watch, lambda: WALL_NS + 10**12)
        self.count = 0

    async def put(self, log: str, *records: Record) -> None:
        """Store them; returns once they are on disk and told."""
        done = asyncio.Event()
        stamped = []
        for record in records:
            self.count += 1
            stamped.append((Stamp(WALL_NS + self.count * 10**9, self.count, synced=True), record))
        self.outbox.put(log, stamped, 1)
        self.outbox.commit(lambda _: done.set())
        await done.wait()

    def enter(self, gateway: str | None = None, device: str | None = None) -> Viewer:
        viewer = self.log.enter(gateway, device)
        assert viewer is not None
        return viewer


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Box]:
    box = Box(folder)
    await box.outbox.open()
    try:
        yield box
    finally:
        await box.outbox.close()


def test_history_is_read_from_both_logs(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(tmp_path) as box:
            await box.put(MAIN, uplink(1), Record("reading", "meter"), uplink(2, device="keller", gateway=TOWER))
            await box.put(STRANGERS, stranger(3), uplink(2, reason="short"), join())
            await box.put(MAIN, uplink(4))
            box.log.sent(downlink(), "dach", OK)
            viewer = box.enter()
            seen = await box.log.history(viewer, 100)
            assert [(s.direction, s.fcnt and s.fcnt & 0xFFFF, s.stranger) for s in seen] == [
                ("up", 1, False),
                ("up", 2, False),
                ("up", 3, True),
                ("up", None, True),
                ("up", 4, False),
                ("down", 3, False),
            ]
            assert [s.fcnt for s in await box.log.history(viewer, 2)] == [0x10004, 3]
            assert await box.log.history(viewer, 0) == []
            assert [s.device for s in await box.log.history(box.enter(device="keller"), 9)] == ["keller"]
            by_gateway = await box.log.history(box.enter(TOWER), 9)
            assert [s.rx[0].gateway for s in by_gateway] == [TOWER]

    asyncio.run(go())


def test_frames_far_back_among_other_records_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_log, "_WINDOW", 10)

    async def go() -> None:
        async with opened(tmp_path) as box:
            await box.put(MAIN, uplink(1), *(Record("reading", "meter") for _ in range(35)))
            assert len(await box.log.history(box.enter(), 5)) == 1
            await box.put(MAIN, *(Record("reading", "meter") for _ in range(30)))
            assert await box.log.history(box.enter(), 5) == []  # there is an end to the search

    asyncio.run(go())


def test_what_comes_while_somebody_watches(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(tmp_path) as box:
            assert not any(box.outbox._feeds.values())
            viewer, other = box.enter(), box.enter(TOWER)
            assert box.watch.frame_viewers == 2
            await box.put(MAIN, uplink(1), Record("reading", "meter"))
            await box.put(STRANGERS, stranger(2))
            box.log.sent(downlink(), "dach", OK)
            seen = [box.log.seen(item) for item in await viewer.take(10, 5)]
            assert [s and s.state for s in seen] == ["decoded", "refused", "sent"]
            assert await other.take(10, 0) == []
            box.log.leave(viewer)
            box.log.leave(other)
            assert not any(box.outbox._feeds.values())
            assert box.watch.frame_viewers == 0
            await box.put(MAIN, uplink(3))
            assert await viewer.take(10, 0) == []

    asyncio.run(go())


def test_a_frame_is_shown_once_and_again_when_its_script_has_answered(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(tmp_path) as box:
            waiting = uplink(1, pending=True, fields=None, kind="frame", codec="script")
            await box.put(MAIN, waiting, uplink(2))
            viewer = box.enter()
            assert [s.state for s in await box.log.history(viewer, 9)] == ["pending", "decoded"]
            first, second = await box.outbox.read(MAIN, 0, 9)
            assert isinstance(first, Stored)
            assert isinstance(second, Stored)
            box.outbox._feed(MAIN, [first, second])  # committed after the viewer came, and read by its history
            assert await viewer.take(9, 0) == []
            again, _ = await box.outbox.read(MAIN, 0, 9)
            assert isinstance(again, Stored)
            again.record.pending, again.record.fields = False, {"temperature": Value(21.4)}
            box.outbox._feed(MAIN, [again])
            taken = await viewer.take(9, 5)
            assert [s and s.state for s in map(box.log.seen, taken)] == ["decoded"]

    asyncio.run(go())


def test_a_slow_viewer_misses_the_oldest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(frame_log, "VIEWER_FRAMES", 3)

    async def go() -> None:
        async with opened(tmp_path) as box:
            viewer = box.enter()
            await box.put(MAIN, *(uplink(n) for n in range(5)))
            assert (viewer.skipped, box.watch.frames_skipped) == (2, 2)
            seen = [box.log.seen(item) for item in await viewer.take(2, 5)]
            assert [s and s.fcnt for s in seen] == [0x10002, 0x10003]
            assert len(await viewer.take(2, 5)) == 1

    asyncio.run(go())


def test_there_are_so_many_viewers_and_no_more(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(tmp_path) as box:
            viewers = [box.log.enter() for _ in range(frame_log.MAX_VIEWERS + 1)]
            assert [v is None for v in viewers] == [False] * frame_log.MAX_VIEWERS + [True]
            assert viewers[0] is not None
            box.log.leave(viewers[0])
            assert box.log.enter() is not None
            box.log.end()
            assert await viewers[1].take(1, 60) == [] if viewers[1] else False  # woken, not waited for
            assert box.log.enter() is None

    asyncio.run(go())


def test_downlinks_are_kept_to_a_number(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(tmp_path) as box:
            for _ in range(frame_log.KEPT_DOWNLINKS + 5):
                box.log.sent(downlink(), "dach", OK)
            viewer = box.enter()
            assert len(await box.log.history(viewer, 1000)) == frame_log.KEPT_DOWNLINKS
            assert await box.log.history(box.enter(device="flur"), 9) == []  # a downlink names no device here
            assert len(await box.log.history(box.enter(ROOF), 9)) == 9

    asyncio.run(go())


def test_a_viewer_wants_what_its_filters_say() -> None:
    item = (MAIN, stored(uplink(1)))
    assert Viewer(None, None).wants(item)
    assert Viewer(ROOF, "flur").wants(item)
    assert not Viewer(TOWER, None).wants(item)
    assert not Viewer(None, "keller").wants(item)
