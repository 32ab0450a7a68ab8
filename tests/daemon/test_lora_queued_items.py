"""Which downlinks are known, how many at most, and what is written of them."""

import asyncio

import pytest

from tests.daemon.queue_scene import EUI, OTHER, QueueScene, play
from torhaus.daemon.lora import queued_items
from torhaus.daemon.lora.queued_items import MAX_DEVICE, MAX_DEVICE_DONE, QueueFull


def test_on_disk_before_anybody_is_told() -> None:
    async def body(scene: QueueScene) -> None:
        heard: list[str] = []
        scene.queue.listeners.append(heard.append)
        assert not scene.queue.has(EUI)
        item = await scene.put(ref="a", source="mqtt", priority=2, confirmed=True)
        assert scene.stored() == [item]
        assert scene.queue.has(EUI)
        scene.works = False
        assert await scene.queue.put(EUI, 10, b"\2", expires_s=1) is None
        assert scene.queue.waiting(EUI) == 1
        scene.works = True
        assert await scene.queue.persist()
        assert scene.stored() == [item]
        assert heard == [EUI], "those that are queued"

    play(body)


def test_full_for_a_device_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued_items, "MAX_OPEN", MAX_DEVICE + 1)

    async def body(scene: QueueScene) -> None:
        for _ in range(MAX_DEVICE):
            await scene.put()
        with pytest.raises(QueueFull, match=f"{MAX_DEVICE} downlinks wait for this device"):
            await scene.put()
        await scene.put(dev_eui=OTHER)
        with pytest.raises(QueueFull, match="of all devices"):
            await scene.put(dev_eui=OTHER)
        assert scene.queue.count() == MAX_DEVICE + 1

    play(body)


def test_the_last_ones_are_remembered_by_their_ref(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queued_items, "MAX_DONE", MAX_DEVICE_DONE + 1)

    async def finish(scene: QueueScene, ref: str, dev_eui: str = EUI) -> None:
        item = await scene.put(ref=ref, dev_eui=dev_eui)
        await scene.queue.cancel(item.id)
        scene.queue.told(item.id, 2)
        await scene.queue.persist()

    async def body(scene: QueueScene) -> None:
        for n in range(MAX_DEVICE_DONE + 3):
            await finish(scene, f"r{n}")
        assert scene.queue.by_ref(EUI, "r2") is None
        assert scene.queue.by_ref(EUI, "") is None
        kept = scene.queue.by_ref(EUI, "r3")
        assert kept is not None
        assert kept.outcome == "cancelled"
        await finish(scene, "r3")
        again = scene.queue.by_ref(EUI, "r3")
        assert again is not None
        assert again.number > kept.number
        await finish(scene, "x", OTHER)
        await finish(scene, "y", OTHER)
        assert [q.ref for q in scene.queue.recent(OTHER)] == ["x", "y"]
        assert len(scene.disk) == len(scene.queue.recent()) == MAX_DEVICE_DONE + 1
        scene.again()
        assert scene.queue.by_ref(OTHER, "y") is not None

    play(body)


def test_what_is_untold_is_not_forgotten() -> None:
    async def body(scene: QueueScene) -> None:
        for n in range(MAX_DEVICE_DONE + 3):
            await scene.queue.cancel((await scene.put(ref=f"r{n}")).id)
        first, *_ = scene.queue.untold()
        assert first.ref == "r0"
        scene.queue.telling(first.id, 40)
        assert scene.now(first).since == 40
        scene.queue.told(first.id, 1)
        assert (scene.states(first), scene.now(first).since) == (["cancelled"], 40)
        scene.queue.told(first.id, 1)
        assert scene.queue.find(first.id) is None

    play(body)


def test_changes_that_cannot_be_written_are_written_later() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        scene.works = False
        scene.queue.telling(item.id, 5)
        assert not await scene.queue.persist()
        assert not await scene.queue.is_on_disk(item.id)
        scene.works = True
        assert await scene.queue.is_on_disk(item.id)
        assert scene.stored() == [scene.now(item)]
        before = scene.writes
        assert await scene.queue.persist()
        assert scene.writes == before

    play(body)


def test_a_write_that_is_broken_off_is_done_again() -> None:
    async def body(scene: QueueScene) -> None:
        item = await scene.put()
        scene.queue.telling(item.id, 5)
        task = asyncio.create_task(scene.queue.persist())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await scene.queue.persist()
        assert scene.stored() == [scene.now(item)]

    play(body)
