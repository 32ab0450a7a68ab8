"""Several documents at a time, hours, documents that take their time, and what targets prove."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.far_sides.dvelop import DvelopServer
from tests.daemon.far_sides.paperless import PaperlessServer
from tests.daemon.scans_fakes import Bench, fake_pdf, with_bench
from torhaus.daemon.scans.delivery import Delivery
from torhaus.daemon.scans.events import Attempted, TargetChanged
from torhaus.daemon.scans.targets import folder, hostimp
from torhaus.daemon.scans.targets.base import NotNow, Parcel, Receipt, TargetDown


async def put(b: Bench, n: int) -> None:
    for k in range(n):
        b.put(f"{k}.pdf", fake_pdf(k))
    assert await b.look() == n
    await b.queue.seal()


def delivery(b: Bench) -> Delivery:
    return b.queue.deliveries[0]


def slow(b: Bench, work: Callable[[Parcel], Awaitable[None]]) -> None:
    real = delivery(b)._target.send

    async def send(parcel: Parcel) -> Receipt:
        await work(parcel)
        return await real(parcel)

    delivery(b)._target.send = send  # type: ignore[method-assign]


def test_as_many_as_configured_are_under_way_each_only_once(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        under_way: list[str] = []
        full, go_on = asyncio.Event(), asyncio.Event()

        async def wait(parcel: Parcel) -> None:
            under_way.append(parcel.id)
            if len(under_way) == 3:
                full.set()
            await go_on.wait()

        await put(b, 5)
        slow(b, wait)
        async with asyncio.TaskGroup() as group:
            steps = [group.create_task(delivery(b).step()) for _ in range(3)]
            await full.wait()
            assert delivery(b).standing().under_way == 3
            assert len(set(under_way)) == 3
            go_on.set()
            assert all(await asyncio.gather(*steps))
        await b.deliver()
        assert await b.states() == ["verified"] * 5
        assert len(under_way) == len(set(under_way)) == 5

    out = tmp_path / "out"
    with_bench(tmp_path, work, target=folder.Config("archive", str(out), concurrency=3))


def test_when_it_is_down_one_document_tries_and_the_others_wait(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        asked = 0
        is_down = True

        async def refuse(_: Parcel) -> None:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0)
            if is_down:
                raise TargetDown("503", 60)

        await put(b, 4)
        slow(b, refuse)
        assert await asyncio.gather(*(delivery(b).step() for _ in range(4))) == [False] * 4
        first = asked
        assert [(e.up, e.detail) for e in b.told(TargetChanged)] == [(False, "503")]
        standing = delivery(b).standing()
        assert (standing.is_up, standing.detail, standing.retry_s) == (False, "503", 60)
        b.clock.pass_s(60)
        await asyncio.gather(*(delivery(b).step() for _ in range(4)))
        assert asked == first + 1
        is_down = False
        b.clock.pass_s(600)
        await b.deliver()
        assert await b.states() == ["verified"] * 4
        assert [scan.refusals for scan in await b.queue.list()] == [0] * 4

    with_bench(tmp_path, work)


def test_out_of_hours_nothing_goes_and_nobody_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")

    async def work(b: Bench) -> None:
        day = 86_400 * 10**9
        b.clock.wall_offset_ns = -(b.clock.boot_ns()) + 20_000 * day + 12 * 3600 * 10**9  # noon
        await put(b, 1)
        await b.deliver()
        assert await b.states() == ["sealed"]
        assert not delivery(b).standing().in_hours
        b.clock.pass_s(10 * 3600)
        await b.deliver()
        assert await b.states() == ["verified"]
        assert delivery(b).standing().in_hours

    out = tmp_path / "out"
    with_bench(tmp_path, work, target=folder.Config("archive", str(out), windows=("22:00-06:00",)))


def test_an_import_folder_is_done_when_it_was_handed_over(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await put(b, 2)
        await b.deliver()
        assert await b.states() == ["transferred"] * 2
        for path in b.out.iterdir():
            path.unlink()
        b.clock.pass_s(10_000)
        assert not await delivery(b).step()
        assert {e.outcome for e in b.told(Attempted)} == {"transferred"}
        assert delivery(b).standing().proves == "transferred"

    with_bench(tmp_path, work, target=hostimp.Config("d3", str(tmp_path / "out"), document_type="DPOST"))


@pytest.mark.parametrize("kind", [DvelopServer, PaperlessServer])
def test_filed_has_the_objects_id_and_a_document_under_way_has_no_tries(tmp_path: Path, kind: Any) -> None:
    async def go() -> None:
        async with kind() as server, Bench(tmp_path, server.config(tmp_path)) as b:
            await put(b, 1)
            for _ in range(10):
                await b.deliver()
                b.clock.pass_s(5)
            assert await b.states() == ["filed"]
            (scan,) = await b.queue.list()
            assert (scan.tries, scan.refusals) == (0, 0)
            entries = (await b.queue.show(scan.id))[1]
            assert [e.event for e in entries if not e.event.startswith("source_")][-2:] == ["verified", "filed"]
            assert entries[-1].data["object"] in {"P000001", "1"}
            assert await b.queue._db.run(lambda tx: tx.conn.execute("SELECT count(*) FROM progress").fetchone()) == (0,)

    asyncio.run(go())


def test_after_a_restart_what_was_kept_is_known(tmp_path: Path) -> None:
    async def go() -> None:
        async with PaperlessServer() as server, Bench(tmp_path, server.config(tmp_path)) as b:
            await put(b, 1)
            await b.deliver()
            assert await b.states() == ["delivering"]
            await b.restart()
            b.clock.pass_s(5)
            for _ in range(5):
                await b.deliver()
                b.clock.pass_s(5)
            assert await b.states() == ["filed"]
            assert len(server.forms) == 1

    asyncio.run(go())


def test_it_runs_by_itself_until_cancelled(tmp_path: Path) -> None:
    async def work(b: Bench) -> None:
        await put(b, 6)

        async def tick(_: float) -> None:
            await asyncio.sleep(0)

        b.clock.sleep = tick  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(delivery(b).run())
        while set(await b.states()) != {"verified"}:  # noqa: ASYNC110 - of the store
            await asyncio.sleep(0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    with_bench(tmp_path, work, target=folder.Config("archive", str(tmp_path / "out"), concurrency=2))


@pytest.mark.parametrize(("asked_s", "waits_s"), [(1800.0, 1800.0), (9_999_999.0, 3600.0)])
def test_a_document_is_not_left_alone_for_longer_than_its_target_would_be(
    tmp_path: Path, asked_s: float, waits_s: float
) -> None:
    async def work(b: Bench) -> None:
        async def not_now(_: Parcel) -> None:
            raise NotNow("423", after_s=asked_s)

        await put(b, 1)
        slow(b, not_now)
        assert await delivery(b).step()
        b.clock.pass_s(waits_s - 1)
        assert not await delivery(b).step()
        b.clock.pass_s(1)
        assert await delivery(b).step()

    with_bench(tmp_path, work)
