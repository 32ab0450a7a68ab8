"""Threads whose callers are cancelled."""

import asyncio
import threading

import pytest

from torhaus.daemon.scans.threads import to_end


def test_it_gives_what_the_work_gives() -> None:
    assert asyncio.run(to_end(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(to_end(divmod, 7, 0))


@pytest.mark.parametrize("fails", [False, True])
def test_who_is_cancelled_waits_for_its_end(fails: bool) -> None:
    begun, may_end = threading.Event(), threading.Event()
    undone: list[str] = []

    def work() -> str:
        begun.set()
        assert may_end.wait(60)
        if fails:
            raise OSError
        return "made"

    async def go() -> None:
        task = asyncio.create_task(to_end(work, undo=undone.append))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(3):  # who ends the daemon says it again and again
            task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert undone == ([] if fails else ["made"])

    asyncio.run(go())
