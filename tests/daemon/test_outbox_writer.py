import asyncio
import threading

import pytest

from torhaus.daemon.outbox.writer import Writer


def test_jobs_run_in_order_on_one_thread_and_answer_on_the_loop() -> None:
    async def go() -> None:
        writer = Writer()
        seen: list[tuple[int, str]] = []
        told: list[tuple[object, str]] = []

        def fails() -> None:
            raise OSError("no")

        for i in range(5):
            writer.submit(
                lambda i=i: seen.append((i, threading.current_thread().name)),  # type: ignore[misc]
                lambda r: told.append((r, threading.current_thread().name)),
            )
        writer.submit(fails, lambda r: told.append((type(r), threading.current_thread().name)))
        assert await writer.call(lambda: 7) == 7
        assert seen == [(i, "torhaus-writer") for i in range(5)]
        assert told == [(None, "MainThread")] * 5 + [(OSError, "MainThread")]
        with pytest.raises(OSError, match="no"):
            await writer.call(fails)
        await writer.stop()

    asyncio.run(go())


def test_a_job_nobody_waits_for_any_more_is_done_all_the_same() -> None:
    async def go() -> None:
        writer, done = Writer(), threading.Event()
        task = asyncio.create_task(writer.call(done.set))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await writer.stop()
        assert done.is_set()

    asyncio.run(go())
